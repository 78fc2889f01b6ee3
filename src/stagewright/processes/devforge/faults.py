"""Faults on request: what the next matching requests meet instead of, before or after being served."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stagewright.kit.errors import Invalid

Kind = Literal["status", "drop_before", "drop_after", "delay", "rate_limit"]
RATE_LIMITS = ("primary", "secondary")
FIELDS = {"method", "path", "times", "status", "after", "drop_before", "drop_after", "delay_ms", "rate_limit"}
KINDS: dict[str, Kind] = {
    "status": "status",
    "drop_before": "drop_before",
    "drop_after": "drop_after",
    "delay_ms": "delay",
    "rate_limit": "rate_limit",
}


@dataclass(kw_only=True)
class Fault:
    """One fault: it meets the next ``times`` requests whose method and path match."""

    kind: Kind
    method: str
    path: re.Pattern[str]
    times: int
    status: int = 500
    after: bool = False
    delay_ms: int = 0
    limit: str = "primary"
    limit_status: int = 403
    retry_after: int | None = None
    reset: int | None = None
    met: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what the control route shows."""
        shown = {"kind": self.kind, "method": self.method, "path": self.path.pattern}
        return shown | {"times_left": self.times, "met": self.met}


class Faults:
    """The faults in force, oldest first; the first that matches is spent."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        """Spend a fault on this request if one matches."""
        for fault in self.active:
            if fault.method in ("*", method) and fault.path.search(path):
                fault.met += 1
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
                return fault
        return None


def parse_fault(wish: Mapping[str, Any]) -> Fault:
    """Read a fault as the control route takes it; a wrong field is named."""
    if unknown := sorted(wish.keys() - FIELDS):
        raise Invalid(f"fault: unknown field {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    wished = [name for name in KINDS if wish.get(name) not in (None, False)]
    if len(wished) != 1:
        raise Invalid(f"fault: exactly one of {', '.join(KINDS)} is needed, got {', '.join(wished) or 'none'}")
    fault = Fault(
        kind=KINDS[wished[0]],
        method=str(wish.get("method", "*")).upper(),
        path=_pattern(wish.get("path", "")),
        times=_whole(wish, "times", 1, least=1),
        status=_whole(wish, "status", 500, least=100),
        after=bool(wish.get("after", False)),
        delay_ms=_whole(wish, "delay_ms", 0, least=0),
    )
    if fault.kind == "rate_limit":
        _parse_limit(fault, wish["rate_limit"])
    return fault


def _parse_limit(fault: Fault, wish: object) -> None:
    if not isinstance(wish, dict) or wish.get("kind") not in RATE_LIMITS:
        raise Invalid('fault: rate_limit takes {"kind": "primary" or "secondary", "status"?, "retry_after"?, "reset"?}')
    fault.limit = wish["kind"]
    fault.limit_status = _whole(wish, "status", 403, least=400)
    fault.retry_after = _whole(wish, "retry_after", 0, least=0) or None
    fault.reset = _whole(wish, "reset", 0, least=0) or None


def _pattern(text: object) -> re.Pattern[str]:
    try:
        return re.compile(str(text))
    except re.error as error:
        raise Invalid(f"fault: path is no regular expression: {error}") from error


def _whole(wish: Mapping[str, Any], name: str, default: int, *, least: int) -> int:
    value = wish.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Invalid(f"fault: {name} must be a whole number of at least {least}, not {value!r}")
    return value
