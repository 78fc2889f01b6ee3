"""A merge that closes an Issue ends its runs whoever merged; who closes the Issue later has to be permitted."""

from datetime import timedelta

import pytest
from tests.integration.intake.test_links import close, link_of, payload, told
from tests.world import World

from stagewright.contexts.runs.model import Run, RunStatus

STRANGER = "eve"


async def busy(world: World, label: str = "run:dev") -> tuple[Run, int]:
    """Return an active run on an Issue, and the open pull request of an earlier one there."""
    world.forge.set_role(world.repository.forge_repository_id, STRANGER, "write")
    done = await world.deliver_result(await world.started(label), {"docs/new.md": "text\n"})
    assert done.issue_number is not None
    assert done.pr_number is not None
    await world.trigger(done.issue_number, "run:doc-audit")
    await world.work()
    return await world.run_of(done.issue_number), done.pr_number


async def close_issue(world: World, issue: int) -> None:
    world.forge.close(world.repository.forge_repository_id, issue, by=STRANGER)
    what = world.labeled(issue, "x", by=STRANGER, action="closed")
    del what["label"]
    await told(world, what, "issues", delivery_id="closed")
    await world.work()


@pytest.mark.parametrize(
    ("later", "label", "status"),
    [
        (timedelta(seconds=2), "run:dev", RunStatus.CANCELLED),
        (timedelta(minutes=10), "run:dev", RunStatus.PREPARING),
        (timedelta(hours=3), "run:dev", RunStatus.PREPARING),
        (timedelta(seconds=2), "run:vision", RunStatus.PREPARING),
    ],
    ids=["by the merge", "minutes later", "hours later", "of a stage that closes nothing"],
)
@pytest.mark.parametrize("merge_is_told", [True, False], ids=["merge told", "merge not told"])
async def test_only_the_merge_that_closes_an_issue_stands_for_its_closer(
    world: World, later: timedelta, label: str, status: RunStatus, merge_is_told: bool
) -> None:
    run, number = await busy(world, label)
    close(world, number, merged=True)
    if merge_is_told:
        await told(world, payload(world, number, "closed", by=STRANGER), delivery_id="merged")
    world.clock.advance(later)
    await close_issue(world, run.issue_number or 0)

    assert (await world.fresh(run)).status is status
    assert (await link_of(world, number))["merged_at"] is not None


async def test_a_closing_reference_counts_where_the_stage_closes_nothing(world: World) -> None:
    run, number = await busy(world, "run:vision")
    world.thread(number).body += f"\nCloses #{run.issue_number}"
    close(world, number, merged=True)
    await told(world, payload(world, number, "closed", by=STRANGER), delivery_id="merged")
    await close_issue(world, run.issue_number or 0)

    assert (await world.fresh(run)).status is RunStatus.CANCELLED
