"""How much one attempt may ask of the door: transfers at once, rows a minute; and a refusal it can hear."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from stagewright.contexts.runs.model import AttemptId
from stagewright.kit.errors import LimitReached, StagewrightError

HEARD_OUT_PARTS = 128
HEARD_OUT_SECONDS = 10.0
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def heard_out(messages: AsyncIterator[object]) -> AsyncIterator[None]:
    """Let the caller send the rest before a refusal is answered: cut off while sending it would not hear why."""
    try:
        yield
    except StagewrightError:
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_OUT_SECONDS):
                for _ in range(HEARD_OUT_PARTS):
                    if await anext(messages, None) is None:
                        break
        raise


class Slots:
    """At most so many transfers of one attempt at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[AttemptId] = Counter()

    @asynccontextmanager
    async def held(self, attempt_id: AttemptId) -> AsyncIterator[None]:
        """Count one for the block. Raise ``LimitReached`` when there is no room."""
        if self._held[attempt_id] >= self._most:
            raise LimitReached(f"this attempt has {self._most} transfers under way; wait for one to end")
        self._held[attempt_id] += 1
        try:
            yield
        finally:
            self._held[attempt_id] -= 1
            if not self._held[attempt_id]:
                del self._held[attempt_id]


class Allowance:
    """At most so many acts of one attempt in a minute: each leaves a row behind that people see."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since: datetime | None = None
        self._used: Counter[AttemptId] = Counter()

    def take(self, attempt_id: AttemptId, now: datetime) -> None:
        """Count one act. Raise ``LimitReached`` when the minute's are used up."""
        if self._since is None or now - self._since >= MINUTE:
            self._since = now
            self._used.clear()
        if self._used[attempt_id] >= self._most:
            left = self._since + MINUTE - now
            raise LimitReached(f"at most {self._most} of these a minute; send it later", retry_after=left)
        self._used[attempt_id] += 1
