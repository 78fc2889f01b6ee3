"""Run one program after another for an engine, and stop whichever runs now when the attempt is interrupted."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.engines.child import Child, Piece


class Program:
    """The one child an engine may have at a time. After ``interrupt`` no further child is started."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._stopping = asyncio.Event()
        self.exit_code: int | None = None

    @property
    def interrupted(self) -> bool:
        """Say whether ``interrupt`` was called."""
        return self._stopping.is_set()

    async def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: Path | None = None
    ) -> AsyncIterator[Piece]:
        """Yield the output of ``argv``; then ``exit_code`` is set. Raises OSError when it cannot be started.

        Closing the iterator early kills the program and all that it started.
        """
        self.exit_code = None
        if self._stopping.is_set():
            return
        child = await Child.start(argv, cwd=cwd, env=env, stdin=stdin)
        self._child = child
        try:
            if self._stopping.is_set():  # while it was being started
                await child.close()
            async for piece in child.output():
                yield piece
        finally:
            self._child = None
            await child.close()
            self.exit_code = child.exit_code

    async def close(self) -> None:
        """Kill what runs now. Called when a turn's events are no longer wanted."""
        if self._child is not None:
            await self._child.close()

    async def interrupt(self, grace: timedelta) -> None:
        """Ask the running program to end, and kill its whole tree after ``grace``."""
        self._stopping.set()
        if self._child is not None:
            await self._child.stop(grace)
