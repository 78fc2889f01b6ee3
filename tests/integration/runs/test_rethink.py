"""A rethink decides anew: what the Issue had open is superseded, and its profile is provisional (C7)."""

from datetime import timedelta

from tests import factories
from tests.world import World

from stagewright.contexts.intake import store as intake_rows
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.store import links as link_rows

LABEL = "run:rethink"
DECISION = {"docs/decision.md": "# Start again at the requirements\n"}


async def rethought(world: World, issue: int) -> Run:
    """Put the label on the Issue and hand the decision over."""
    world.clock.advance(timedelta(minutes=1))
    world.put_label(issue, LABEL)
    await world.trigger(issue, LABEL)
    await world.work()
    run = await world.run_of(issue)
    assert run.kind == "rethink"
    await world.register(run)
    return await world.deliver_result(run, DECISION, report=factories.a_report(restart="prd"))


async def links(world: World, issue: int) -> dict[int, str]:
    async with world.db.reading() as reader:
        found = await link_rows.list_of_issue(reader, world.repository.id, issue)
    return {link.pr_number: link.state for link in found}


async def test_a_rethink_supersedes_the_issues_other_open_pull_requests(world: World) -> None:
    before = await world.deliver_result(await world.started(), {"a.py": "A = 2\n"})
    assert before.pr_number is not None
    run = await rethought(world, 1)
    assert (run.status, run.stage) == (RunStatus.SUCCEEDED, None)
    assert run.pr_number is not None
    assert await links(world, 1) == {before.pr_number: "superseded", run.pr_number: "in_review"}
    assert world.labels(before.pr_number) == {"state:superseded"}
    assert world.labels(run.pr_number) == {"state:in-review"}
    assert world.labels(1) == {"state:in-review"}


async def test_after_a_rethink_the_profile_is_provisional_until_somebody_chooses(world: World) -> None:
    await world.deliver_result(await world.started(), {"a.py": "A = 2\n"})
    async with world.db.transaction() as tx:
        await tx.execute("update issue_workflows set source = 'chosen'")
    run = await rethought(world, 1)
    async with world.db.reading() as reader:
        found = await intake_rows.find_profile(reader, world.repository.id, 1)
    assert found is not None
    assert found[1] == "default"
    async with world.db.transaction() as tx:
        await intake_rows.set_profile(
            tx,
            world.repository.id,
            1,
            profile="quick-fix",
            source="restarted",
            stage="plan",
            by="ann",
            now=world.clock.now(),
        )
        assert await intake_rows.find_profile(tx, world.repository.id, 1) == ("quick-fix", "restarted")
    assert run.status is RunStatus.SUCCEEDED


async def test_the_comment_of_a_rethink_offers_the_restarts(world: World) -> None:
    await world.deliver_result(await world.started(), {"a.py": "A = 2\n"})
    await rethought(world, 1)
    await world.work()
    comment = world.status_comments(1)[-1]
    for label in ("run:intake", "run:prd", "run:plan"):
        assert label in comment


async def test_a_documentation_audit_works_on_a_closed_issue(world: World) -> None:
    issue = world.issue()
    world.thread(issue).open = False
    world.put_label(issue, "run:doc-audit")
    await world.deliver("issues", world.labeled(issue, "run:doc-audit"))
    await world.decide()
    await world.work()
    run = await world.run_of(issue)
    await world.register(run)
    run = await world.deliver_result(run, {"docs/audit.md": "# Gaps\n"})
    assert run.status is RunStatus.SUCCEEDED
    assert run.pr_number is not None
