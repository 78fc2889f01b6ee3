"""What the end-to-end tests measured on the way; printed at the end of the session."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from statistics import median
from uuid import UUID

from tests.e2e.repository import Repository


class Figures:
    """Times in seconds by what they are of. Nothing is asserted about them."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._remarks: list[str] = []

    def remember(self, remark: str) -> None:
        """Print ``remark`` with the figures."""
        self._remarks.append(remark)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Measure a block."""
        started = time.monotonic()
        yield
        self._seconds[what].append(time.monotonic() - started)

    def note_phases(self, repository: Repository, run_id: UUID) -> None:
        """Take from the journal how long a run's phases took."""
        rows = repository.platform.rows(
            "select kind, min(at) as at from journal where stream = %(stream)s group by kind", stream=f"run:{run_id}"
        )
        at: dict[str, datetime] = {row["kind"]: row["at"] for row in rows}
        for what, first, last in (
            ("queued to runner registered", "run.queued", "run.started"),
            ("queued to agent started", "run.queued", "run.agent.started"),
            ("queued to turn begun", "run.queued", "run.agent.ready"),
            ("proposal to succeeded", "run.result.proposed", "run.succeeded"),
            ("queued to succeeded", "run.queued", "run.succeeded"),
        ):
            if first in at and last in at:
                self._seconds[what].append((at[last] - at[first]).total_seconds())

    def lines(self) -> list[str]:
        """Return what to print."""
        figures = [
            f"{what}: median {median(found):.2f} s of {len(found)}, from {min(found):.2f} to {max(found):.2f}"
            for what, found in self._seconds.items()
        ]
        return figures + self._remarks
