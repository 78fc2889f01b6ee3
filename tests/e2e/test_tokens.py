"""The three tokens of an attempt: for itself, each at its own door, while it lives.

| requirement | test |
|---|---|
| RN41 | test_tokens_of_one_attempt_open_nothing_of_another, test_a_token_opens_its_own_door_only |
| RN41, RN22 | test_after_the_end_the_token_changes_nothing |
| A8.1 | test_a_token_opens_its_own_door_only |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository

from stagewright.kit.ids import uuid7
from stagewright.wire.v1 import (
    assignment_pb2,
    common_pb2,
    outcome_pb2,
    result_pb2,
    runner_pb2_grpc,
    session_pb2,
    source_pb2,
    stream_pb2,
)

pytestmark = pytest.mark.e2e
DEADLINE = 10.0
Stub = Any


@dataclass(frozen=True)
class Attempt:
    """A live attempt and its token files."""

    id: str
    run_id: str
    generation: int
    tokens: dict[str, str]

    @property
    def claimed(self) -> common_pb2.Attempt:
        """Return how a request names it."""
        return common_pb2.Attempt(attempt_id=self.id, generation=self.generation)


@pytest.fixture
def stub(platform: Platform) -> Iterator[Stub]:
    """Return a client of the workloads' door."""
    with grpc.insecure_channel(platform.controlplane_target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield runner_pb2_grpc.RunnerServiceStub(channel)


def live_attempt(platform: Platform, repository: Repository) -> Attempt:
    """Start a run that hangs and return its attempt."""
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue, "running")
    [row] = repository.attempts(run["id"])
    folder: Path = platform.workload(row) / "tokens"
    tokens = {path.name: path.read_text() for path in folder.iterdir()}
    return Attempt(str(row["id"]), str(run["id"]), row["generation"], tokens)


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Return status and code with which a call was refused; OK when it was not."""
    try:
        result = call()
        if hasattr(result, "__next__"):
            list(result)
    except grpc.RpcError as error:
        told: Any = error.trailing_metadata() or ()
        return error.code(), str(dict(told).get("stagewright-code", ""))
    return grpc.StatusCode.OK, ""


def calls(stub: Stub, named: common_pb2.Attempt, token: str) -> dict[str, Callable[[], Any]]:
    """Return every call of the door, speaking for ``named`` with ``token``."""
    by: dict[str, Any] = {"metadata": (("authorization", f"Bearer {token}"),), "timeout": DEADLINE}
    report = result_pb2.ProposeResultHeader(attempt=named, proposal_no=1, report="{}")
    session = session_pb2.SaveSessionHeader(attempt=named, session=session_pb2.SessionHeader(engine="scripted"))
    hello = stream_pb2.RunnerMessage(attempt=named, hello=stream_pb2.Hello())
    outcome = outcome_pb2.ReportOutcomeRequest(attempt=named, outcome="completed")
    problem = outcome_pb2.ReportProblemRequest(attempt=named, level="error", code="x", text="x")
    return {
        "GetAssignment": lambda: stub.GetAssignment(assignment_pb2.GetAssignmentRequest(attempt=named), **by),
        "GetSource": lambda: stub.GetSource(source_pb2.GetSourceRequest(attempt=named), **by),
        "GetSession": lambda: stub.GetSession(
            session_pb2.GetSessionRequest(attempt=named, session_id=str(uuid7())), **by
        ),
        "SaveSession": lambda: stub.SaveSession(iter([session_pb2.SaveSessionPart(header=session)]), **by),
        "ProposeResult": lambda: stub.ProposeResult(iter([result_pb2.ProposeResultPart(header=report)]), **by),
        "ReportOutcome": lambda: stub.ReportOutcome(outcome, **by),
        "ReportProblem": lambda: stub.ReportProblem(problem, **by),
        "Stream": lambda: stub.Stream(iter([hello]), **by),
    }


def test_tokens_of_one_attempt_open_nothing_of_another(platform: Platform, stub: Stub) -> None:
    repository = platform.repository(rehearsals={"prd": "- write: {path: a.md, content: a}\n- hang\n"})
    mine, other = live_attempt(platform, repository), live_attempt(platform, repository)
    before = platform.rows(LEFT_ALONE, id=other.id)
    for name, call in calls(stub, other.claimed, mine.tokens["run"]).items():
        assert refusal(call) == (grpc.StatusCode.PERMISSION_DENIED, "permission_denied"), name
    session = platform.rows("select id from agent_sessions where attempt_id = %(id)s limit 1", id=other.id)
    wanted = str(session[0]["id"]) if session else str(uuid7())
    foreign = session_pb2.GetSessionRequest(attempt=mine.claimed, session_id=wanted)
    by: dict[str, Any] = {"metadata": (("authorization", f"Bearer {mine.tokens['run']}"),), "timeout": DEADLINE}
    assert refusal(lambda: stub.GetSession(foreign, **by)) == (grpc.StatusCode.PERMISSION_DENIED, "permission_denied")
    wrong_generation = common_pb2.Attempt(attempt_id=mine.id, generation=mine.generation + 1)
    for name, call in calls(stub, wrong_generation, mine.tokens["run"]).items():
        assert refusal(call)[0] is grpc.StatusCode.PERMISSION_DENIED, name
    assert platform.rows(LEFT_ALONE, id=other.id) == before
    told = platform.value(
        "select count(*) from journal where kind = 'incident.opened' and run_id = %(id)s", id=mine.run_id
    )
    assert told >= 1
    for attempt in (mine, other):
        platform.cancel(attempt.run_id)


LEFT_ALONE = """
select a.status, a.outcome, a.stop_requested_at,
    (select count(*) from run_results r where r.attempt_id = a.id) as results,
    (select count(*) from agent_sessions s where s.attempt_id = a.id) as sessions
from attempts a where a.id = %(id)s
"""


def test_a_token_opens_its_own_door_only(platform: Platform, stub: Stub) -> None:
    repository = platform.repository(rehearsals={"prd": "- hang\n"})
    attempt = live_attempt(platform, repository)
    forged = attempt.tokens["run"][:-4] + "AAAA"
    for token in (attempt.tokens["tools"], attempt.tokens["model"], forged, "", platform.token, platform.bot.token):
        for name, call in calls(stub, attempt.claimed, token).items():
            assert refusal(call)[0] is grpc.StatusCode.UNAUTHENTICATED, name
    for token in attempt.tokens.values():
        answer = platform.ask("GET", "/me", token=token)
        assert answer.status_code == 401
    platform.cancel(attempt.run_id)


def test_after_the_end_the_token_changes_nothing(platform: Platform, stub: Stub) -> None:
    repository = platform.repository(rehearsals={"prd": "- hang\n"})
    attempt = live_attempt(platform, repository)
    platform.cancel(attempt.run_id)
    repository.wait_for_quiet()
    before = platform.rows(LEFT_ALONE, id=attempt.id)
    answers = {name: refusal(call) for name, call in calls(stub, attempt.claimed, attempt.tokens["run"]).items()}
    assert set(answers.values()) == {ENDED}, answers
    assert platform.rows(LEFT_ALONE, id=attempt.id) == before


ENDED = (grpc.StatusCode.FAILED_PRECONDITION, "attempt_ended")
