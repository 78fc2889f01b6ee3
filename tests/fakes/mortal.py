"""A worker that dies at a chosen moment: from then on nothing of it reaches anything."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from stagewright.contexts.runs.reconcile.outside import Outside


class Killed(BaseException):
    """The process is gone. Not an ``Exception``: no code of ours may handle it."""


class Life:
    """Counts what the worker does outside itself; it dies before, or right after, the moment ``ends_at``."""

    def __init__(self, ends_at: int | None = None, *, after: bool = False) -> None:
        self.moments: list[str] = []
        self._ends_at = ends_at
        self._after = after
        self._over = False

    def before(self, what: str) -> bool:
        """Note a moment; raise when the worker is dead or dies now. Return whether it dies right after it."""
        if self._over:
            raise Killed
        self.moments.append(what)
        if len(self.moments) - 1 == self._ends_at:
            if not self._after:
                self.end()
            return True
        return False

    def end(self) -> None:
        """Die."""
        self._over = True
        raise Killed

    @property
    def alive(self) -> bool:
        """Say whether the worker still lives."""
        return not self._over


class MortalPort:
    """Hands calls on to a port while its worker lives."""

    def __init__(self, port: Any, name: str, life: Life) -> None:
        self._port = port
        self._name = name
        self._life = life

    def __getattr__(self, act: str) -> Any:
        found = getattr(self._port, act)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            last = self._life.before(f"{self._name}.{act}")
            given = await found(*args, **kwargs)
            if last:
                self._life.end()
            return given

        return call


class MortalDatabase:
    """Hands transactions on while its worker lives; one that is open at its death is never committed."""

    def __init__(self, db: Any, life: Life) -> None:
        self._db = db
        self._life = life

    @asynccontextmanager
    async def transaction(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Open a write transaction."""
        last = self._life.before("db.transaction")
        async with self._db.transaction(*args, **kwargs) as tx:
            yield tx
            if not self._life.alive:
                raise Killed
        if last:
            self._life.end()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        """Open a read transaction."""
        if not self._life.alive:
            raise Killed
        async with self._db.reading() as reader:
            yield reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def mortal(outside: Outside, life: Life) -> Outside:
    """Return hands that work while ``life`` lasts."""
    database: Any = MortalDatabase(outside.db, life)
    return replace(
        outside,
        db=database,
        forge=MortalPort(outside.forge, "forge", life),
        git=MortalPort(outside.git, "git", life),
        workloads=MortalPort(outside.workloads, "workloads", life),
        policy_heads={},
    )
