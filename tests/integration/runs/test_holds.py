"""What only an owner may accept is held, and published exactly as it was shown (RN40)."""

from datetime import timedelta

import pytest
from tests.world import POLICY, World

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals.reconcile import expire_requests
from stagewright.contexts.approvals.usecases import ending
from stagewright.contexts.runs.model import Run, RunStatus, WaitKind
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store import results as result_rows

PUBLISH = "result.publish"
HELD_FILE = {".github/workflows/ci.yml": "on: push\n"}
LOOSER = POLICY + "protected_paths:\n  - {path: '.github/**', rule: owner_review}\n"
State = approvals.RequestState


async def held(world: World) -> Run:
    run = await world.deliver_result(await world.started(), HELD_FILE)
    assert run.status is RunStatus.WAITING
    return run


async def test_rn40_a_protected_path_waits_for_an_owner_and_exactly_the_shown_tree_is_published(world: World) -> None:
    run = await held(world)
    (wait,) = await world.waits_of(run)
    asked = await world.asked(run, PUBLISH)
    assert (wait.kind, wait.target_kind, wait.target_id) == (WaitKind.OWNER_REVIEW, PUBLISH, str(asked.id))
    assert (wait.who_can_act, wait.deadline_at) == ("approval.decide_owner", asked.expires_at)
    assert "run.result.held" in await world.events(run)
    assert world.branch("stagewright/issue-1/dev") is None
    async with world.db.reading() as reader:
        diff = await diff_rows.find_newest(reader, run.id, None)
        proposal = await result_rows.find_accepted(reader, run.id)
    assert diff is not None
    assert b"ci.yml" in diff.diff
    assert proposal is not None
    assert f'"tree":"{proposal.tree_sha}"'.encode() in asked.body
    await world.answer(asked, approve=True)
    await world.work()
    run = await world.fresh(run)
    assert run.status is RunStatus.SUCCEEDED
    pushed = world.branch("stagewright/issue-1/dev")
    assert pushed is not None
    assert world.tree_of(pushed) == proposal.tree_sha
    assert len(await world.waits_of(run)) == 1
    assert (await world.asked(run, PUBLISH)).state is State.APPLIED


async def test_rn40_a_refused_result_fails_the_run_and_reaches_no_branch(world: World) -> None:
    run = await held(world)
    await world.answer(await world.asked(run, PUBLISH), approve=False, reason="not in this repository")
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.code, run.detail) == (RunStatus.FAILED, "owner_rejected", "not in this repository")
    assert world.branch("stagewright/issue-1/dev") is None
    assert (await world.asked(run, PUBLISH)).state is State.DENIED
    (wait,) = await world.waits_of(run)
    assert (wait.status, wait.resolution) == ("resolved", "deny")


async def test_changes_that_were_asked_for_go_to_the_next_attempt_and_its_result_is_asked_for_anew(
    world: World,
) -> None:
    run = await held(world)
    first = await world.asked(run, PUBLISH)
    await world.answer(first, approve=False, reason="not on every push", reason_code="needs_information")
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.generation) == (RunStatus.PREPARING, 2)
    assert (await world.attempt_of(run)).reason == "review_feedback"
    assert "not on every push" in (await world.register(run)).prompt
    run = await world.deliver_result(run, {".github/workflows/ci.yml": "on: pull_request\n"})
    again = await world.asked(run, PUBLISH)
    assert run.status is RunStatus.WAITING
    assert (again.id != first.id, again.action_hash != first.action_hash) == (True, True)


async def test_a_cancelled_run_leaves_nothing_to_decide(world: World) -> None:
    run = await held(world)
    await world.cancel(run)
    assert (await world.asked(run, PUBLISH)).state is State.CANCELLED


async def test_a_changed_row_voids_the_acceptance_and_the_owner_is_asked_again(world: World) -> None:
    run = await held(world)
    first = await world.asked(run, PUBLISH)
    await world.answer(first, approve=True)
    stricter = "{id: publish-held, action: result.publish, kinds: all, roles: all, env: any, approval: owner"
    text = POLICY + f"approvals:\n  - {stricter}, expires_in: 2h}}\n"
    world.person.write(".stagewright/policy.yaml", text)
    world.person.commit("stricter")
    world.person.push(world.remote, "main")
    await world.put_policy(text)
    await world.work()
    run = await world.fresh(run)
    again = await world.asked(run, PUBLISH)
    async with world.db.reading() as reader:
        (known,) = await approvals.list_many(reader, [first.id])
    assert (known.state, known.reason_code) == (State.VOID, "policy_changed")
    assert (run.status, again.state) == (RunStatus.WAITING, State.REQUESTED)
    assert again.expires_at - again.opened_at == timedelta(hours=2)


async def test_a_branch_that_moved_voids_what_was_accepted(world: World) -> None:
    run = await held(world)
    asked = await world.asked(run, PUBLISH)
    world.person.write("other.txt", "mine\n")
    world.person.commit("other")
    world.person.push(world.remote, str(run.branch))
    world.show_branches()
    await world.answer(asked, approve=True)
    await world.work()
    async with world.db.reading() as reader:
        (known,) = await approvals.list_many(reader, [asked.id])
    assert (known.state, known.reason_code) == (State.VOID, "target_moved")
    run = await world.fresh(run)
    assert (run.status, (await world.attempt_of(run)).reason) == (RunStatus.PREPARING, "branch_moved")


async def test_an_expired_acceptance_parks_and_what_waits_moves_to_the_renewed_request(world: World) -> None:
    run = await held(world)
    first = await world.asked(run, PUBLISH)
    world.clock.advance(timedelta(hours=168))
    await expire_requests(world.db, world.clock)
    await world.work()
    (wait,) = await world.waits_of(run)
    assert (wait.status, wait.mark) == ("open", "approval_expired")
    assert (await world.fresh(run)).status is RunStatus.WAITING
    async with world.db.transaction() as tx:
        renewed = await ending.renew(tx, first.id, now=world.clock.now())
    await world.work()
    (wait,) = await world.waits_of(run)
    assert (wait.target_id, wait.mark, wait.deadline_at) == (str(renewed.id), None, renewed.expires_at)
    await world.answer(renewed, approve=True)
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("late", [True, False])
async def test_a_request_that_was_given_up_fails_the_run(world: World, late: bool) -> None:
    run = await held(world)
    asked = await world.asked(run, PUBLISH)
    if late:
        world.clock.advance(timedelta(hours=168))
        await expire_requests(world.db, world.clock)
    async with world.db.transaction() as tx:
        await ending.cancel(tx, asked.id, reason="no need", now=world.clock.now())
    await world.work()
    run = await world.fresh(run)
    assert (run.status, run.code, run.detail) == (RunStatus.FAILED, "owner_rejected", "no need")
