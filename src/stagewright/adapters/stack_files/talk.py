"""Talks to git over pipes without an event loop: bounded output, a deadline for every answer, killed as a group."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitFailed, GitTimedOut

PIECE = 64 * 1024
ERRORS_KEPT = 16 * 1024
GRACE = 5


class Talk:
    """One running git. Its diagnostics go to a file, so that it never waits for us to read them."""

    def __init__(self, git: Git, *words: str, cwd: Path, environment: Mapping[str, str], patience: timedelta) -> None:
        self._verb = words[0]
        self._patience = patience.total_seconds()
        self._kept = bytearray()
        self._errors = os.memfd_create("git-errors", os.MFD_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                [*git.words, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=git.environment | dict(environment),
                cwd=cwd,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            os.close(self._errors)
            raise GitFailed(self._verb, -1, f"git cannot be started: {error}") from error

    def ask(self, line: bytes) -> None:
        """Write one line to git."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
        except OSError as error:
            raise self._failed() from error

    def line(self) -> bytes:
        """Return the next line of output."""
        while (end := self._kept.find(b"\n")) < 0:
            self._more()
        return self._cut(end + 1)[:-1]

    def exactly(self, length: int) -> bytes:
        """Return the next ``length`` bytes of output."""
        while len(self._kept) < length:
            self._more()
        return self._cut(length)

    def everything(self, most: int, *, ok: Sequence[int] = (0,)) -> tuple[int, bytes]:
        """Return the exit code and the whole output. Raises ``GitFailed`` where there is too much of it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        deadline = time.monotonic() + self._patience
        while piece := self._piece(deadline):
            self._kept += piece
            if len(self._kept) > most:
                raise GitFailed(self._verb, -1, f"more than {most:,} bytes of output")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        code = self._process.returncode
        if code not in ok:
            raise self._failed()
        return int(code), bytes(self._kept)

    @property
    def errors(self) -> str:
        """What git said on its other channel."""
        size = os.fstat(self._errors).st_size
        text = os.pread(self._errors, ERRORS_KEPT, max(0, size - ERRORS_KEPT))
        return text.decode("utf-8", "replace").strip()

    def end(self) -> None:
        """Leave nothing behind. May be called twice."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(GRACE)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        with suppress(OSError):
            os.close(self._errors)
        self._errors = -1

    def _cut(self, length: int) -> bytes:
        taken = bytes(self._kept[:length])
        del self._kept[:length]
        return taken

    def _more(self) -> None:
        piece = self._piece(time.monotonic() + self._patience)
        if not piece:
            raise self._failed()
        self._kept += piece

    def _piece(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise GitTimedOut(self._verb, -1, f"took longer than {self._patience:.0f} s")
        return os.read(descriptor, PIECE)

    def _failed(self) -> GitFailed:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        code = self._process.returncode
        return GitFailed(self._verb, -1 if code is None else code, self.errors)
