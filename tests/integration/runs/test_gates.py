"""RN39: every cell of the gate table refuses at the decision, and fails the run that was decided before it was shut."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.world import POLICY, World

from stagewright.contexts.runs.model import FailureClass, Run, RunStatus


@dataclass(frozen=True)
class Gate:
    """A label on the Issue (or on its pull request) and the reason it shuts with."""

    reason: str
    label: str
    on_pull: bool = False


BLOCKED, ABANDONED = Gate("issue_blocked", "state:blocked"), Gate("issue_abandoned", "state:abandoned")
SUPERSEDED = Gate("issue_superseded", "state:superseded")
INPUT, ROLE = Gate("issue_needs_input", "need:input"), Gate("role_input_required", "need:qa")
GATES = {
    "run:vision": (BLOCKED, ABANDONED, SUPERSEDED, INPUT, ROLE),
    "run:doc-audit": (BLOCKED, ABANDONED, SUPERSEDED, INPUT, ROLE),
    "run:dev:revise": (BLOCKED, ABANDONED, SUPERSEDED, Gate("issue_superseded", "state:superseded", on_pull=True)),
    "need:reviewer": tuple(replace(gate, on_pull=True) for gate in (BLOCKED, ABANDONED, SUPERSEDED)),
    "mode:discussion": (ABANDONED,),
}
"""The cells of section 8 by a label of each class: forward, side, revise, review, discussion; rethink has none."""
LANES = {"need:reviewer": "review", "mode:discussion": "talk"}
HARMLESS = {
    "run:dev:revise": ("need:input", "need:qa", "state:in-review"),
    "run:doc-audit": ("state:in-review",),
    "run:rethink": ("state:blocked", "state:superseded", "state:abandoned", "need:input", "need:qa", "state:in-review"),
    "mode:discussion": ("state:blocked", "state:superseded", "need:input", "need:qa", "state:in-review"),
}
STALE, AN_HOUR = timedelta(seconds=5), timedelta(minutes=61)
ENFORCED = POLICY + "gates: {stage_order: enforce}\n"


async def issue_for(world: World, label: str) -> tuple[int, int]:
    """Return an Issue that ``label`` may start work on, and its pull request (0 without)."""
    if label != "need:reviewer" and not label.endswith(":revise"):
        return world.issue(), 0
    run = await world.deliver_result(await world.started("run:dev"))
    assert run.issue_number is not None
    return run.issue_number, run.pr_number or 0


def shut(world: World, gate: Gate, issue: int, pull: int) -> Callable[[], None]:
    """Put the gate's label on; return how a person takes it off again."""
    thread = pull if gate.on_pull else issue
    world.put_label(thread, gate.label)
    repository = world.repository.forge_repository_id
    return lambda: world.forge.person_unlabels(repository, thread, gate.label, by="ann")


async def refused_before_a_workload(world: World, run: Run, reason: str, launches: int) -> None:
    run = await world.fresh(run)
    assert (run.status, run.failure_class, run.code) == (RunStatus.FAILED, FailureClass.PRECONDITION, reason)
    assert await world.attempts_of(run) == []
    assert len(world.workloads.launches) == launches


@pytest.mark.parametrize("label", GATES)
async def test_rn39_every_gate_refuses_at_the_decision_and_lets_through_when_it_is_opened(
    world: World, label: str
) -> None:
    issue, pull = await issue_for(world, label)
    thread = pull if label == "need:reviewer" else issue
    for gate in GATES[label]:
        before = await world.count_runs()
        open_again = shut(world, gate, issue, pull)
        await world.trigger(thread, label)
        await world.work()

        assert await world.count_runs() == before, gate
        assert any(f"`{gate.reason}`" in comment for comment in world.diagnostics(thread)), gate
        assert label not in world.labels(thread), gate
        open_again()
        world.clock.advance(AN_HOUR)  # a refused label is taken off three times an hour
    await world.trigger(thread, label)
    assert await world.count_runs() == before + 1, "every gate is open"


@pytest.mark.parametrize("label", GATES)
async def test_rn39_every_gate_that_is_shut_after_the_decision_fails_the_run_before_a_workload_exists(
    world: World, label: str
) -> None:
    issue, pull = await issue_for(world, label)
    thread = pull if label == "need:reviewer" else issue
    launches = len(world.workloads.launches)
    for gate in GATES[label]:
        await world.trigger(thread, label)
        run = await world.run_of(issue, LANES.get(label, "work"))
        assert run.status is RunStatus.QUEUED, gate
        open_again = shut(world, gate, issue, pull)
        await world.work()

        await refused_before_a_workload(world, run, gate.reason, launches)
        assert gate.label in world.status_comments(thread)[-1], "the comment names the label"
        open_again()


@pytest.mark.parametrize("label", HARMLESS)
async def test_rn39_what_holds_no_run_of_a_class_back_does_so_neither_at_the_decision_nor_at_the_launch(
    world: World, label: str
) -> None:
    issue, _ = await issue_for(world, label)
    first, *later = HARMLESS[label]
    world.put_label(issue, first)
    await world.trigger(issue, label)
    for other in later:
        world.put_label(issue, other)
    await world.work()

    run = await world.run_of(issue, LANES.get(label, "work"))
    assert run.status is RunStatus.PREPARING
    assert len(await world.attempts_of(run)) == 1


async def test_rn39_a_result_in_review_holds_the_next_stage_back_until_it_is_accepted(world: World) -> None:
    run = await world.deliver_result(await world.started("run:vision"), {"docs/vision.md": "# Vision\n"})
    assert run.issue_number is not None
    repository, issue = world.repository.forge_repository_id, run.issue_number
    await world.trigger(issue, "run:design")
    await world.work()
    assert await world.count_runs() == 1
    assert "`previous_stage_in_review`" in world.diagnostics(issue)[0]

    world.put_label(issue, "state:approved")
    await world.trigger(issue, "run:design")
    queued = await world.run_of(issue)
    world.forge.person_unlabels(repository, issue, "state:approved", by="ann")
    launches = len(world.workloads.launches)
    await world.work()
    await refused_before_a_workload(world, queued, "previous_stage_in_review", launches)

    world.forge.review(repository, run.pr_number or 0, "approved")
    await world.scan()
    await world.work()
    await world.trigger(issue, "run:design")
    await world.work()
    assert (await world.run_of(issue)).status is RunStatus.PREPARING


async def test_rn39_an_enforced_order_of_stages_refuses_and_fails_what_was_decided_before_it_was_enforced(
    world: World,
) -> None:
    first, second = world.issue(), world.issue()
    await world.trigger(first, "run:design")
    world.person.checkout(world.remote, "refs/remotes/forge/main")
    world.person.write(".stagewright/policy.yaml", ENFORCED)
    world.person.commit("stages in order")
    world.person.push(world.remote, "main")
    world.clock.advance(STALE)
    world.show_branches()
    await world.work()
    await refused_before_a_workload(world, await world.run_of(first), "stage_prerequisite_missing", 0)
    assert "intake, prd" in world.status_comments(first)[-1]

    await world.trigger(second, "run:design")
    await world.work()
    assert await world.count_runs() == 1
    assert "`stage_prerequisite_missing`" in world.diagnostics(second)[0]
