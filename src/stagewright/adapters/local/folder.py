"""The files of one workload: ``<data>/workloads/<name>/`` with spec, tokens, pid, exit and output."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stagewright.adapters.local.errors import LaunchFailed

LOCK_WAIT_SECONDS = 10.0


class Folder:
    """One workload's folder. Files are written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def tokens(self) -> Path:
        """Where the attempt's token files are."""
        return self.path / "tokens"

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a JSON file of ours, or None when it is not there or not whole."""
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def write(self, name: str, content: str) -> None:
        """Replace a file as one step."""
        fresh = self.path / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        fresh.replace(self.path / name)

    def write_tokens(self, tokens: Mapping[str, str]) -> None:
        """Write the token files anew, readable by us only."""
        self.tokens.mkdir(mode=0o700, exist_ok=True)
        for name, text in tokens.items():
            path = self.tokens / name
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="ascii") as file:
                file.write(text)

    def locked_by_someone(self) -> bool:
        """Return whether a launch is under way right now."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return not _try_lock(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the folder alone. A supervisor that is just starting holds the same lock until it is registered."""
        give_up = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue  # deleted between the two steps
            try:
                if _try_lock(handle) and self._still_here(handle):
                    yield handle
                    return
            finally:
                os.close(handle)
            if time.monotonic() >= give_up:
                raise LaunchFailed(f"another launch of {self.path.name} does not end; look for a hanging supervisor")
            time.sleep(0.01)

    def _still_here(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path / "lock"))
        except FileNotFoundError:
            return False

    def tail(self, lines: int) -> str:
        """Return the last lines of what the runner printed."""
        text = b""
        for name in ("output.log.1", "output.log"):
            with contextlib.suppress(OSError):
                text += (self.path / name).read_bytes()
        return "\n".join(text.decode("utf-8", "replace").splitlines()[-lines:]) if lines > 0 else ""


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
