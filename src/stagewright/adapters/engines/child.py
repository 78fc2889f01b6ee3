"""A child program in its own session: output in bounded pieces with back-pressure, its whole tree killed together.

Danger: ``asyncio.Process.wait`` may wait for the pipes too, which a background process keeps open; so this module uses
the protocol, whose ``process_exited`` does not. ``asyncio.wait_for`` would lose a cancellation that comes with the end.
"""

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.engines.processes import descendants, kill_group, kill_known, kill_tree

HIGH_WATER = 1024 * 1024
LOW_WATER = 256 * 1024
LINGER_SECONDS = 2.0
LONGEST_LINGER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes the child wrote. ``error`` says that they came from standard error."""

    data: bytes
    error: bool = False


class _Feed(asyncio.SubprocessProtocol):
    """Collects the child's output and pauses the pipes while the reader is behind."""

    def __init__(self) -> None:
        self.pieces: deque[Piece] = deque()
        self.news = asyncio.Event()
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self._held = 0
        self._paused = False
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.pieces.append(Piece(bytes(data), error=fd == 2))
        self._held += len(data)
        if self._held > HIGH_WATER and not self._paused:
            self._paused = True
            for pipe in self._pipes():
                pipe.pause_reading()
        self.news.set()

    def process_exited(self) -> None:
        assert self._transport is not None
        kill_group(self._transport.get_pid(), signal.SIGKILL)
        self.exited.set()
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.exited.set()
        self.closed.set()
        self.news.set()

    def take(self) -> Piece:
        """Return the oldest piece and let the pipes flow again once enough is taken."""
        piece = self.pieces.popleft()
        self._held -= len(piece.data)
        if self._paused and self._held < LOW_WATER:
            self._paused = False
            for pipe in self._pipes():
                pipe.resume_reading()
        return piece

    def _pipes(self) -> list[asyncio.ReadTransport]:
        assert self._transport is not None
        found = (self._transport.get_pipe_transport(fd) for fd in (1, 2))
        return [pipe for pipe in found if isinstance(pipe, asyncio.ReadTransport) and not pipe.is_closing()]


class Child:
    """One running program. Made by ``Child.start``; ended by its own exit, ``stop`` or ``kill``."""

    def __init__(self, transport: asyncio.SubprocessTransport, feed: _Feed) -> None:
        self._transport = transport
        self._feed = feed
        self.pid = transport.get_pid()

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: Path | None = None
    ) -> "Child":
        """Start ``argv`` in a session of its own; it reads the file ``stdin`` or nothing. Raises OSError."""
        with Path(stdin or os.devnull).open("rb") as given:  # noqa: ASYNC230 - a local file, opened in microseconds
            transport, feed = await asyncio.get_running_loop().subprocess_exec(
                _Feed,
                *argv,
                stdin=given,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
            )
        return cls(transport, feed)

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal), or None while the program runs."""
        return self._transport.get_returncode()

    async def output(self) -> AsyncIterator[Piece]:
        """Yield what the program writes until it is gone and its pipes are silent."""
        loop = asyncio.get_running_loop()
        give_up: float | None = None
        while True:
            while self._feed.pieces:
                yield self._feed.take()
            if self._feed.closed.is_set():
                break
            if self._feed.exited.is_set():
                give_up = give_up or loop.time() + LONGEST_LINGER_SECONDS
            if not await self._wait_for_news(give_up):
                break
        self._transport.close()

    async def _wait_for_news(self, give_up: float | None) -> bool:
        """Wait for output or the exit; after the exit only a short while, as others may hold the pipes open."""
        self._feed.news.clear()
        if self._feed.pieces:
            return True
        wait = None if give_up is None else min(LINGER_SECONDS, give_up - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(wait):
                await self._feed.news.wait()
        except TimeoutError:
            return False
        return True

    async def exited(self) -> None:
        """Wait until the program is gone; its output may not all be read yet."""
        await self._feed.exited.wait()

    async def stop(self, grace: timedelta) -> None:
        """Ask the process group to end, and kill the whole tree after ``grace``."""
        if self._feed.exited.is_set():
            return
        known = descendants(self.pid)
        kill_group(self.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._feed.exited.wait()
        except TimeoutError:
            kill_tree(self.pid)
        kill_known(known)
        async with asyncio.timeout(LONGEST_LINGER_SECONDS):
            await self._feed.exited.wait()

    async def close(self) -> None:
        """Kill what is left and release the pipes. Safe to call twice."""
        if not self._feed.exited.is_set():
            kill_tree(self.pid)
        async with asyncio.timeout(LONGEST_LINGER_SECONDS):
            await self._feed.exited.wait()
            self._transport.close()
            await self._feed.closed.wait()
