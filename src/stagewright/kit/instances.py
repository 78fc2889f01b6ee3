"""Signs of life: one row per running process, so that a screen can say which live, since when, in which version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from stagewright.kit.db import Reader, Tx, record

EVERY = timedelta(seconds=15)
DEAD_AFTER = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(days=1)

BEAT = """
insert into process_instances (id, kind, version, started_at, heartbeat_at, figures)
values (%(id)s, %(kind)s, %(version)s, %(started_at)s, %(now)s, %(figures)s)
on conflict (id) do update set heartbeat_at = excluded.heartbeat_at, figures = excluded.figures
"""
FORGET = "delete from process_instances where heartbeat_at < %(before)s"
LEAVE = "delete from process_instances where id = %(id)s"
LIST = """
select id, kind, version, started_at, heartbeat_at, figures from process_instances order by kind, started_at, id
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """A process, its last sign of life and what it said of itself."""

    id: str
    kind: str
    version: str
    started_at: datetime
    heartbeat_at: datetime
    figures: Mapping[str, int] = field(default_factory=dict)

    def is_alive(self, now: datetime) -> bool:
        """Say whether the process reported within the last minute."""
        return now - self.heartbeat_at <= DEAD_AFTER


to_instance = record(Instance)


async def beat(tx: Tx, instance: Instance) -> None:
    """Write down that ``instance`` lives, and forget those that have been silent for a day."""
    await tx.execute(
        BEAT,
        id=instance.id,
        kind=instance.kind,
        version=instance.version,
        started_at=instance.started_at,
        now=instance.heartbeat_at,
        figures=Jsonb(dict(instance.figures)),
    )
    await tx.execute(FORGET, before=instance.heartbeat_at - FORGOTTEN_AFTER)


async def leave(tx: Tx, instance_id: str) -> None:
    """Remove the row of a process that ends in an orderly way."""
    await tx.execute(LEAVE, id=instance_id)


async def list_instances(reader: Reader) -> list[Instance]:
    """Return the processes by kind, the silent ones too."""
    return await reader.all(to_instance, LIST)
