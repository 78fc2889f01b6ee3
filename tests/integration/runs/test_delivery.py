"""From a label to a pull request over real rows and real git."""

from tests.fakes.git_store import git
from tests.world import World

from stagewright.contexts.runs.model import RunStatus


async def test_a_label_becomes_a_pull_request(world: World) -> None:
    run = await world.started()
    assert run.status is RunStatus.RUNNING
    await world.hand_over(run, {"hello.py": "print('hello')\n"})
    await world.work()
    await world.report(run)
    await world.tick(2)
    await world.tick(2)
    run = await world.run_of(1)
    assert (run.status, run.code, run.detail) == (RunStatus.SUCCEEDED, None, None)
    assert run.pr_number == 2
    head = world.branch("stagewright/issue-1/dev")
    assert head is not None
    assert git(world.remote, "log", "--format=%s", f"{run.base_sha}..{head}") == "Add a greeting"
    assert world.labels(1) == {"state:in-review"}
    assert "state:in-review" in world.labels(2)
    status = [body for body in world.comments(1) if "stagewright:run-status" in body]
    assert len(status) == 1
    assert "succeeded" in status[0]


async def test_every_transition_journals_one_event(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print('hello')\n"})
    await world.work()
    await world.report(run)
    await world.tick(2)
    events = await world.events(run)
    moves = [kind for kind in events if kind in ("run.queued", "run.started", "run.succeeded")]
    assert moves == ["run.queued", "run.started", "run.succeeded"]
    assert events.count("run.finishing") >= 1
