"""The stage track: the state of every stage, and everything that blocks the next one."""

import pytest
from tests.unit.workflow.words import a_link, a_policy, a_thread, a_work_run, a_world

from stagewright.contexts.workflow.api import (
    ProfileSource,
    StageRuns,
    StageState,
    StoredProfile,
    check_gates,
    stage_track,
    what_blocks,
)
from stagewright.contexts.workflow.rules.gates import GateView, shut_gates

POLICY = a_policy()
DONE, AT_WORK, STOPPED = StageRuns(False, True), StageRuns(True, False), StageRuns(False, False)
FEATURE = StoredProfile("feature", ProfileSource.CHOSEN)


def states(profile: str | None, runs: dict[str, StageRuns]) -> dict[str, str]:
    return {item.stage: item.state.value for item in stage_track(profile, runs, POLICY).stages}


@pytest.mark.parametrize(
    ("profile", "runs", "expected", "wanted"),
    [
        (None, {}, {"intake": "next", "vision": "skipped", "prd": "later", "ops": "later"}, "intake"),
        ("quick-fix", {"intake": DONE}, {"intake": "done", "prd": "skipped", "plan": "next", "dev": "later"}, "plan"),
        ("feature", {"intake": DONE, "prd": AT_WORK}, {"prd": "current", "design": "next"}, "design"),
        ("feature", {"intake": DONE, "prd": STOPPED}, {"prd": "stopped", "design": "later"}, "prd"),
        ("feature", {"dev": DONE}, {"intake": "passed_over", "arch": "skipped", "dev": "done", "qa": "next"}, "qa"),
        ("feature", {"dev": StageRuns(True, True)}, {"dev": "current", "qa": "next"}, "qa"),
        ("feature", {"vision": DONE}, {"vision": "done", "intake": "next"}, "intake"),
        ("new-service", {"ops": DONE}, {"ops": "done", "release": "passed_over"}, None),
        ("gone", {"own": DONE}, {"own": "done", "intake": "next"}, "intake"),
    ],
)
def test_every_stage_has_one_state(
    profile: str | None, runs: dict[str, StageRuns], expected: dict[str, str], wanted: str | None
) -> None:
    shown = states(profile, runs)
    assert shown == shown | expected
    assert list(shown)[:11] == list(POLICY.profiles.full_path), "in the order of the full path"
    assert stage_track(profile, runs, POLICY).wanted == wanted


@pytest.mark.parametrize("profile", POLICY.profiles.order)
def test_at_most_one_stage_is_next_and_the_path_is_what_the_profile_says(profile: str) -> None:
    for stage in POLICY.profiles.full_path:
        track = stage_track(profile, {stage: DONE}, POLICY)
        assert sum(item.state is StageState.NEXT for item in track.stages) <= 1
        assert [item.stage for item in track.stages if item.on_path] == list(POLICY.profiles.paths[profile])


def test_a_stage_that_is_switched_off_is_not_the_next() -> None:
    policy = a_policy("stages: {prd: {enabled: false}}")
    assert stage_track("feature", {"intake": DONE}, policy).wanted == "design"


def reasons(stage: str, *labels: str, **changes: object) -> list[str]:
    return [str(item.reason) for item in what_blocks(stage, a_world(*labels, **changes), POLICY)]


@pytest.mark.parametrize(
    ("stage", "labels", "changes", "expected"),
    [
        ("dev", (), {}, []),
        ("dev", ("need:pm", "need:input"), {}, ["issue_needs_input", "role_input_required"]),
        ("dev", ("state:in-review",), {}, ["previous_stage_in_review"]),
        ("dev", ("state:in-review",), {"accepted_result": True}, []),
        ("dev", ("run:plan",), {"active_work_run": a_work_run(kind="plan", label="run:plan")}, ["run_already_active"]),
        ("dev", ("run:plan",), {}, ["issue_trigger_label_conflict"]),
        ("qa", ("state:blocked",), {}, ["issue_trigger_candidate_not_found", "issue_blocked"]),
        ("qa", (), {"links": (a_link("dev"),)}, []),
        ("dev", (), {"links": (a_link("dev"),)}, ["stage_pull_request_open"]),
        ("dev", (), {"thread": a_thread(is_open=False)}, ["issue_closed"]),
        ("dev", (), {"thread": None}, []),
        ("nothing", (), {}, []),
    ],
)
def test_everything_that_blocks_a_stage_is_named(
    stage: str, labels: tuple[str, ...], changes: dict[str, object], expected: list[str]
) -> None:
    assert reasons(stage, *labels, **changes) == expected


def test_the_first_shut_gate_is_the_one_a_decision_names() -> None:
    view = GateView(labels=("state:blocked", "need:input"))
    hits = list(shut_gates(POLICY.kinds["dev"], view, POLICY))
    assert [hit.reason.value for hit in hits] == ["issue_blocked", "issue_needs_input"]
    assert check_gates(POLICY.kinds["dev"], view, POLICY) == hits[0]
