"""Git with a configuration of ours only: no hooks, no remotes, no helpers of the machine."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

DEADLINE_SECONDS = 600.0
CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.quotePath": "false",
    "core.autocrlf": "false",
    "core.editor": "true",
    "core.pager": "cat",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "credential.helper": "",
    "submodule.recurse": "false",
    "safe.directory": "*",
    "diff.renames": "false",
}


class GitFailed(Exception):
    """A git command failed; the text is what git said."""


class Git:
    """Runs git commands in one repository, each with a deadline, killed when the caller is cancelled."""

    def __init__(self, repo: Path, *, home: Path, path: str) -> None:
        self.repo = repo
        self._environment = {
            "PATH": path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CONFIG_COUNT": str(len(CONFIG)),
        }
        for number, (key, value) in enumerate(CONFIG.items()):
            self._environment[f"GIT_CONFIG_KEY_{number}"] = key
            self._environment[f"GIT_CONFIG_VALUE_{number}"] = value

    async def run(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Return what the command printed. Raises ``GitFailed``."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.repo,
            env={**self._environment, **(env or {})},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                out, err = await process.communicate(stdin or None)
        except TimeoutError as error:
            raise GitFailed(f"git {arguments[0]} took longer than {DEADLINE_SECONDS:.0f} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        if process.returncode != 0:
            raise GitFailed(f"git {arguments[0]}: {err.decode('utf-8', 'replace').strip()[-1000:]}")
        return out

    async def line(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Return the one line a command prints."""
        return (await self.run(*arguments, env=env)).decode("utf-8", "surrogateescape").strip()

    async def holds(self, *arguments: str) -> bool:
        """Return whether the command succeeds."""
        try:
            await self.run(*arguments)
        except GitFailed:
            return False
        return True


def split_paths(output: bytes) -> Sequence[str]:
    """Return the paths of a ``-z`` listing."""
    return [path.decode("utf-8", "surrogateescape") for path in output.split(b"\0") if path]
