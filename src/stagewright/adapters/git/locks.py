"""One git at a time in a mirror or quarantine: within this process, and between processes that share the folder.

The lock file's descriptor is handed to git, so the lock outlives a killed worker for as long as its git still runs.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from weakref import WeakValueDictionary

from stagewright.adapters.git.errors import GitBusy

LOOK_AGAIN = 0.05


class Locks:
    """Named locks, each one a file in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str, *, wait: timedelta = timedelta(minutes=10)) -> AsyncIterator[int]:
        """Hold ``name`` for the block and yield the descriptor to hand on. Raises ``GitBusy`` after ``wait``."""
        here = self._here.setdefault(name, asyncio.Lock())
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await here.acquire()
        except TimeoutError as error:
            raise _busy(name) from error
        try:
            descriptor = await self._between_processes(name, wait)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        finally:
            here.release()

    def forget(self, name: str) -> None:
        """Remove the lock file of a thing that is gone; only for names that are never used again."""
        (self._folder / f"{name}.lock").unlink(missing_ok=True)

    async def _between_processes(self, name: str, wait: timedelta) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            async with asyncio.timeout(wait.total_seconds()):
                while not _try(descriptor):  # noqa: ASYNC110 - another process holds it: no event can tell
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError as error:
            os.close(descriptor)
            raise _busy(name) from error
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(name: str) -> GitBusy:
    return GitBusy(f"the git folder {name} is in use by another process for too long", retry_after=timedelta(minutes=1))
