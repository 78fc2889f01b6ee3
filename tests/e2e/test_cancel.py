"""Cancel in every status, asked for at the gateway as a person does.

| requirement | test |
|---|---|
| AD3.6, RN11 | test_a_queued_run_is_cancelled_at_once, test_a_run_is_cancelled_while_it_is_prepared |
| AD3.6, RN11 | test_a_running_agent_is_stopped_and_everything_it_started_with_it |
| AD3.6, RN11 | test_a_run_is_cancelled_before_its_push, test_after_the_push_the_result_stays |
| A7.5 | test_a_running_agent_is_stopped_and_everything_it_started_with_it |
"""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
HANG = """
- run: "sleep 600 >/dev/null 2>&1 & echo $! > pid; setsid sleep 601 >/dev/null 2>&1 & echo $! > other"
- hang
"""
SLOW = """
- write: {path: hello.md, content: hello}
- sleep: 2s
"""
SOME_DELAY = 3000  # ms


def assert_cancelled(repository: Repository, issue: int) -> dict[str, Any]:
    """The run ended cancelled, its comment says so, its label is gone, nothing of it lives, nothing was published."""
    run = repository.wait_for_run(issue)
    assert (run["status"], run["code"]) == ("cancelled", None), repository.platform.describe()
    repository.wait_for_quiet(issue=issue)
    [comment] = repository.status_comments(issue)
    assert "cancelled" in comment
    assert repository.labels(issue) == set()
    assert not [name for name in repository.heads() if name.startswith(f"stagewright/issue-{issue}/")]
    assert repository.pulls_of(issue) == []
    for attempt in repository.attempts(run["id"]):
        assert attempt["status"] == "ended"
    folders = [repository.platform.workload(attempt) for attempt in repository.attempts(run["id"])]
    wait_until(lambda: not any(folder.exists() for folder in folders), "the workloads are removed", 20)
    assert repository.events(run["id"]).count("run.canceled") == 1
    assert len(repository.runs(issue)) == 1
    return run


def test_a_queued_run_is_cancelled_at_once(platform: Platform) -> None:
    repository = platform.repository(policy=platform.policy(limit=1), rehearsals={"prd": "- hang\n"})
    first = repository.start("run:prd")
    running = repository.wait_for_run(first, "running")
    second = repository.start("run:prd")
    queued = repository.wait_for_run(second, "queued")
    status, body = platform.cancel(queued["id"])
    assert (status, body["status"]) == (202, "cancelled"), body
    run = assert_cancelled(repository, second)
    assert run["generation"] == 0
    assert repository.run(first)["status"] == "running"
    assert platform.cancel(running["id"])[0] == 202
    assert_cancelled(repository, first)
    assert platform.ask("POST", f"/runs/{queued['id']}:cancel", {}).status_code == 200


def test_a_run_is_cancelled_while_it_is_prepared(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    path = f"/repos/{repository.full_name}/issues/{issue}/comments"
    platform.forge.control.fault(method="GET", path=path, delay_ms=SOME_DELAY)
    repository.label(issue, "run:prd")
    run = repository.wait_for_run(issue, "preparing")
    assert platform.cancel(run["id"])[0] == 202
    run = assert_cancelled(repository, issue)
    assert run["started_at"] is None
    assert repository.attempts(run["id"]) == [], "it was launched although it had been cancelled"


def test_a_running_agent_is_stopped_and_everything_it_started_with_it(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"dev": HANG})
    issue = repository.start()
    run = repository.wait_for_run(issue, "running")
    [attempt] = repository.attempts(run["id"])
    work = platform.run_dir(run["id"]) / "repo"
    pids = [wait_for_pid(work / name) for name in ("pid", "other")]
    status, body = platform.cancel(run["id"])
    assert (status, body["status"]) == (202, "cancelling"), body
    assert_cancelled(repository, issue)
    assert not [pid for pid in pids if lives(pid)]
    assert not work.exists()
    assert b"rehearsal: hang" in platform.log_of(attempt["id"])


def test_a_run_is_cancelled_before_its_push(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"prd": SLOW})
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue, "running")
    wait_for_turn(repository, run)
    path = f"{repository.full_name}(.git)?/info/refs"
    platform.forge.control.fault(path=path, delay_ms=SOME_DELAY, times=4)
    repository.wait_for_run(issue, "finishing")
    status, body = platform.cancel(run["id"])
    platform.forge.control.ask("DELETE", "/faults")
    assert status == 202, body
    assert_cancelled(repository, issue)


def test_after_the_push_the_result_stays(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    platform.forge.control.fault(method="POST", path=f"/repos/{repository.full_name}/pulls", delay_ms=SOME_DELAY)
    repository.label(issue, "run:prd")

    def pushed() -> bool:
        return any(effect["status"] == "done" for effect in repository.effects(["git.push"]))

    wait_until(pushed, "the branch is pushed", 30, tell=platform.describe)
    status, body = platform.cancel(repository.run(issue)["id"])
    assert (status, body["code"]) == (409, "run_publishing"), body
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    assert len(repository.pulls_of(issue)) == 1


def wait_for_turn(repository: Repository, run: dict[str, Any]) -> None:
    """Wait until the agent's turn has begun: from then on the forge is asked for publishing only."""
    wait_until(lambda: "run.agent.ready" in repository.events(run["id"]), "the agent's turn", 20)


def wait_for_pid(path: Path) -> int:
    """Return the process id that the agent writes into a file."""

    def look() -> int | None:
        text = path.read_text().strip() if path.is_file() else ""
        return int(text) if text else None

    return wait_until(look, f"the agent writes {path.name}", 20)


def lives(pid: int) -> bool:
    """Say whether a process runs; one that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
