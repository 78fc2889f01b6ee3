"""What the forge's answers say of its limits, per installation and bucket."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gidgethub.sansio import RateLimit

from stagewright.contexts.runs.ports import RateReading

CORE = "core"
CONTENT = "content"
KNOWN = ("core", "search")

OnRate = Callable[[str, str, int | None, int | None, datetime | None], None]
"""Called with the installation's key, the bucket, and what remains, the limit and its reset."""


def ignore_rates(*_: object) -> None:
    """Take a reading nobody wants."""


class Rates:
    """The last reading of every bucket, handed on to ``on_rate`` as it comes in."""

    def __init__(self, on_rate: OnRate = ignore_rates) -> None:
        self._on_rate = on_rate
        self._last: dict[str, dict[str, RateReading]] = {}

    def feed(self, key: str, bucket: str, headers: Mapping[str, str]) -> None:
        """Note the headers of one answer. Content is drawn from the core limit, so it gets that reading too."""
        try:
            limit = RateLimit.from_http(headers)
        except (ValueError, OverflowError, OSError):
            limit = None
        if limit is None:
            return
        resource = headers.get("x-ratelimit-resource", CORE)
        told = resource if resource in KNOWN else CORE
        for name in {told, bucket} if bucket == CONTENT else {told}:
            self._last.setdefault(key, {})[name] = RateReading(name, limit.remaining, limit.limit, limit.reset_datetime)
            self._on_rate(key, name, limit.remaining, limit.limit, limit.reset_datetime)

    def of(self, key: str) -> Sequence[RateReading]:
        """Return the last readings of an installation."""
        return tuple(self._last.get(key, {}).values())
