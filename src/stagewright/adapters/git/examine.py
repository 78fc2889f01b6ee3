"""Describes what a commit changes against a base, out of quarantine and within bounds. It judges nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.command import Caps, Git
from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.git.objects import read_blobs
from stagewright.contexts.runs.model import ChangedPath, Inspection

ABSENT = "000000"
SYMLINK = "120000"
SUBMODULE = "160000"
LOOK = timedelta(seconds=120)
MOST_LISTED = 128 << 20
LARGEST_BLOB = 5 << 20
MOST_ADDED = 64 << 20
LONGEST_TARGET = 4096
ATTRIBUTES = b".gitattributes"
MOST_ATTRIBUTES = 200
LARGEST_ATTRIBUTES = 100_000
LFS = re.compile(rb"\bfilter\s*=\s*lfs\b")


class ResultRefused(Exception):
    """The bundle or its tree is not taken; ``code`` is the violation's."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Examiner:
    """Reads objects of one quarantine."""

    git: Git
    folder: Path

    async def describe(self, base: str, commit: str, merged_base: str | None) -> Inspection:
        """Describe ``commit`` against ``base``; with ``merged_base``, only paths that differ from both count.

        Raises ``ResultRefused`` for trees that are too large to be listed.
        """
        tree = await self._tree(commit)
        # Listed first: it streams and can be cut, while diff-tree keeps every pair in memory before it prints one.
        paths = tuple(path for _, path in await self._list(tree))
        changed = await self._changed(await self._tree(base), tree)
        if merged_base is not None:
            other = {item.path for item in await self._changed(await self._tree(merged_base), tree)}
            changed = tuple(item for item in changed if item.path in other)
        files = [item for item in changed if item.new_mode not in (ABSENT, SUBMODULE)]
        sizes = await self._sizes({item.new_sha for item in files})
        links = [item for item in files if item.new_mode == SYMLINK]
        for item in links:
            if sizes[item.new_sha] > LONGEST_TARGET:
                raise ResultRefused("tree_invalid", f"the target of symlink {item.path!r} is longer than a path can be")
        targets = await self._contents(links, sizes, LONGEST_TARGET)
        contents = await self._contents(files, sizes, LARGEST_BLOB)
        return Inspection(
            problem=None,
            tree_sha=tree,
            changed=changed,
            blob_sizes=sizes,
            symlinks={item.path: targets[item.new_sha] for item in links},
            tree_paths=paths,
            added=tuple(
                (item.path.decode("utf-8", "backslashreplace"), contents[item.new_sha])
                for item in files
                if item.new_sha in contents
            ),
            uses_lfs=await self._uses_lfs(base),
        )

    async def _tree(self, commit: str) -> str:
        return (await self.git.run(self.folder, "rev-parse", "--verify", f"{commit}^{{tree}}")).text

    async def _changed(self, before: str, after: str) -> tuple[ChangedPath, ...]:
        fields = await self._listing("diff-tree", "-r", "--raw", "--no-renames", "-z", before, after)
        return tuple(_changed_path(head, path) for head, path in zip(fields[::2], fields[1::2], strict=True))

    async def _list(self, tree: str) -> list[tuple[str, bytes]]:
        lines = await self._listing("ls-tree", "-r", "-z", tree)
        return [(head.split()[2].decode(), path) for head, _, path in (line.partition(b"\t") for line in lines)]

    async def _listing(self, *words: str) -> list[bytes]:
        try:
            output = await self.git.run(self.folder, *words, timeout=LOOK, most=MOST_LISTED, caps=Caps())
        except GitFailed as error:
            raise ResultRefused("tree_invalid", "the tree takes more time or memory to list than one may") from error
        if output.cut:
            raise ResultRefused("tree_invalid", "the tree has too many entries to be listed")
        return output.out.split(b"\0")[:-1]

    async def _sizes(self, shas: Iterable[str]) -> dict[str, int]:
        asked = "".join(f"{sha}\n" for sha in sorted(shas)).encode()
        answer = await self.git.run(
            self.folder, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked, timeout=LOOK
        )
        return {sha: int(size) for sha, size in (line.split() for line in answer.text.splitlines())}

    async def _contents(self, files: Sequence[ChangedPath], sizes: Mapping[str, int], largest: int) -> dict[str, bytes]:
        """Read the blobs of ``files`` up to ``largest`` bytes each, stopping before the sum gets out of hand."""
        chosen: dict[str, int] = {}
        left = MOST_ADDED
        for item in files:
            size = sizes[item.new_sha]
            if item.new_sha not in chosen and size <= min(largest, left):
                chosen[item.new_sha] = size
                left -= size
        return await read_blobs(self.git, self.folder, list(chosen), most=MOST_ADDED)

    async def _uses_lfs(self, base: str) -> bool:
        entries = await self._list(await self._tree(base))
        attributes = [sha for sha, path in entries if path.rpartition(b"/")[2] == ATTRIBUTES][:MOST_ATTRIBUTES]
        sizes = await self._sizes(attributes)
        wanted = [sha for sha, size in sizes.items() if size <= LARGEST_ATTRIBUTES]
        blobs = await read_blobs(self.git, self.folder, wanted, most=MOST_ADDED)
        return any(LFS.search(text) for text in blobs.values())


def _changed_path(head: bytes, path: bytes) -> ChangedPath:
    old_mode, new_mode, old_sha, new_sha, status = head.decode().lstrip(":").split()
    return ChangedPath(path, status[0], old_mode, new_mode, old_sha, new_sha)
