"""How long a closed bucket of the forge's limits stays closed (specification: runs, section 10.2)."""

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
AUTH_PAUSE = timedelta(minutes=5)
AFTER_RESET = timedelta(seconds=5)
RESERVE_PERCENT = 15
PRIMARY = "forge.rate_limited"
REST = ("content", "core")


def pause(retry_after: timedelta | None, *, strikes: int) -> timedelta:
    """Return how long to leave the forge alone: as it says (margins are in it), else 1 min · 2ⁿ up to 15 min."""
    if retry_after is not None:
        return max(timedelta(0), retry_after)
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(strikes, 10)))


def reserved_until(remaining: int | None, limit: int | None, reset_at: datetime | None) -> datetime | None:
    """Return until when the bucket is closed because only the reserve for people's reads is left."""
    if remaining is None or not limit or reset_at is None or remaining * 100 >= limit * RESERVE_PERCENT:
        return None
    return reset_at + AFTER_RESET


def closed_by(bucket: str, code: str) -> tuple[str, ...]:
    """Return the buckets that a refusal closes: content is drawn from the core limit, so that one closes both."""
    return REST if code == PRIMARY and bucket in REST else (bucket,)
