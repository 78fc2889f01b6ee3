"""What a person ends on the forge ends here: by a delivery, or by the scan when no delivery came."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.integration.intake.test_links import MOMENT, close, payload, reviewed, told
from tests.world import World

from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.reconcile import checks, effects, finish

REPAIRS = [pytest.param(True, id="delivered"), pytest.param(False, id="found by the scan")]
Act = Callable[[World, Run, str], Awaitable[dict[str, Any]]]


async def close_issue(world: World, run: Run, by: str) -> dict[str, Any]:
    world.forge.close(world.repository.forge_repository_id, run.issue_number or 0, by=by)
    return _without_label(world, run, "closed", by)


async def abandon(world: World, run: Run, by: str) -> dict[str, Any]:
    world.put_label(run.issue_number or 0, "state:abandoned", by=by)
    return world.labeled(run.issue_number or 0, "state:abandoned", by=by)


async def take_label_off(world: World, run: Run, by: str) -> dict[str, Any]:
    world.forge.person_unlabels(world.repository.forge_repository_id, run.issue_number or 0, "run:dev", by=by)
    return world.labeled(run.issue_number or 0, "run:dev", by=by, action="unlabeled")


def _without_label(world: World, run: Run, action: str, by: str) -> dict[str, Any]:
    made = world.labeled(run.issue_number or 0, "x", by=by, action=action)
    del made["label"]
    return made


ACTS = [
    pytest.param(close_issue, "issue_closed", id="closed"),
    pytest.param(abandon, "issue_closed", id="abandoned"),
    pytest.param(take_label_off, "label_removed", id="unlabeled"),
]


async def learn(world: World, what: dict[str, Any], *, delivered: bool) -> None:
    """Let the platform learn of an act: by its webhook, or by the scan alone."""
    if delivered:
        await told(world, what, "issues")
    else:
        await world.scan()


@pytest.mark.parametrize("delivered", REPAIRS)
@pytest.mark.parametrize(("act", "cause"), ACTS)
async def test_a_person_ends_a_run_on_the_forge(world: World, act: Act, cause: str, delivered: bool) -> None:
    run = await world.started()
    world.clock.advance(MOMENT)
    await learn(world, await act(world, run, "ann"), delivered=delivered)
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.CANCELLED
    (asked,) = [body for kind, body in await world.journal() if kind == "run.cancel.requested"]
    assert asked["cause"] == cause


@pytest.mark.parametrize("delivered", REPAIRS)
@pytest.mark.parametrize(("act", "cause"), ACTS)
async def test_a_stranger_ends_nothing(world: World, act: Act, cause: str, delivered: bool) -> None:
    run = await world.started()
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    world.clock.advance(MOMENT)
    await learn(world, await act(world, run, "eve"), delivered=delivered)
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.RUNNING
    reasons = [body["reason"] for kind, body in await world.journal() if kind == "webhook.ignored"]
    assert reasons == ["cleanup_sender_not_permitted"], cause


@pytest.mark.parametrize("delivered", REPAIRS)
async def test_rn35_the_trigger_label_taken_off_by_the_platform_ends_nothing(world: World, delivered: bool) -> None:
    run = await world.started()
    assert run.issue_number is not None
    async with world.db.transaction() as tx:
        now = world.clock.now()
        await runs.change_labels(tx, run.repository_id, run.issue_number, cause="test", remove=["run:dev"], now=now)
    await world.work()
    assert "run:dev" not in world.labels(run.issue_number)
    bot = world.forge.bot_account.login
    await learn(world, world.labeled(run.issue_number, "run:dev", by=bot, action="unlabeled"), delivered=delivered)
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.RUNNING
    reasons = [body["reason"] for kind, body in await world.journal() if kind == "webhook.ignored"]
    assert reasons == ["own_label_change"]


@pytest.mark.parametrize("delivered", REPAIRS)
async def test_the_end_of_a_pull_request_ends_its_revise_and_no_other_work(world: World, delivered: bool) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await world.trigger(run.issue_number, "run:vision:revise")
    await world.work()
    revise = await world.run_of(run.issue_number)
    assert (revise.kind, revise.pr_number) == ("vision_revise", number)
    close(world, number)
    if delivered:
        await told(world, payload(world, number, "closed"))
    else:
        await world.scan()
    await world.work()

    assert (await world.fresh(revise)).status is RunStatus.CANCELLED


async def test_a_result_that_is_being_published_is_not_called_back(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.report(run)
    await checks.check_proposals(world.outside)
    await finish.finish_accepted(world.outside)
    await effects.perform_reserved(world.outside)  # the push was sent
    world.show_branches()
    await learn(world, await close_issue(world, run, "ann"), delivered=True)
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED
