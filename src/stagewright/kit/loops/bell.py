"""Listens for the bell that writers of the journal ring. A lost bell costs latency only."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import psycopg
from psycopg import AsyncConnection

from stagewright.kit import logs
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.db import CHANNEL
from stagewright.kit.loops.waiting import first_of

SHORTEST, LONGEST = timedelta(seconds=0.5), timedelta(seconds=10)

log = logs.get_logger(__name__)


class BellListener:
    """Calls ``on_bell`` at each bell, and once after each connect, on a session of its own."""

    def __init__(
        self,
        dsn: str,
        on_bell: Callable[[], None],
        *,
        clock: Clock | None = None,
        on_reconnect: Callable[[], None] = lambda: None,
    ) -> None:
        self._dsn = dsn
        self._on_bell = on_bell
        self._on_reconnect = on_reconnect
        self._clock = clock or SystemClock()
        self.reconnects = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set; connect again with growing pauses when the session ends."""
        await first_of(self._listen_for_ever(), stop.wait())

    async def _listen_for_ever(self) -> None:
        pause = SHORTEST
        while True:
            with suppress(psycopg.Error, OSError):
                async with await AsyncConnection.connect(
                    self._dsn, autocommit=True, connect_timeout=10, application_name="stagewright-bell"
                ) as connection:
                    await connection.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(CHANNEL)))
                    pause = SHORTEST
                    self._on_bell()
                    async for _ in connection.notifies():
                        self._on_bell()
            self.reconnects += 1
            self._on_reconnect()
            log.warning("bell listener reconnects", pause_ms=int(pause.total_seconds() * 1000))
            await self._clock.sleep(pause)
            pause = min(LONGEST, pause * 2)
