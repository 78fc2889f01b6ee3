"""From a label to a pull request over real rows and real git."""

from tests.fakes.git_store import git
from tests.world import World

from stagewright.contexts.runs.model import RunStatus


async def test_a_label_becomes_a_pull_request(world: World) -> None:
    run = await world.started()
    assert run.status is RunStatus.RUNNING
    run = await world.deliver_result(run, {"hello.py": "print('hello')\n"})
    assert (run.status, run.code, run.detail) == (RunStatus.SUCCEEDED, None, None)
    assert run.pr_number == 2
    head = world.branch("stagewright/issue-1/dev")
    assert head is not None
    assert git(world.remote, "log", "--format=%s", f"{run.base_sha}..{head}") == "Add a greeting"
    assert f"Stagewright-Run: {run.id}" in git(world.remote, "log", "-1", "--format=%B", head)
    assert world.labels(1) == {"state:in-review"}
    assert world.labels(2) == {"state:in-review"}
    assert world.thread(1).reactions == [("stagewright-bot", "eyes")]
    (status,) = world.status_comments(1)
    assert "succeeded" in status
    assert "[#2]" in status


async def test_the_pull_request_says_what_was_done_and_closes_its_issue(world: World) -> None:
    run = await world.deliver_result(await world.started())
    (pull,) = world.pull_requests()
    assert pull.title == "#1 dev: Add a greeting"
    assert "Added hello.py." in pull.body
    assert f"run-{run.number:04d}" in pull.body
    assert pull.body.rstrip().endswith("Closes #1")


async def test_every_transition_journals_one_event(world: World) -> None:
    run = await world.deliver_result(await world.started())
    events = await world.events(run)
    moves = [kind for kind in events if kind in ("run.queued", "run.started", "run.succeeded")]
    assert moves == ["run.queued", "run.started", "run.succeeded"]
    assert events.count("run.pr.created") == 1
    assert events.index("run.finishing") < events.index("run.pr.created") < events.index("run.succeeded")
