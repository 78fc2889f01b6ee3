"""`policy matrix`, `policy diff`, `policy test`: what a person reads of a policy that is not in force yet."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.fake_server import FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
PROJECT = "01920000-0000-7000-8000-00000000000a"
START = {"verdict": "start", "reason": None, "kind": "dev", "mode": "code-only", "profile": "feature"}
REFUSED = {"verdict": "refuse", "reason": "issue_blocked", "kind": None, "mode": None, "profile": None}
ROW = {
    "received_at": "2026-05-04T12:00:00+00:00",
    "event": "issues",
    "action": "labeled",
    "thread": 7,
    "label": "run:dev",
    "recorded": START,
    "present": START,
    "proposed": REFUSED,
    "changed": True,
    "reproduced": True,
    "assumed": ["link_state"],
}
TRIED: dict[str, Any] = {
    "replayed": 9,
    "changed": 1,
    "not_reproduced": 2,
    "forgotten": 3,
    "unaffected": 4,
    "more": True,
    "rows": [ROW, ROW | {"changed": False, "reproduced": False, "label": "run:qa"}],
}
DIFF: dict[str, Any] = {
    "changes": [
        {"area": "gates", "subject": "blocked", "kind": "changed", "field": None, "before": "enforce", "after": "off"}
    ],
    "warnings": [{"code": "run_stage_off", "subject": "dev", "count": 2, "met": [4, 5]}],
    "truncated": False,
}
MATRIX = {
    "next_steps": [{"kind": "plan", "steps": ["run:dev [all_flows]"]}],
    "approvals": [
        {"id": "deploy-start", "actions": ["deploy.start"], "kinds": ["deploy"], "roles": [], "env": "production",
         "approval": "owner"}
    ],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return the path of a valid policy."""
    made = tmp_path / "policy.yaml"
    made.write_text("version: 1\n", encoding="utf-8")
    return str(made)


def test_c12_1_a_diff_is_a_table_with_warnings(
    server: FakeServer, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    server.on[("POST", f"/api/v1/projects/{PROJECT}/policy:diff")] = lambda _: Reply(body=DIFF)
    assert main(["policy", "diff", file, "--project", PROJECT]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1].split() == ["gates", "blocked", "changed", "-", "enforce", "off"]
    assert "warning: 2 active runs of dev: they go on, no other can start (4, 5)" in captured.err
    assert server.asked[-1].body == {"text": "version: 1\n"}


def test_c12_2_a_test_names_changed_decisions_and_how_sure_that_is(
    server: FakeServer, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    server.on[("POST", f"/api/v1/projects/{PROJECT}/policy:test")] = lambda _: Reply(body=TRIED)
    assert main(["policy", "test", file, "--project", PROJECT, "--since", "36h"]) == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()[1:]
    assert "start dev code-only feature" in line
    assert "refuse issue_blocked" in line
    assert "assumed link state" in line
    for said in ("9 recorded deliveries decided again, 1 decisions change", "2 were not decided as recorded",
                 "3 could not be tried", "older deliveries were left out"):  # fmt: skip
        assert said in captured.err
    assert server.asked[-1].body["days"] == 2


def test_c12_3_a_file_with_mistakes_is_told_before_anybody_is_asked(
    server: FakeServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nstages: {dev: {role: nobody}}\n", encoding="utf-8")
    assert main(["policy", "test", str(wrong), "--project", PROJECT]) == 1
    assert f"{wrong}:2: /stages/dev/role:" in capsys.readouterr().err
    assert server.asked == []


def test_c12_4_the_matrix_shows_steps_or_approvals(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.on[("GET", f"/api/v1/projects/{PROJECT}/policy")] = lambda _: Reply(body={"matrix": MATRIX})
    assert main(["policy", "matrix", "--project", PROJECT, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == MATRIX["next_steps"]
    assert main(["policy", "matrix", "--project", PROJECT, "--approvals"]) == 0
    assert "deploy-start" in capsys.readouterr().out
