"""When two problems are the same one, and what a row of them may hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.incidents import rules
from stagewright.contexts.incidents.model import Incident, IncidentState, Level, Seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = UUID(int=1)


def a_fingerprint(message: str = "it broke", **changes: object) -> bytes:
    values = {"source": "test", "code": "broken", "project_id": None, "frame": "contexts.runs.usecases:fail"}
    return rules.fingerprint(message=message, **{**values, **changes})  # type: ignore[arg-type]


def an_incident(**changes: object) -> Incident:
    names = Incident.__dataclass_fields__
    values = dict.fromkeys(names, None) | {
        "id": ID,
        "fingerprint": b"\x01",
        "level": Level.ERROR,
        "source": "test",
        "code": "broken",
        "message": "it broke",
        "details": {},
        "count": 1,
        "first_seen": NOW,
        "last_seen": NOW,
        "reopened_at": NOW,
        "state": IncidentState.OPEN,
        "version": 1,
    }
    return replace(Incident(**values), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("run 1 of 7 failed", "run 22 of 9 failed"),
        (f"no attempt {ID}", f"no attempt {UUID(int=2**127)}"),
        ("commit 0123abcd is gone", "commit fedcba9876 is gone"),
        ("cannot open /var/lib/x/y.log", "cannot open /tmp/z"),
        ("cannot open C:\\data\\x", "cannot open D:\\other\\y"),
        ("no label 'run:dev' here", "no label 'run:qa' here"),
        ('no label "a" here', 'no label "b c" here'),
        ("no label `a` here", "no label `b` here"),
        ("key «redacted» is bad", "key «another» is bad"),
        ("at 0xdeadbeef00", "at 0x1234567"),
    ],
)
def test_what_varies_makes_no_other_problem(one: str, other: str) -> None:
    assert a_fingerprint(one) == a_fingerprint(other)


@pytest.mark.parametrize(
    "changes", [{"source": "x"}, {"code": "x"}, {"project_id": ID}, {"frame": None}, {"message": "it broke badly"}]
)
def test_what_identifies_makes_another_problem(changes: dict[str, object]) -> None:
    assert a_fingerprint(**changes) != a_fingerprint()  # type: ignore[arg-type]


def test_the_own_frame_is_the_innermost_of_ours_without_its_line() -> None:
    own = ("/x/src/stagewright/contexts/runs/store/runs.py", "lock")
    frames = [("/x/src/stagewright/kit/loops/loop.py", "_pass"), own, ("/x/site-packages/psycopg/cursor.py", "execute")]
    assert rules.own_frame(frames) == "contexts.runs.store.runs:lock"
    assert rules.own_frame([("C:\\x\\stagewright\\kit\\db.py", "ring")]) == "kit.db:ring"
    assert rules.own_frame([("/x/site-packages/psycopg/cursor.py", "execute")]) is None


@given(st.text(max_size=5000))
def test_a_message_always_fits_and_loses_nothing_that_does(text: str) -> None:
    cut = rules.cut_message(text)
    assert len(cut) <= rules.MESSAGE_LIMIT
    assert "\0" not in cut
    if len(text) < 1000 and "\0" not in text:
        assert cut == text.encode(errors="replace").decode()


def test_every_text_of_details_is_redacted_names_too() -> None:
    found = rules.redacted({"a secret": ["secret", ("secret", 1)], "n": None}, lambda text: text.replace("secret", "*"))
    assert found == {"a *": ["*", ["*", 1]], "n": None}


@pytest.mark.parametrize(
    ("after", "level", "expected"),
    [
        (timedelta(minutes=59), Level.ERROR, False),
        (timedelta(minutes=60), Level.ERROR, True),
        (timedelta(0), Level.CRITICAL, True),
        (timedelta(0), Level.WARNING, False),
    ],
)
def test_a_recurrence_is_news_after_an_hour_or_when_it_is_worse(after: timedelta, level: Level, expected: bool) -> None:
    assert rules.reopens(an_incident(), level, NOW + after) is expected


def test_the_higher_level_stays() -> None:
    assert rules.higher(Level.CRITICAL, Level.WARNING) is Level.CRITICAL
    assert rules.higher(Level.WARNING, Level.ERROR) is Level.ERROR


def test_viewed_counts_until_it_comes_up_again() -> None:
    later = NOW + timedelta(seconds=1)
    assert not Seen(an_incident(), None).viewed
    assert Seen(an_incident(), NOW).viewed
    assert not Seen(an_incident(reopened_at=later), NOW).viewed
    assert Seen(an_incident(reopened_at=later), later).viewed
