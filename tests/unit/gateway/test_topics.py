"""Which frames a row of the journal makes, as a table."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.identity.api import Caller, Permission, PlatformRole, Principal, Scope, User
from stagewright.kit.journal import Entry, Event
from stagewright.processes.gateway.realtime.frames import Scribe, line_of
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.topics import frames_of

RUN = str(uuid4())
AT = datetime(2026, 1, 5, tzinfo=UTC)


def an_entry(kind: str, stream: str, seq: int = 1, **body: Any) -> Entry:
    return Entry(seq, AT, "any", stream, None, None, "c", "system", "x", kind, body)


PROJECT, REPOSITORY, USER = str(uuid4()), str(uuid4()), str(uuid4())
WAIT = {"id": "w1", "run_id": RUN, "kind": "rate_limit", "status": "open"}
OF_ISSUE: dict[str, Any] = {
    "id": RUN,
    "version": 3,
    "status": "running",
    "repository_id": REPOSITORY,
    "issue_number": 7,
}
Expected = list[tuple[str, str, int | None]]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            an_entry("run.queued", f"run:{RUN}", id=RUN, version=3),
            [("runs", RUN, 3), (f"run:{RUN}", RUN, 3)],
        ),
        (
            an_entry("run.started", f"run:{RUN}", **OF_ISSUE),
            [("runs", RUN, 3), (f"run:{RUN}", RUN, 3), (f"issue:{REPOSITORY}#7", RUN, 3)],
        ),
        (
            an_entry("run.pr.updated", f"run:{RUN}", pr_number=7),
            [("runs", "event:1", None), (f"run:{RUN}", "event:1", None)],
        ),
        (an_entry("run.result.checked", f"run:{RUN}"), [(f"run:{RUN}", "event:1", None)]),
        (
            an_entry("run.pr.updated", f"run:{RUN}", repository_id=REPOSITORY, issue_number=7, pr_number=9),
            [("runs", "event:1", None), (f"run:{RUN}", "event:1", None), (f"issue:{REPOSITORY}#7", "event:1", None)],
        ),
        (an_entry("run.attempt.opened", f"run:{RUN}", id="a1"), [(f"run:{RUN}", "a1", None)]),
        (an_entry("effect.failed", "repository:1", id="1"), [("repository:1", "event:1", None)]),
        (an_entry("project.changed", "project:1", id="p1", version=2), [("projects", "p1", 2)]),
        (
            an_entry("repository.labels_synced", "repository:1", id="r1", version=2),
            [("projects", "r1", 2), ("labels", "r1", 2), ("repository:1", "r1", 2)],
        ),
        (an_entry("incident.opened", "incident:1", id="i1", version=1), [("incidents", "i1", 1)]),
        (an_entry("webhook.received", "thread:1:2"), [("issue:1#2", "event:1", None)]),
        (
            an_entry("policy.changed", "repository:1"),
            [("agents", "event:1", None), ("labels", "event:1", None), ("repository:1", "event:1", None)],
        ),
        (
            an_entry("access.changed", f"user:{USER}", id=USER, version=4),
            [("users", USER, 4), (f"inbox:{USER}", USER, 4)],
        ),
        (an_entry("token.created", f"user:{USER}", id="t1"), [(f"inbox:{USER}", "event:1", None)]),
        (an_entry("member.added", f"project:{PROJECT}", user_id=USER), [("members:None", "event:1", None)]),
        (an_entry("audit.read", "audit"), []),
        (an_entry("of.another.release", f"run:{RUN}"), [(f"run:{RUN}", "event:1", None)]),
    ],
)
def test_a_row_makes_these_frames(entry: Entry, expected: Expected) -> None:
    frames = frames_of(entry)
    assert [(frame.route, frame.key, frame.version) for frame in frames if frame.route != "audit"] == expected
    assert [frame.route for frame in frames].count("audit") == 1


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("run.wait.paused", {"wait": WAIT, "status": "waiting"}, ("w1", 3, "open")),
        ("run.wait.paused", {"wait": None, "waits": [WAIT], "status": "waiting"}, ("w1", 3, "open")),
        ("run.wait.resumed", {"wait": WAIT | {"status": "resolved"}, "status": "queued"}, ("w1", 3, "resolved")),
        ("run.canceled", {"status": "cancelled"}, (f"run:{RUN}", 3, "closed")),
        ("run.failed", {"status": "failed"}, (f"run:{RUN}", 3, "closed")),
        ("run.started", {"status": "running"}, None),
    ],
)
def test_waits_follow_the_moves_of_their_runs(kind: str, body: dict[str, Any], expected: object) -> None:
    row = an_entry(kind, f"run:{RUN}", id=RUN, version=3, number="run-0001", project_id=PROJECT, **body)
    waits = [frame for frame in frames_of(row) if frame.route == "waits"]
    assert [(frame.key, frame.version, frame.data["status"]) for frame in waits] == ([expected] if expected else [])


@pytest.mark.parametrize("topic", ["settings", "system"])
def test_what_is_written_for_the_installation_reaches_its_topic(topic: str) -> None:
    row = replace(an_entry("of.another.release", "limits:1"), topic=topic)
    assert topic in [frame.route for frame in frames_of(row)]


def test_of_lists_only_versions_count_and_of_streams_every_row() -> None:
    frames = frames_of(an_entry("run.queued", f"run:{RUN}", id=RUN, version=1))
    assert {frame.route: frame.in_list for frame in frames} == {"runs": True, f"run:{RUN}": False, "audit": False}


BODIES = st.dictionaries(
    st.sampled_from(["id", "status", "version", "wait", "number", "issue_number", "repository_id", "user_id", "kind"]),
    st.none() | st.integers() | st.text(max_size=5) | st.dictionaries(st.sampled_from(["id", "kind"]), st.integers()),
)


@given(st.sampled_from([*sorted(Event.registry), "of.another.release"]), st.text(max_size=20), BODIES)
def test_no_row_of_any_release_stops_the_feed(kind: str, stream: str, body: dict[str, Any]) -> None:
    values: dict[str, Any] = dict.fromkeys(User.__dataclass_fields__) | {"role": PlatformRole.OWNER}
    user = User(**values)
    principal = Principal(user, frozenset(Scope), (), "session", AT)
    rights = Rights(Caller(principal, Permission.SIGNED_IN))
    row = replace(an_entry(kind, stream), project_id=uuid4(), body=body)
    for piece in line_of(row).pieces:
        text = Scribe().frame(piece, piece.frame.route, rights)
        assert json.loads(text)["id"] == "1"
