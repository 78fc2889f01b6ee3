"""Shared limits of a repository's forge: one row per bucket, fed by every answer, obeyed by reads, acts and runs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.ports import RateReading
from stagewright.contexts.runs.rules import limits as rules
from stagewright.contexts.runs.store import effects as limit_rows
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import LimitReached, StagewrightError, Unauthenticated

READS = ("core", "git")
AUTH = "auth"


def installation_of(repository_id: object) -> str:
    """Return the key under which a repository's forge limits are kept."""
    return f"{limit_rows.FORGE}{repository_id}"


async def blocked(
    reader: Reader, repository_id: UUID, buckets: Iterable[str] = READS, *, now: datetime
) -> tuple[str, datetime] | None:
    """Return the bucket among ``buckets`` that opens last and until when it is closed; None when all are open."""
    closed: list[tuple[datetime, str]] = []
    for bucket in buckets:
        until = await limit_rows.blocked_until(reader, installation_of(repository_id), bucket, now)
        if until is not None:
            closed.append((until, bucket))
    return (max(closed)[1], max(closed)[0]) if closed else None


async def close_bucket(
    tx: Tx, repository_id: UUID, bucket: str, *, retry_after: timedelta | None, cause: str, now: datetime
) -> datetime:
    """Close a bucket for everybody: for the stated time, else 1 min · 2ⁿ up to 15 min. Return until when."""
    installation = installation_of(repository_id)
    wait = rules.pause(retry_after, strikes=await limit_rows.strikes(tx, installation, bucket))
    return await _close(tx, installation, bucket, until=now + wait, cause=cause, now=now)


async def _close(tx: Tx, installation: str, bucket: str, *, until: datetime, cause: str, now: datetime) -> datetime:
    known = await limit_rows.blocked_until(tx, installation, bucket, now)
    if known is not None and known >= until:
        return known
    await limit_rows.block(tx, installation, bucket, until=until, cause=cause, now=now)
    tx.publish(events.LimitBlocked(installation=installation, bucket=bucket, cause=cause, until=until))
    return until


async def note_refusal(
    tx: Tx, repository_id: UUID, bucket: str, error: StagewrightError, *, now: datetime
) -> tuple[str, datetime] | None:
    """Close what a limit or a rejected credential closes; return bucket and time, None for any other failure."""
    match error:
        case LimitReached():
            named = str(error.params.get("bucket") or bucket)
            until = await close_bucket(
                tx, repository_id, named, retry_after=error.retry_after, cause=error.stable_code, now=now
            )
            return named, until
        case Unauthenticated():
            until = await close_bucket(tx, repository_id, bucket, retry_after=rules.AUTH_PAUSE, cause=AUTH, now=now)
            await incidents.report(
                tx,
                level="error",
                source="runs.forge",
                code="forge.credential_rejected",
                message=f"the forge rejects the repository's credential: {error.message}",
                details={"repository": str(repository_id)},
                now=now,
            )
            return bucket, until
    return None


async def note_rates(tx: Tx, repository_id: UUID, readings: Sequence[RateReading], *, now: datetime) -> None:
    """Keep what the newest answers said; what is left below the reserve is kept for people's reads."""
    installation = installation_of(repository_id)
    for reading in readings:
        await limit_rows.note_reading(
            tx, installation, reading.bucket, remaining=reading.remaining, reset_at=reading.reset_at, now=now
        )
        until = rules.reserved_until(reading.remaining, reading.limit, reading.reset_at)
        if until is not None and until > now:
            await _close(tx, installation, reading.bucket, until=until, cause="reserve", now=now)


async def open_buckets(tx: Tx, *, now: datetime) -> int:
    """Open the buckets whose time has come."""
    cleared = await limit_rows.clear_limits(tx, now)
    for installation, bucket in cleared:
        tx.publish(events.LimitCleared(installation=installation, bucket=bucket))
    return len(cleared)
