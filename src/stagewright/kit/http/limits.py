"""Token buckets that all gateways share: one unlogged table, one statement per request (access.md §5.5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from stagewright.kit.db import Row, Tx
from stagewright.kit.errors import LimitReached

# An empty bucket is not updated, so the statement returns no new tokens: that is the refusal.
TAKE = """
with kept as (select tokens, updated_at from rate_buckets where bucket = %(bucket)s and key = %(key)s),
taken as (
    insert into rate_buckets as b (bucket, key, tokens, updated_at)
    values (%(bucket)s, %(key)s, %(size)s - 1, %(now)s)
    on conflict (bucket, key) do update set
        tokens = least(%(size)s, b.tokens + greatest(0, extract(epoch from %(now)s - b.updated_at)) * %(rate)s) - 1,
        updated_at = greatest(b.updated_at, %(now)s)
    where least(%(size)s, b.tokens + greatest(0, extract(epoch from %(now)s - b.updated_at)) * %(rate)s) >= 1
    returning tokens)
select (select tokens from taken) as left_over,
       (select tokens + greatest(0, extract(epoch from %(now)s - updated_at)) * %(rate)s from kept) as before
"""
FORGET = "delete from rate_buckets where updated_at < %(before)s"


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many requests of one kind fit into ``seconds`` seconds."""

    name: str
    size: int
    seconds: int = 60

    @property
    def rate(self) -> float:
        """Return how many requests fit into one second."""
        return self.size / self.seconds

    @property
    def policy(self) -> str:
        """Return the value of ``RateLimit-Policy``."""
        return f'"{self.name}";q={self.size};w={self.seconds}'


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left after a request was let through."""

    bucket: Bucket
    left: int

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the ``RateLimit`` headers of the answer."""
        missing = (self.bucket.size - self.left) / self.bucket.rate
        limit = f'"{self.bucket.name}";r={self.left};t={math.ceil(missing)}'
        return {"RateLimit": limit, "RateLimit-Policy": self.bucket.policy}


async def take(tx: Tx, bucket: Bucket, key: str, *, now: datetime) -> Taken:
    """Take one request out of ``key``'s bucket, or raise ``LimitReached`` with the time until the next one fits."""
    rate = bucket.rate
    row = await tx.find(_row, TAKE, bucket=bucket.name, key=key, size=float(bucket.size), rate=rate, now=now)
    assert row is not None
    if row["left_over"] is None:
        wait = timedelta(seconds=(1 - float(row["before"] or 0)) / rate)
        raise LimitReached(
            f"more than {bucket.size} {bucket.name} in {_words(bucket.seconds)}; send it again later",
            retry_after=wait,
            code="rate_limited",
            bucket=bucket.name,
            limit=bucket.size,
        )
    return Taken(bucket, int(row["left_over"]))


def _row(row: Row) -> Row:
    return row


def _words(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour"}.get(seconds, f"{seconds} s")


async def forget_buckets(tx: Tx, *, now: datetime) -> int:
    """Delete buckets that are full again anyway; return how many went."""
    return await tx.execute(FORGET, before=now - timedelta(hours=1))
