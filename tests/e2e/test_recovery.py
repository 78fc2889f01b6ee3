"""Processes that die in the middle of something. The deaths come first, in one fixture; each test looks at one of them.

| requirement | test |
|---|---|
| RN10 | test_a_worker_killed_while_launching_makes_one_workload |
| RN10 | test_a_worker_killed_while_an_agent_runs_finds_the_run_again |
| RN10 | test_a_worker_killed_while_publishing_publishes_once |
| RN10, A7.4 | test_stale_leases_are_seen_and_told |
| RN22, A8.7 | test_a_killed_runner_is_replaced_and_its_token_is_of_an_old_generation |
| RN23 | test_a_runner_killed_after_it_proposed_publishes_once |
| A8.4 | test_a_run_outlives_its_control_plane |
| A9.3 | test_a_worker_killed_while_an_agent_runs_finds_the_run_again |
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from tests.e2e.platform import Platform, running_platform
from tests.e2e.repository import Repository
from tests.e2e.runners import kill_runner
from tests.e2e.waiting import wait_until

from stagewright.wire.v1 import common_pb2, result_pb2, runner_pb2_grpc

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
SLOW = """
- say: before the break
- sleep: 4s
- write: {path: docs/prd.md, content: done}
- say: after the break
"""
RECOVERED_WITHIN = 150.0  # a dead worker's leases last 60 s, a lost attempt is followed after 30 s


@dataclass
class Storm:
    """What was done to the platform, and the issue it was done to."""

    platform: Platform
    repository: Repository
    issues: dict[str, int] = field(default_factory=dict)
    old_token: str = ""
    old_attempt: dict[str, Any] = field(default_factory=dict)
    answer_to_old: tuple[grpc.StatusCode, str] = (grpc.StatusCode.OK, "")

    def begin(self, name: str) -> int:
        """Start a run and remember its issue under ``name``."""
        self.issues[name] = issue = self.repository.start("run:prd", title=name)
        return issue

    def when(self, name: str, sql: str) -> None:
        """Wait, looking often, until ``sql`` finds something of the issue's run."""

        def look() -> bool:
            return bool(
                self.platform.rows(sql, repository=self.repository.bound.repository_id, issue=self.issues[name])
            )

        wait_until(look, f"the moment of {name!r}", 60, pause=0.005, tell=self.platform.describe)

    def run(self, name: str) -> dict[str, Any]:
        """Return the run of ``name``, which must have succeeded and published once."""
        issue = self.issues[name]
        run = self.repository.run(issue)
        assert (run["status"], run["code"]) == ("succeeded", None), self.platform.describe()
        assert len(self.repository.runs(issue)) == 1
        assert len(self.repository.pulls_of(issue)) == 1
        assert len(self.repository.status_comments(issue)) == 1
        assert self.repository.labels(issue) == {"state:in-review"}
        pushes = [
            effect
            for effect in self.platform.forge.control.effects()
            if effect["event"] == "push" and str(effect["about"]).endswith(f"stagewright/issue-{issue}/prd")
        ]
        assert len(pushes) == 1, pushes
        return run


PROPOSED = """
select 1 from run_results p join attempts a on a.id = p.attempt_id join runs r on r.id = a.run_id
where r.repository_id = %(repository)s and r.issue_number = %(issue)s
"""
RESERVED = """
select 1 from attempts a join runs r on r.id = a.run_id
where r.repository_id = %(repository)s and r.issue_number = %(issue)s and a.status in ('reserved', 'launching')
"""
READY = """
select 1 from journal j join runs r on j.stream = 'run:' || r.id::text
where r.repository_id = %(repository)s and r.issue_number = %(issue)s and j.kind = 'run.agent.ready'
"""


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    """Let everything die once, at its worst moment, and wait until all runs have ended."""
    with running_platform(durable=True) as platform:
        done = Storm(platform, platform.repository(rehearsals={"prd": SLOW}))
        kill_two_runners(done)
        kill_the_control_plane(done)
        kill_the_worker_three_times(done)
        wait_until(lambda: speak_as_old_generation(done), "the second generation", 90, tell=platform.describe)
        for issue in done.issues.values():
            done.repository.wait_for_run(issue, within=RECOVERED_WITHIN)
        done.repository.wait_for_quiet(within=60)
        yield done


def kill_two_runners(storm: Storm) -> None:
    """Kill one runner within its turn, one between its proposal and its outcome."""
    platform = storm.platform
    storm.begin("runner in its turn")
    storm.begin("runner after its proposal")
    storm.when("runner in its turn", READY)
    [storm.old_attempt] = storm.repository.attempts(storm.repository.run(storm.issues["runner in its turn"])["id"])
    workload = platform.workload(storm.old_attempt)
    storm.old_token = (workload / "tokens" / "run").read_text()
    assert kill_runner(workload)
    storm.when("runner after its proposal", PROPOSED)
    [attempt] = storm.repository.attempts(storm.repository.run(storm.issues["runner after its proposal"])["id"])
    assert kill_runner(platform.workload(attempt), with_supervisor=True)


def kill_the_control_plane(storm: Storm) -> None:
    """Kill it while an agent works; it comes back after the agent is through."""
    storm.begin("control plane in a turn")
    storm.when("control plane in a turn", READY)
    storm.platform.kill("controlplane")
    storm.platform.restart("controlplane")


def kill_the_worker_three_times(storm: Storm) -> None:
    """Kill it while launching, while an agent runs (until that has proposed), and while a pull request is opened."""
    platform = storm.platform
    storm.begin("launching")
    storm.when("launching", RESERVED)
    platform.kill("worker")
    platform.restart("worker")
    storm.begin("running")
    storm.when("running", READY)
    platform.kill("worker")
    storm.when("running", PROPOSED)
    platform.restart("worker")
    issue = storm.begin("publishing")
    storm.when("publishing", READY)
    pulls = f"/repos/{storm.repository.full_name}/pulls$"
    platform.forge.control.fault(method="POST", path=pulls, delay_ms=1500, times=9)

    def asked() -> bool:
        heads = [request["body"]["head"] for request in platform.forge.control.requests("POST", pulls)]
        return f"stagewright/issue-{issue}/prd" in heads

    wait_until(asked, "the pull request is asked for", 60, pause=0.01, tell=platform.describe)
    platform.kill("worker")
    platform.forge.control.ask("DELETE", "/faults")
    wait_until(lambda: storm.repository.pulls_of(issue), "the forge opens it all the same", 20)
    platform.restart("worker")


def speak_as_old_generation(storm: Storm) -> bool:
    """Propose a result with the token of the first attempt once the second one is there."""
    attempts = storm.repository.attempts(storm.old_attempt["run_id"])
    if len(attempts) < 2:
        return False
    old = common_pb2.Attempt(attempt_id=str(storm.old_attempt["id"]), generation=1)
    header = result_pb2.ProposeResultHeader(attempt=old, proposal_no=1, report="{}")
    with grpc.insecure_channel(storm.platform.controlplane_target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = runner_pb2_grpc.RunnerServiceStub(channel)
        try:
            parts = iter([result_pb2.ProposeResultPart(header=header)])
            stub.ProposeResult(parts, metadata=(("authorization", f"Bearer {storm.old_token}"),), timeout=10)
        except grpc.RpcError as error:
            told: Any = error.trailing_metadata() or ()
            storm.answer_to_old = error.code(), str(dict(told).get("stagewright-code", ""))
    return True


def test_a_worker_killed_while_launching_makes_one_workload(storm: Storm) -> None:
    run = storm.run("launching")
    assert [attempt["outcome"] for attempt in storm.repository.attempts(run["id"])] == ["completed"]
    assert storm.repository.events(run["id"]).count("run.started") == 1


def test_a_worker_killed_while_an_agent_runs_finds_the_run_again(storm: Storm) -> None:
    run = storm.run("running")
    [attempt] = storm.repository.attempts(run["id"])
    assert attempt["outcome"] == "completed"
    log = storm.platform.log_of(attempt["id"])
    assert log.count(b"before the break") == log.count(b"after the break") == 1


def test_a_worker_killed_while_publishing_publishes_once(storm: Storm) -> None:
    run = storm.run("publishing")
    [effect] = [item for item in storm.repository.effects(["pull_request.open"]) if item["run_id"] == run["id"]]
    assert (effect["status"], effect["tries"]) == ("done", 1)
    opened = storm.platform.forge.control.requests("POST", f"/repos/{storm.repository.full_name}/pulls$")
    heads = [request["body"]["head"] for request in opened]
    assert len(heads) == len(set(heads)), "a pull request was asked for twice"


def test_stale_leases_are_seen_and_told(storm: Storm) -> None:
    kinds = {row["kind"] for row in storm.platform.rows("select distinct kind from journal")}
    assert {"run.lease.detected_stale", "run.lease.released", "run.reclaimed_after_stale_lease"} <= kinds


def test_a_killed_runner_is_replaced_and_its_token_is_of_an_old_generation(storm: Storm) -> None:
    run = storm.run("runner in its turn")
    attempts = storm.repository.attempts(run["id"])
    assert [attempt["generation"] for attempt in attempts] == [1, 2]
    assert [attempt["outcome"] for attempt in attempts] == ["no_outcome", "completed"]
    assert attempts[1]["reason"] == "infrastructure_retry"
    assert storm.answer_to_old == (grpc.StatusCode.FAILED_PRECONDITION, "generation_stale")
    proposals = storm.platform.rows("select * from run_results where attempt_id = %(id)s", id=attempts[0]["id"])
    assert proposals == []
    assert storm.repository.events(run["id"]).count("run.attempt.retried") == 1


def test_a_runner_killed_after_it_proposed_publishes_once(storm: Storm) -> None:
    run = storm.run("runner after its proposal")
    proposals = storm.platform.value(
        "select count(*) from run_results p join attempts a on a.id = p.attempt_id where a.run_id = %(id)s",
        id=run["id"],
    )
    assert proposals == 1
    assert len(storm.repository.attempts(run["id"])) == 1


def test_a_run_outlives_its_control_plane(storm: Storm) -> None:
    run = storm.run("control plane in a turn")
    [attempt] = storm.repository.attempts(run["id"])
    log = storm.platform.log_of(attempt["id"])
    assert log.count(b"before the break") == log.count(b"after the break") == 1
    sequence = storm.platform.rows(
        "select stream, stream_seq from run_logs where attempt_id = %(id)s order by stream, stream_seq",
        id=attempt["id"],
    )
    engine = [row["stream_seq"] for row in sequence if row["stream"] == "engine"]
    assert engine == list(range(1, len(engine) + 1))
