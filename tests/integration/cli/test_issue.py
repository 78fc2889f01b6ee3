"""`issue view`: the track a person reads, and the ways to name an issue."""

import json
from typing import Any

import pytest
from tests.integration.cli.fake_server import Asked, FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
SHA = "c" * 40
RUN = {
    "id": "01920000-0000-7000-8000-000000000001",
    "number": "run-0001",
    "kind": "plan",
    "status": "succeeded",
    "waits_for": None,
    "code": None,
    "repository": "acme/shop",
    "issue_number": 7,
}


def a_stage(name: str, state: str, **changes: Any) -> dict[str, Any]:
    empty = {"runs": [], "pulls": [], "documents": [], "active_seconds": 0, "label": f"run:{name}"}
    return {"stage": name, "state": state, **empty, **changes}


LINEAGE: dict[str, Any] = {
    "repository": {"full_name": "acme/shop"},
    "number": 7,
    "url": "https://forge.test/acme/shop/issues/7",
    "state": "open",
    "profile": {"profile": "feature", "source": "chosen", "provisional": False, "path": ["plan", "dev"]},
    "labels": [{"text": "state:in-review"}],
    "candidate": None,
    "track": [
        a_stage("vision", "skipped"),
        a_stage(
            "plan",
            "done",
            runs=[RUN],
            pulls=[{"pr_number": 8, "state": "in_review", "head_sha": SHA, "url": "u", "foreign_push": False}],
            documents=[
                {"path": f"docs/{n}.md", "status": "added", "run_number": "run-0001", "pr_number": 8, "commit_sha": SHA}
                for n in range(7)
            ],
            active_seconds=90,
        ),
        a_stage("dev", "next"),
    ],
    "side_runs": [RUN | {"kind": "doc_audit", "status": "waiting", "waits_for": "question"}],
    "wanted_stage": "dev",
    "blocked_by": [{"reason": "previous_stage_in_review", "text": "It waits for review.", "remedy": "Approve #8."}],
    "next_steps": [{"text": "Go on: `run:dev`"}],
}  # fmt: skip


def lineage(server: FakeServer) -> None:
    server.on[("GET", "/api/v1/issues/acme/shop/7")] = lambda _: Reply(body=LINEAGE)
    server.on[("GET", f"/api/v1/runs/{RUN['id']}")] = lambda _: Reply(body=RUN)


def test_c10_5_the_track_is_drawn_in_text(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    lineage(server)
    assert main(["issue", "view", "acme/shop#7"]) == 0
    out = capsys.readouterr().out

    assert "feature (plan > dev, chosen)" in out
    assert " -  vision       skipped" in out
    assert "[x] plan         done  in 1m30s" in out or "[x] plan         done  in 1m" in out
    assert "run-0001 plan succeeded" in out
    assert "PR #8 in_review at cccccccccc: u" in out
    assert "docs/0.md (added by run-0001, PR #8, cccccccccc)" in out
    assert "and 2 more documents" in out
    assert "[ ] dev          next  <- run:dev" in out
    assert "run-0001 doc_audit waiting: question" in out
    assert "dev cannot start now:\n  previous_stage_in_review: It waits for review.\n      Approve #8." in out
    assert "Next:\n  Go on: `run:dev`" in out


@pytest.mark.parametrize(
    "name",
    [
        "https://github.com/acme/shop/issues/7",
        "https://github.com/acme/shop/pull/7",
        "https://stagewright.example/i/acme/shop/7",
        RUN["id"],
    ],
)
def test_c10_5_an_issue_is_named_by_address_or_by_a_run_of_it(
    server: FakeServer, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    lineage(server)
    assert main(["issue", "view", name, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == LINEAGE


def test_c10_5_a_run_of_no_issue_and_an_unknown_issue_are_said(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def alone(asked: Asked) -> Reply:
        return Reply(body=RUN | {"issue_number": None, "pr_number": None})

    server.on[("GET", f"/api/v1/runs/{RUN['id']}")] = alone
    assert main(["issue", "view", str(RUN["id"])]) == 6
    assert "run-0001 belongs to no issue" in capsys.readouterr().err
    server.answers = [Reply(404, {"detail": "nothing is known of it", "code": "issue.not_found"})]
    assert main(["issue", "view", "acme/shop#99"]) == 6
