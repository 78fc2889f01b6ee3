"""Durations and times as arguments: ``90s 30m 2h 1d``, or RFC 3339."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """Read a duration; raise ``ValueError`` with the form."""
    found = DURATION.fullmatch(text.strip())
    if not text.strip() or found is None:
        raise ValueError(f"{text!r} is no duration; write for example 90s, 30m, 2h or 1d")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 0 < total <= LONGEST.total_seconds():
        raise ValueError(f"{text!r} is out of range; at most {LONGEST.days}d")
    return timedelta(seconds=total)


class Duration(click.ParamType[timedelta]):
    """An option that is a duration."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the option."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[str]):
    """An option that is a time, or a duration ago; handed on as RFC 3339."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the option."""
        try:
            return (datetime.now(UTC) - parse_duration(str(value))).isoformat()
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a duration (2h, 1d) nor a time (2026-01-31T12:00:00Z)", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
