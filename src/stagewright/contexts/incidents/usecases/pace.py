"""How fast equal problems are written: more than ten in a second are counted in memory and written once a second.

A storm of errors is no storm of writes, whoever reports: a process's pen, or a use-case inside its own transaction. The
process that puts a pace in force writes what is due.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from stagewright.contexts.incidents import rules
from stagewright.contexts.incidents.model import Level, Report

WINDOW = timedelta(seconds=1)
AT_ONCE = 10
MOST_KINDS = 1000


@dataclass(slots=True)
class _Lately:
    """How often a problem came within the present second, and what is not written yet."""

    since: datetime
    written: int = 0
    held: int = 0
    newest: Report | None = None


class Pace:
    """What one process reported lately."""

    def __init__(self) -> None:
        self._lately: dict[bytes, _Lately] = {}

    def lets(self, report: Report, *, now: datetime) -> bool:
        """Say whether ``report`` is to be written now; otherwise it is counted among what is ``due``."""
        key = rules.fingerprint_of(report)
        lately = self._lately.get(key)
        if lately is None or (not lately.held and now - lately.since >= WINDOW):
            if len(self._lately) >= MOST_KINDS:
                self._forget(now)
            lately = self._lately[key] = _Lately(now)
        if lately.written >= AT_ONCE:
            self._hold(lately, report, 1)
            return False
        lately.written += 1
        return True

    def hold(self, report: Report, times: int, *, now: datetime) -> bool:
        """Count what could not be written among what is ``due``; False when too many kinds are held already."""
        key = rules.fingerprint_of(report)
        if key not in self._lately and len(self._lately) >= MOST_KINDS:
            return False
        self._hold(self._lately.setdefault(key, _Lately(now)), report, times)
        return True

    def due(self, *, now: datetime) -> list[tuple[Report, int]]:
        """Return what was counted, each with how often, and count anew."""
        found = []
        for item in self._lately.values():
            if item.held and item.newest is not None:
                found.append((item.newest, item.held))
                item.since, item.written, item.held, item.newest = now, 0, 0, None
        self._forget(now)
        return found

    def _hold(self, lately: _Lately, report: Report, times: int) -> None:
        """Keep the newest texts at the highest level."""
        known = lately.newest.level if lately.newest else report.level
        lately.newest = replace(report, level=rules.higher(Level(known), Level(report.level)).value)
        lately.held += times

    def _forget(self, now: datetime) -> None:
        """Forget problems whose second is over."""
        over = [key for key, item in self._lately.items() if not item.held and now - item.since >= WINDOW]
        for key in over:
            del self._lately[key]


class _InForce:
    pace: Pace | None = None


_IN_FORCE: Final = _InForce()


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """Put ``pace`` in force in this process, for the block: whoever does writes what is ``due``."""
    before, _IN_FORCE.pace = _IN_FORCE.pace, pace
    try:
        yield
    finally:
        _IN_FORCE.pace = before


def lets(report: Report, *, now: datetime) -> bool:
    """Say whether the pace in force lets ``report`` be written now; without one, everything is."""
    return _IN_FORCE.pace is None or _IN_FORCE.pace.lets(report, now=now)
