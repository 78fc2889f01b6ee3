"""`next`, `run start`, `run revise`: the list, the label diff before a yes, and another look when labels change."""

import json
from typing import Any

import pytest
from tests.integration.cli.fake_server import Asked, FakeServer, Reply

from stagewright.processes.cli import asking
from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
RUN = "01920000-0000-7000-8000-000000000001"
LIST = "/api/v1/issues/acme/shop/7/next-steps"
PREVIEW, EXECUTE = "/api/v1/next-steps/preview", "/api/v1/next-steps/execute"


def a_step(key: str, variant: str, **changes: Any) -> dict[str, Any]:
    return {
        "group": "forward",
        "action_kind": "issue_stage_transition",
        "target_label": {"key": key, "text": key.replace("run:", "ai: ")},
        "variant": variant,
        "title": f"Go on: {key}",
        "recommended": False,
        "profile": None,
        "path": "/next-step?…",
    } | changes


STEPS = {
    "repository_full_name": "acme/shop",
    "issue_number": 7,
    "pull_request_number": 8,
    "profile": None,
    "source_run": {"id": RUN, "number": "run-0041", "kind": "vision", "stage": "vision", "status": "succeeded"},
    "active_run": None,
    "items": [
        a_step("run:vision:revise", "revise", group="revise"),
        a_step("run:prd", "full_or_shortened_flow"),
        a_step("run:prd", "very_short_flow", recommended=True),
        a_step("need:reviewer", "reviewer", group="reviewer", action_kind="pull_request_label_add"),
    ],
    "next_cursor": None,
    "as_of": "2026-05-04T12:00:00Z",
}
SHOWN = {
    "verdict": "start",
    "reason": None,
    "reason_text": None,
    "remedy_text": None,
    "remedy_params": {},
    "conflicting_labels": [],
    "suggested_labels": [],
    "title": "PRD: ai: prd",
    "action_kind": "issue_stage_transition",
    "target_label": {"key": "run:prd", "text": "ai: prd"},
    "thread_number": 7,
    "removed_labels": ["state:in-review"],
    "added_labels": ["ai: prd", "state:approved"],
    "final_labels": ["bug", "ai: prd", "state:approved"],
    "profile_before": {"profile": "feature", "source": "default"},
    "profile_after": {"profile": "feature", "source": "chosen"},
    "accepts_pull_request": 8,
    "run": {
        "kind": "prd",
        "stage": "prd",
        "role": "pm",
        "mode": "code-only",
        "env": "none",
        "skipped_stages": ["intake"],
    },
    "expected_labels_hash": "h1",
}
DONE = SHOWN | {"run_id": RUN, "run_number": "run-0042", "effect_ids": []}


@pytest.fixture(autouse=True)
def steps(server: FakeServer) -> None:
    """Let the server know one issue."""
    server.on[("GET", LIST)] = lambda _: Reply(body=STEPS)
    server.on[("POST", PREVIEW)] = lambda _: Reply(body=SHOWN)
    server.on[("POST", EXECUTE)] = lambda _: Reply(202, DONE)


def asked(server: FakeServer, path: str) -> list[Any]:
    return [one.body for one in server.asked if one.path.partition("?")[0] == path]


def test_the_steps_are_listed_after_the_run_they_follow(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "acme/shop#7"]) == 0
    shown = capsys.readouterr()
    assert "ai: prd" in shown.out
    assert "after run-0041 (vision, succeeded)" in shown.err

    assert main(["next", "https://github.com/acme/shop/pull/7", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == STEPS["items"]
    assert "pull_request=1" in server.asked[-1].path


def test_a_step_is_shown_as_a_label_diff_and_taken_after_a_yes(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["next", "acme/shop#7", "--execute", "ai: prd", "--yes", "--json", "run_id"]) == 0
    shown = capsys.readouterr()
    assert [line.strip() for line in shown.err.splitlines()[:8]] == [
        "acme/shop#7 · PRD: ai: prd",
        "- state:in-review",
        "+ ai: prd",
        "+ state:approved",
        "= bug, ai: prd, state:approved",
        "starts: prd · pm · code-only · none",
        "skips: intake",
        "path: feature (default) → feature (chosen)",
    ]
    assert json.loads(shown.out) == {"run_id": RUN}
    (taken,) = asked(server, EXECUTE)
    assert taken == {
        "repository_full_name": "acme/shop",
        "issue_number": 7,
        "pull_request_number": 8,
        "action_kind": "issue_stage_transition",
        "target_label": "run:prd",
        "display_variant": "very_short_flow",
        "source_run_id": RUN,
        "expected_labels_hash": "h1",
    }


@pytest.mark.parametrize(
    ("command", "target", "variant", "action"),
    [
        (["next", "acme/shop#7", "--execute", "run:prd", "--variant", "full_or_shortened_flow"],
         "run:prd", "full_or_shortened_flow", "issue_stage_transition"),
        (["next", "acme/shop#7", "--execute", "need:reviewer"], "need:reviewer", "reviewer", "pull_request_label_add"),
        (["next", "acme/shop#7", "--execute", "run:ops"], "run:ops", "", "issue_stage_transition"),
        (["run", "start", "acme/shop#7", "--stage", "dev"], "run:dev", "", "issue_stage_transition"),
        (["run", "start", "acme/shop#7", "--stage", "arch", "--variant", "full_flow"],
         "run:arch", "full_flow", "issue_stage_transition"),
        (["run", "revise", "acme/shop#7"], "run:vision:revise", "revise", "issue_stage_transition"),
        (["run", "revise", "acme/shop#7", "--stage", "dev"], "run:dev:revise", "revise", "issue_stage_transition"),
    ],
)  # fmt: skip
def test_what_a_command_asks_for(
    server: FakeServer, command: list[str], target: str, variant: str, action: str
) -> None:
    assert main([*command, "--yes"]) == 0
    (taken,) = asked(server, EXECUTE)
    assert (taken["target_label"], taken["display_variant"], taken["action_kind"]) == (target, variant, action)


def test_without_a_terminal_a_yes_is_a_flag_and_a_dry_run_needs_none(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "start", "acme/shop#7", "--stage", "prd"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["run", "start", "acme/shop#7", "--stage", "prd", "--dry-run", "--json", "verdict,final_labels"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"verdict": "start", "final_labels": SHOWN["final_labels"]}
    assert "nothing was applied" in shown.err
    assert asked(server, EXECUTE) == []


def test_a_refused_step_says_the_rule_and_the_remedy(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    refused = SHOWN | {
        "verdict": "refuse",
        "reason": "issue_blocked",
        "reason_text": "The work is blocked.",
        "remedy_text": "Remove `state:blocked`.",
        "suggested_labels": ["run:rethink"],
        "run": None,
    }
    server.on[("POST", PREVIEW)] = lambda _: Reply(body=refused)
    assert main(["next", "acme/shop#7", "--execute", "run:prd", "--yes"]) == 7
    told = capsys.readouterr().err
    assert "The work is blocked. (issue_blocked)" in told
    assert "Remove `state:blocked`. (run:rethink)" in told
    assert asked(server, EXECUTE) == []


def test_labels_that_change_meanwhile_are_looked_at_again(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = iter(["h1", "h2"])
    server.on[("POST", PREVIEW)] = lambda _: Reply(body=SHOWN | {"expected_labels_hash": next(hashes)})

    def execute(asked: Asked) -> Reply:
        if asked.body["expected_labels_hash"] == "h1":
            return Reply(409, {"code": "labels_changed", "detail": "look again"})
        return Reply(202, DONE)

    server.on[("POST", EXECUTE)] = execute
    assert main(["next", "acme/shop#7", "--execute", "run:prd", "--yes"]) == 0
    assert capsys.readouterr().err.count("this changed since the preview") == 1


def test_an_argument_that_names_no_thread_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "shop-7"]) == 2
    assert "owner/repo#12" in capsys.readouterr().err


def test_an_issue_is_completed_from_the_runs_there_are(server: FakeServer) -> None:
    run = {"id": RUN, "number": "run-0041", "kind": "dev", "stage": "dev", "status": "waiting"}
    rows = [
        run | {"repository": "acme/shop", "issue_number": 7},
        run | {"repository": "acme/shop", "issue_number": None},
    ]
    server.on[("GET", "/api/v1/runs")] = lambda _: Reply(body={"items": rows, "next_cursor": None})
    found = asking.ask("issues", server.url, {"host": server.url, "token": "t"})
    assert found == [("acme/shop#7", "dev · waiting")]
