"""What this installation is, and how it is: version, enumerations, queues, workers, the forge's limits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.incidents import views as incident_views
from stagewright.contexts.intake import views as intake_views
from stagewright.contexts.runs import views as run_views
from stagewright.kit import migrate
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant
from stagewright.kit.instances import DEAD_AFTER, Instance, list_instances
from stagewright.processes.common import VERSION, Platform
from stagewright.processes.gateway import description, meta
from stagewright.processes.stored_settings import DEFAULT_LOCALE

API_VERSION = "1.0"
routes = Routes(tag="system")
CallerDep = Annotated[Caller, Depends(caller)]


class MetaView(BaseModel):
    """What a client needs to know before anything else."""

    version: str
    api_version: str
    installation_id: Id
    embedded: bool
    features: list[str]
    enums: dict[str, list[str]]
    server_time: Instant
    default_locale: str


class ProcessView(BaseModel):
    """A process that reports its signs of life, each fifteen seconds; ``missed_at`` when it stopped doing so."""

    kind: str
    id: str
    version: str
    alive: bool
    started_at: Instant
    heartbeat_at: Instant
    missed_at: Instant | None
    feed_lag_ms: int | None
    sockets: int | None

    @classmethod
    def of(cls, item: Instance, now: datetime) -> "ProcessView":
        """Show ``item`` as it is at ``now``."""
        alive = item.is_alive(now)
        return cls(
            kind=item.kind,
            id=item.id,
            version=item.version,
            alive=alive,
            started_at=item.started_at.isoformat(),
            heartbeat_at=item.heartbeat_at.isoformat(),
            missed_at=None if alive else (item.heartbeat_at + DEAD_AFTER).isoformat(),
            feed_lag_ms=item.figures.get("feed_lag_ms"),
            sockets=item.figures.get("sockets"),
        )


class WorkerView(BaseModel):
    """A worker as the owner of leases; what a lost one claimed is free."""

    id: str
    started_at: Instant
    heartbeat_at: Instant
    missed_at: Instant | None


class SchemaVersions(BaseModel):
    """The migrations of the database and those this program knows."""

    database: int
    program: int


class Deliveries(BaseModel):
    """Webhook deliveries that wait or were given up, and when the last one came."""

    pending: int
    dead: int
    last_received_at: Instant | None


class LimitView(BaseModel):
    """What is known of one limit of the forge."""

    installation: str
    bucket: str
    remaining: int | None
    reset_at: Instant | None
    blocked_until: Instant | None
    cause: str | None


class SystemView(BaseModel):
    """How the installation is now. ``feed_lag_ms`` is the worst of the gateways that live."""

    version: str
    db_schema: SchemaVersions
    processes: list[ProcessView]
    workers: list[WorkerView]
    feed_lag_ms: int | None
    deliveries: Deliveries
    queues: dict[str, int]
    forge_limits: list[LimitView]
    incidents_open: dict[str, int]
    server_time: Instant


@routes.get("/meta", Permission.SIGNED_IN)
async def get_meta(me: CallerDep, db: Db, clock: ClockDep, request: Request) -> MetaView:
    """Show version, features and enumerations."""
    platform: Platform = request.app.state.platform
    async with db.reading() as reader:
        installation = await identity.installation_id(reader)
    return MetaView(
        version=VERSION,
        api_version=API_VERSION,
        installation_id=str(installation),
        embedded=platform.settings.embedded,
        features=meta.features(description.describe(request.app)["paths"], me.principal),
        enums={name: list(values) for name, values in meta.ENUMS.items()},
        server_time=clock.now().isoformat(),
        default_locale=str(await platform.stored.get(DEFAULT_LOCALE)),
    )


@routes.get("/openapi.json", Permission.SIGNED_IN)
async def get_openapi(me: CallerDep, request: Request) -> dict[str, Any]:
    """Return the description of this interface."""
    return description.describe(request.app)


@routes.get("/system", Permission.PLATFORM_OPERATE)
async def get_system(me: CallerDep, db: Db, clock: ClockDep) -> SystemView:
    """Show processes, schema, queues, the last webhook and the forge's limits."""
    now = clock.now()
    async with db.reading() as reader:
        figures = await intake_views.delivery_figures(reader)
        counts = await run_views.counts(reader)
        processes = await list_instances(reader)
        workers = await run_views.workers(reader)
        limits = await run_views.provider_limits(reader)
        incidents = await incident_views.count_open(reader)
        schema = await migrate.version(reader.connection)
    return SystemView(
        version=VERSION,
        db_schema=SchemaVersions(database=schema, program=migrate.newest()),
        processes=[ProcessView.of(item, now) for item in processes],
        workers=[
            WorkerView(
                id=row["worker_id"],
                started_at=row["started_at"].isoformat(),
                heartbeat_at=row["heartbeat_at"].isoformat(),
                missed_at=_text(row["missed_at"]),
            )
            for row in workers
        ],
        feed_lag_ms=_worst_lag(processes, now),
        deliveries=Deliveries(
            pending=figures.pending, dead=figures.dead, last_received_at=_text(figures.last_received_at)
        ),
        queues=dict(counts),
        forge_limits=[
            LimitView(
                installation=row["installation_id"],
                bucket=row["bucket"],
                remaining=row["remaining"],
                reset_at=_text(row["reset_at"]),
                blocked_until=_text(row["blocked_until"]),
                cause=row["cause"],
            )
            for row in limits
        ],
        incidents_open=incidents,
        server_time=now.isoformat(),
    )


def _worst_lag(processes: Sequence[Instance], now: datetime) -> int | None:
    lags = [item.figures["feed_lag_ms"] for item in processes if item.is_alive(now) and "feed_lag_ms" in item.figures]
    return max(lags, default=None)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
