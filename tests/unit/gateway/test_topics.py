"""Which frames a row of the journal makes, as a table."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from stagewright.kit.journal import Entry
from stagewright.processes.gateway.topics import frames_of

RUN = str(uuid4())
AT = datetime(2026, 1, 5, tzinfo=UTC)


def an_entry(kind: str, stream: str, seq: int = 1, **body: Any) -> Entry:
    return Entry(seq, AT, "any", stream, None, None, "c", "system", "x", kind, body)


@pytest.mark.parametrize(
    ("entry", "topics", "expected"),
    [
        (an_entry("run.queued", f"run:{RUN}", id=RUN, version=3), {"runs"}, [("runs", RUN, 3)]),
        (an_entry("run.queued", f"run:{RUN}", id=RUN, version=3), {f"run:{RUN}"}, [(f"run:{RUN}", RUN, 3)]),
        (an_entry("run.queued", f"run:{RUN}", id=RUN, version=3), {"projects", "run:other"}, []),
        (an_entry("run.result.checked", f"run:{RUN}"), {"runs"}, []),
        (an_entry("run.result.checked", f"run:{RUN}"), {f"run:{RUN}"}, [(f"run:{RUN}", "event:1", None)]),
        (an_entry("run.attempt.opened", f"run:{RUN}", id="a1"), {f"run:{RUN}"}, [(f"run:{RUN}", "a1", None)]),
        (an_entry("effect.failed", "repository:1", id="1"), {"repository:1"}, [("repository:1", "event:1", None)]),
        (an_entry("project.changed", "project:1", id="p1", version=2), {"projects"}, [("projects", "p1", 2)]),
        (an_entry("incident.opened", "incident:1", id="i1", version=1), {"incidents"}, [("incidents", "i1", 1)]),
        (an_entry("webhook.received", "thread:1:2"), {"thread:1:2", "runs"}, []),
        (an_entry("of.another.release", f"run:{RUN}"), {f"run:{RUN}"}, [(f"run:{RUN}", "event:1", None)]),
    ],
)
def test_a_row_makes_these_frames(entry: Entry, topics: set[str], expected: list[tuple[str, str, int | None]]) -> None:
    frames = frames_of([entry], frozenset(topics))
    assert [(frame.topic, frame.key, frame.version) for frame in frames] == expected


def test_a_list_topic_keeps_the_last_row_of_a_key_and_a_stream_keeps_all() -> None:
    rows = [an_entry("run.queued", f"run:{RUN}", seq, id=RUN, version=seq) for seq in (1, 2, 3)]
    frames = frames_of(rows, frozenset({"runs", f"run:{RUN}"}))
    assert [frame.id for frame in frames if frame.topic == "runs"] == ["3"]
    assert [frame.id for frame in frames if frame.topic == f"run:{RUN}"] == ["1", "2", "3"]
