"""RN6: the status comment of a run that ended offers the steps of its cell: exact targets and variants."""

import re

import pytest
from tests.world import World

OFFER = re.compile(r"^- set `([^`]+)` \[(\w+)\]( \(recommended\))?$", re.MULTILINE)
PROVISIONAL = {
    "run:intake": "run:intake:revise revise, run:vision full_flow, run:prd shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer",
    "run:vision": "run:vision:revise revise, run:prd full_or_shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:prd": "run:prd:revise revise, run:arch full_flow, run:design shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:arch": "run:arch:revise revise, run:design full_or_shortened_flow, run:plan very_short_flow,"
    " need:reviewer reviewer, run:rethink rethink",
    "run:plan": "run:plan:revise revise, run:dev all_flows, need:reviewer reviewer, run:rethink rethink",
    "run:ops": "run:ops:revise revise, need:reviewer reviewer, run:rethink rethink, run:doc-audit doc_audit,"
    " run:self-improve self_improve",
    "run:design": "run:design:revise revise, run:plan all_flows, run:dev go_to_dev, need:reviewer reviewer,"
    " run:rethink rethink",
    "run:dev": "run:dev:revise revise, run:qa all_flows, need:reviewer reviewer, run:rethink rethink,"
    " run:doc-audit doc_audit",
    "run:doc-audit": "run:doc-audit:revise revise, run:plan prepare_plan, run:dev go_to_dev, run:qa go_to_qa,"
    " need:reviewer reviewer",
}


def offers(world: World, issue: int | None) -> str:
    """Return the steps that the issue's newest status comment offers."""
    assert issue is not None
    return ", ".join(
        f"{label} {variant}{star}" for label, variant, star in OFFER.findall(world.status_comments(issue)[-1])
    )


@pytest.mark.parametrize("label", PROVISIONAL)
async def test_rn6_a_success_offers_the_steps_of_its_stage(world: World, label: str) -> None:
    run = await world.deliver_result(await world.started(label), {"docs/result.md": "# Result\n"})

    assert run.status == "succeeded"
    assert offers(world, run.issue_number) == PROVISIONAL[label]


async def test_rn6_a_revise_offers_what_its_stage_offers(world: World) -> None:
    first = await world.deliver_result(await world.started("run:vision"), {"docs/result.md": "# Result\n"})
    assert first.issue_number is not None
    await world.trigger(first.issue_number, "run:vision:revise")
    await world.work()
    run = await world.run_of(first.issue_number)
    await world.register(run)
    run = await world.deliver_result(await world.fresh(run), {"docs/more.md": "# More\n"})

    assert (run.kind, run.status) == ("vision_revise", "succeeded")
    assert offers(world, run.issue_number) == PROVISIONAL["run:vision"]


async def test_rn6_after_a_cancellation_the_same_trigger_comes_first(world: World) -> None:
    run = await world.started("run:dev")
    await world.cancel(run)
    await world.work()
    run = await world.fresh(run)

    assert run.status == "cancelled"
    assert offers(world, run.issue_number) == "run:dev retry, run:rethink rethink"
