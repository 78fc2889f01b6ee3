"""From an assignment to a handed-over result, with the real scripted engine, real git and real gRPC."""

import json

from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import REPORT, Remote, Run


async def test_the_work_of_the_agent_is_handed_over(run: Run, platform: FakeControlPlane, remote: Remote) -> None:
    assert await run.done() == 0, run.output
    [(header, bundle)] = platform.proposals
    assert json.loads(header.report) == REPORT
    commit = remote.take(bundle)
    assert remote.files_of(commit)["hello.py"] == "print('hi')"
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("completed", "")
    assert platform.kinds() == [
        "run.agent.started",
        "run.agent.ready",
        "run.agent.session.saved",
        "run.result.proposed",
    ]
