"""Says every fifteen seconds that this process lives, with its version and its figures, and counts open incidents."""

import os
import socket
from dataclasses import replace

from stagewright.contexts.incidents import api as incidents
from stagewright.kit import instances, logs
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import Unavailable
from stagewright.kit.ids import uuid7
from stagewright.kit.instances import Instance
from stagewright.kit.loops.loop import OnError
from stagewright.kit.metrics import Metrics

FIGURES = {
    "feed_lag_ms": ("stagewright_journal_reader_lag_seconds", 1000),
    "sockets": ("stagewright_realtime_sockets", 1),
}
"""What a row says beside being there: the metric it comes from and its factor."""
log = logs.get_logger(__name__)


class Presence:
    """The row of one process in ``process_instances``. Run ``run`` as a task; call ``leave`` at the end."""

    def __init__(
        self,
        kind: str,
        version: str,
        *,
        db: Database,
        clock: Clock,
        metrics: Metrics,
        on_error: OnError | None = None,
    ) -> None:
        now = clock.now()
        name = f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-8:]}"
        self._instance = Instance(name, kind, version, now, now)
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._on_error = on_error

    async def beat(self) -> None:
        """Write the row once and set the figures that come from rows."""
        self._instance = replace(self._instance, heartbeat_at=self._clock.now(), figures=self._figures())
        async with self._db.transaction() as tx:
            await instances.beat(tx, self._instance)
            opened = await incidents.count_open(tx)
        for level in incidents.Level:
            self._metrics.incidents_open.labels(level.value).set(opened.get(level.value, 0))

    def _figures(self) -> dict[str, int]:
        found = {}
        for name, (metric, factor) in FIGURES.items():
            value = self._metrics.registry.get_sample_value(metric)
            if value is not None:
                found[name] = int(value * factor)
        return found

    async def run(self) -> None:
        """Beat until cancelled; a database that does not answer is looked at again at the next beat."""
        while True:
            try:
                await self.beat()
            except Unavailable as error:
                log.warning("presence could not be written", reason=error.message)
            except Exception as error:  # a loop wrapper: a process that cannot say that it lives does live
                log.error("presence failed", exc_info=error)
                if self._on_error is not None:
                    await self._on_error("presence", error)
            await self._clock.sleep(instances.EVERY)

    async def leave(self) -> None:
        """Remove the row, if the database answers."""
        try:
            async with self._db.transaction() as tx:
                await instances.leave(tx, self._instance.id)
        except Unavailable as error:
            log.warning("presence could not be removed", reason=error.message)
