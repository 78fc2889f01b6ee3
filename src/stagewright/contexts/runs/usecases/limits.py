"""Shared limits of the forge: one row per installation and bucket, fed by every answer, obeyed by reads, acts and runs.

Transactions that also lock a run, a wait or an effect lock it before they come here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.ports import Quota, RateReading
from stagewright.contexts.runs.rules import limits as rules
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.vault import api as vault
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import LimitReached, StagewrightError, Unauthenticated

READS = ("core", "git")
AUTH = "auth"
PURPOSES = (vault.BOT, vault.MANAGEMENT)


async def blocked(
    reader: Reader, repository_id: UUID, buckets: Iterable[str] = READS, *, now: datetime
) -> tuple[str, datetime] | None:
    """Return the bucket among ``buckets`` that opens last and until when it is closed; None when all are open."""
    return await limit_rows.find_closed(reader, repository_id, buckets, now=now)


async def close_bucket(
    tx: Tx, installation: str, bucket: str, *, retry_after: timedelta | None, cause: str, now: datetime
) -> datetime:
    """Close a bucket for everybody: for the stated time, else 1 min · 2ⁿ up to 15 min. Return until when."""
    wait = rules.pause(retry_after, strikes=await limit_rows.strikes(tx, installation, bucket))
    strike = retry_after is None
    return await _close(tx, installation, bucket, until=now + wait, cause=cause, now=now, strike=strike)


async def _close(
    tx: Tx, installation: str, bucket: str, *, until: datetime, cause: str, now: datetime, strike: bool = False
) -> datetime:
    known = await limit_rows.blocked_until(tx, installation, bucket, now)
    if known is not None and known >= until:
        return known
    await limit_rows.block(tx, installation, bucket, until=until, cause=cause, now=now, strike=strike)
    tx.publish(events.LimitBlocked(installation=installation, bucket=bucket, cause=cause, until=until))
    return until


async def note_refusal(
    tx: Tx, repository_id: UUID, bucket: str, error: StagewrightError, *, purpose: str = vault.BOT, now: datetime
) -> tuple[str, datetime] | None:
    """Close what a limit or a rejected credential closes; return bucket and time, None for any other failure.

    ``purpose`` is that of the credential the request went with, where the failure does not name it itself.
    """
    if not isinstance(error, LimitReached | Unauthenticated):
        return None
    named = str(error.params.get("bucket") or bucket)
    installation = await _installation_of(tx, repository_id, error, purpose, now=now)
    if isinstance(error, LimitReached):
        until = [
            await close_bucket(tx, installation, one, retry_after=error.retry_after, cause=error.stable_code, now=now)
            for one in rules.closed_by(named, error.stable_code)
        ]
        return named, max(until)
    closed = await close_bucket(tx, installation, named, retry_after=rules.AUTH_PAUSE, cause=AUTH, now=now)
    await incidents.report(
        tx,
        level="error",
        source="runs.forge",
        code="forge.credential_rejected",
        message=f"the forge rejects the repository's credential: {error.message}",
        details={"repository": str(repository_id)},
        now=now,
    )
    return named, closed


async def _installation_of(tx: Tx, repository_id: UUID, error: StagewrightError, purpose: str, *, now: datetime) -> str:
    """Return whose limit it is: the failure says so, or it is known of the repository."""
    told = error.params.get("installation")
    said = str(error.params.get("purpose") or purpose)
    if not told:
        return await limit_rows.installation_of(tx, repository_id, said)
    await limit_rows.learn(tx, repository_id, said, str(told), now=now)
    return str(told)


async def learn_quotas(tx: Tx, repository_id: UUID, quotas: Sequence[Quota], *, now: datetime) -> None:
    """Keep whose limits the repository draws on and what their newest answers said; nothing means its own limits."""
    told = {quota.purpose: quota.installation for quota in quotas}
    for purpose in PURPOSES:
        installation = told.get(purpose) or limit_rows.own_key(repository_id)
        await limit_rows.learn(tx, repository_id, purpose, installation, now=now)
    readings = {(quota.installation, one.bucket): one for quota in quotas for one in quota.readings}
    await note_readings(tx, readings, now=now)


async def note_readings(tx: Tx, readings: Mapping[tuple[str, str], RateReading], *, now: datetime) -> None:
    """Keep what the newest answers said; what is left below the reserve is kept for people's reads."""
    for (installation, bucket), reading in sorted(readings.items(), key=lambda item: item[0]):
        await limit_rows.note_reading(
            tx, installation, bucket, remaining=reading.remaining, reset_at=reading.reset_at, now=now
        )
        until = rules.reserved_until(reading.remaining, reading.limit, reading.reset_at)
        if until is not None and until > now:
            await _close(tx, installation, bucket, until=until, cause="reserve", now=now)


async def note_worked(tx: Tx, repository_id: UUID, bucket: str, *, purpose: str, now: datetime) -> None:
    """An act was taken: pauses without a stated time begin with the shortest again."""
    installation = await limit_rows.installation_of(tx, repository_id, purpose)
    await limit_rows.note_worked(tx, installation, bucket, now=now)


async def open_buckets(tx: Tx, *, now: datetime) -> int:
    """Open the buckets whose time has come."""
    cleared = await limit_rows.clear_limits(tx, now)
    for installation, bucket in cleared:
        tx.publish(events.LimitCleared(installation=installation, bucket=bucket))
    return len(cleared)
