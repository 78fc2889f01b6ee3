"""Frames: what an event carries and every reader may see."""

from datetime import timedelta, timezone

from tests.unit.runs.words import NOW, RUN_ID, a_run, a_wait, an_attempt

from stagewright.contexts.runs.model import FailureClass, RunStatus
from stagewright.contexts.runs.rules.frames import attempt_frame, iso, run_frame, shown_number, wait_frame
from stagewright.kit.journal import canonical


def test_times_are_told_in_utc_with_milliseconds() -> None:
    assert iso(None) is None
    assert iso(NOW) == "2026-01-05T12:00:00.000Z"
    assert iso(NOW.astimezone(timezone(timedelta(hours=3)))) == "2026-01-05T12:00:00.000Z"


def test_numbers_as_people_see_them() -> None:
    assert [shown_number(number) for number in (7, 42, 12345)] == ["run-0007", "run-0042", "run-12345"]


def test_a_runs_frame_holds_plain_values_only() -> None:
    run = a_run(
        status=RunStatus.FAILED,
        failure_class=FailureClass.AGENT,
        code="engine_error",
        revises_run_id=RUN_ID,
        notes=("a",),
    )
    frame = run_frame(run)
    canonical(frame)
    assert (frame["status"], frame["failure_class"], frame["number"]) == ("failed", "agent", "run-0042")
    assert frame["revises_run_id"] == str(RUN_ID)
    assert "world" not in frame
    assert "claimed_by" not in frame


def test_the_frames_of_attempts_and_waits_hold_plain_values_only() -> None:
    canonical(attempt_frame(an_attempt(started_at=NOW)))
    frame = wait_frame(a_wait(resume_at=NOW))
    canonical(frame)
    assert (frame["kind"], frame["cost"], frame["resume_at"]) == ("question", 0, "2026-01-05T12:00:00.000Z")
