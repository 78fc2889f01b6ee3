"""Running git: no shell, no configuration of the machine, a deadline on every command."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TIMEOUT = 60.0  # seconds
ZERO = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
CONFIG = """\
[safe]
	directory = *
[gc]
	auto = 0
[core]
	quotepath = off
[init]
	defaultBranch = main
"""


class GitFailed(Exception):
    """Git said no; ``output`` is what it wrote."""

    def __init__(self, code: int, output: str) -> None:
        super().__init__(f"git ended with {code}: {output.strip()[-500:]}")
        self.code = code
        self.output = output


def environment(home: Path) -> dict[str, str]:
    """Return the whole environment of our git commands: nothing of the user's but PATH."""
    config = home / "gitconfig"
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def data_of(path: Path) -> Path:
    """Return the data folder of ``<data>/repositories/<owner>/<name>.git``."""
    return path.parents[2]


async def run_git(
    path: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, accept: tuple[int, ...] = (0,)
) -> bytes:
    """Run git in a bare repository and return what it wrote; other exit codes than ``accept`` raise GitFailed."""
    process = await asyncio.create_subprocess_exec(
        "git",
        f"--git-dir={path}",
        *args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(data_of(path)) | dict(env or {}),
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            out, err = await process.communicate(stdin)
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    code = process.returncode or 0
    if code not in accept:
        raise GitFailed(code, err.decode(errors="replace"))
    return out
