"""Reads blobs, and the text files of a commit that prompts and documents need."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.command import Caps, Git

LOOK = timedelta(seconds=120)
HEAD_ROOM = 128
MOST_FILES = 200
MOST_TEXT = 1 << 20
FILES = (b"100644", b"100755")


async def read_blobs(git: Git, folder: Path, shas: Sequence[str], *, most: int) -> dict[str, bytes]:
    """Return the contents of the blobs ``shas``, of which the caller knows that they have at most ``most`` bytes."""
    asked = "".join(f"{sha}\n" for sha in shas).encode()
    room = most + HEAD_ROOM * len(shas)
    out = (await git.run(folder, "cat-file", "--batch", stdin=asked, timeout=LOOK, most=room, caps=Caps())).out
    found: dict[str, bytes] = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        sha, _, size = out[at:end].split()
        found[sha.decode()] = out[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
    return found


async def read_texts(git: Git, folder: Path, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
    """Return the text files under ``paths`` at ``commit``, at most 200 and 1 MiB in all, in the order of their names.

    Symlinks, submodules, binary files and what does not fit are left out. Patterns in ``paths`` mean themselves.
    """
    wanted = [path.strip("/") for path in paths if path.strip("/") and ".." not in path.split("/")]
    if not wanted:
        return {}
    listed = await git.run(
        folder, "ls-tree", "-r", "-l", "-z", commit, "--", *wanted, environment={"GIT_LITERAL_PATHSPECS": "1"}
    )
    chosen: dict[str, str] = {}
    left = MOST_TEXT
    for line in listed.out.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, sha, size = head.split()
        if mode in FILES and int(size) <= left and len(chosen) < MOST_FILES:
            chosen[path.decode("utf-8", "backslashreplace")] = sha.decode()
            left -= int(size)
    blobs = await read_blobs(git, folder, sorted(set(chosen.values())), most=MOST_TEXT)
    texts = {path: _text(blobs[sha]) for path, sha in chosen.items()}
    return {path: text for path, text in texts.items() if text is not None}


def _text(blob: bytes) -> str | None:
    if b"\0" in blob:
        return None
    try:
        return blob.decode("utf-8")
    except UnicodeDecodeError:
        return None
