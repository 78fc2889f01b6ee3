"""Time as a port, so that a test can hold it still."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the program asks of time."""

    def now(self) -> datetime:
        """Return the present as an aware datetime in UTC."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return after ``duration``; negative durations return at once."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present as an aware datetime in UTC."""
        return datetime.now(UTC)

    async def sleep(self, duration: timedelta) -> None:
        """Return after ``duration``; negative durations return at once."""
        await asyncio.sleep(max(0.0, duration.total_seconds()))
