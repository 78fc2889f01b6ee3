"""What waits for an owner, over the real processes: a repair's start, held results, a refusal.

| requirement | test |
|---|---|
| C7.14, RN40 | test_a_repair_starts_after_its_approval_and_its_accepted_result_becomes_a_pull_request |
| RN40 | test_a_change_of_a_protected_path_is_held_and_refused |
"""

from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
REPAIR = '- write: {path: app.py, content: "x = 3\\n"}\n'
WORKFLOW = '- write: {path: .github/x.yml, content: "on: push\\n"}\n'
PATIENCE = 60.0


def asked(repository: Repository, action: str) -> dict[str, Any]:
    """Wait until an owner is asked for ``action``, and return what they are shown."""
    platform, project = repository.platform, repository.bound.project_id

    def look() -> str | None:
        found = platform.ask("GET", f"/approvals?project={project}&action={action}&state=requested").json()["items"]
        return found[0]["id"] if found else None

    request_id = wait_until(look, f"a request for {action}", PATIENCE, tell=platform.describe)
    shown: dict[str, Any] = platform.ask("GET", f"/approvals/{request_id}").json()
    return shown


def approve(platform: Platform, request: dict[str, Any]) -> dict[str, Any]:
    """Approve as the console does: preview, typed name, and the only owner says so."""
    path = f"/approvals/{request['id']}:decide"
    body = {"decision": "approve", "action_hash": request["action_hash"], "acknowledge_sole": request["own"] == "sole"}
    shown = platform.ask("POST", f"{path}?preview=true", body).json()
    typed = {"confirm_token": shown["confirm_token"], "confirm_name": shown["confirm_name"]}
    answer = platform.ask("POST", path, body | typed)
    assert answer.status_code == 200, answer.text
    decided: dict[str, Any] = answer.json()
    return decided


def test_a_repair_starts_after_its_approval_and_its_accepted_result_becomes_a_pull_request(platform: Platform) -> None:
    policy = platform.policy() + "special: {ai_repair: {model: rehearsal}}\n"
    repository = platform.repository(policy=policy, rehearsals={"ai-repair": REPAIR}, files={"app.py": "x = 1\n"})
    before = repository.heads()
    issue = repository.start("run:ai-repair")
    start = asked(repository, "run.start")
    assert (start["typed_confirm"], start["own"], start["row"]) == (True, "sole", "repair-start")
    run_id = start["run_id"]
    assert platform.rows("select 1 from attempts where run_id = %(r)s", r=run_id) == []
    waits = platform.ask("GET", f"/waits?project={repository.bound.project_id}").json()["items"]
    assert [(item["kind"], item["approval_id"]) for item in waits] == [("approval", start["id"])]
    assert approve(platform, start)["acknowledged_sole"] is True

    held = asked(repository, "result.publish")
    assert repository.heads() == before
    diff = platform.ask("GET", f"/runs/{run_id}/result/diff").json()
    assert "+x = 3" in diff["diff"]
    tree = next(line["value"] for line in held["display"] if line["label"] == "tree")
    assert diff["tree_sha"] == tree
    assert approve(platform, held)["state"] == "approved"
    run = repository.wait_for_run(issue)
    assert (run["status"], run["code"]) == ("succeeded", None), platform.describe()
    repository.wait_for_quiet(issue=issue)
    [pull] = repository.pulls()
    assert pull["number"] == run["pr_number"]
    assert repository.labels(issue) == {"state:in-review"}
    states = platform.rows("select action, state from requests where run_id = %(r)s order by opened_at", r=run_id)
    assert [(row["action"], row["state"]) for row in states] == [
        ("run.start", "applied"),
        ("result.publish", "applied"),
    ]


def test_a_change_of_a_protected_path_is_held_and_refused(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"dev": WORKFLOW})
    before = repository.heads()
    issue = repository.start()
    held = asked(repository, "result.publish")
    assert [line["value"] for line in held["display"] if line["label"] == "protected_path"] == [".github/x.yml"]
    body = {"decision": "deny", "action_hash": held["action_hash"], "reason": "not by an agent"}
    body |= {"acknowledge_sole": held["own"] == "sole"}
    assert platform.ask("POST", f"/approvals/{held['id']}:decide", body).status_code == 200
    run = repository.wait_for_run(issue)
    assert (run["status"], run["failure_class"], run["code"]) == ("failed", "policy", "owner_rejected")
    repository.wait_for_quiet(issue=issue)
    assert repository.heads() == before
    assert repository.pulls() == []
    [comment] = repository.status_comments(issue)
    assert "not by an agent" in comment
