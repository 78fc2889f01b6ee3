"""A repair starts after an owner's approval, is one per project, and its result is held (C7, RN40)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.git_store import git
from tests.world import POLICY, World

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals.reconcile import expire_requests
from stagewright.contexts.identity import api as identity
from stagewright.contexts.runs.model import Run, RunStatus, WaitKind
from stagewright.contexts.workflow import api as workflow

LABEL = "run:ai-repair"
START, PUBLISH = "run.start", "result.publish"
REHEARSED = POLICY + "special:\n  ai_repair: {model: rehearsal}\n"
State = approvals.RequestState


@pytest.fixture
async def repaired(world: World) -> World:
    """Return the world with a policy whose repairs are rehearsed."""
    world.person.write(".stagewright/policy.yaml", REHEARSED)
    world.person.commit("rehearse repairs")
    world.person.push(world.remote, "main")
    await world.put_policy(REHEARSED)
    return world


async def waiting(world: World) -> Run:
    await world.trigger(world.issue(labels=(LABEL,)), LABEL)
    await world.work()
    run = await world.run_of(1)
    assert (run.kind, run.status) == ("ai_repair", RunStatus.WAITING)
    return run


async def test_a_repair_waits_for_an_owner_before_its_first_attempt(repaired: World) -> None:
    run = await waiting(repaired)
    (wait,) = await repaired.waits_of(run)
    asked = await repaired.asked(run, START)
    assert (wait.kind, wait.target_kind, wait.target_id) == (WaitKind.APPROVAL, START, str(asked.id))
    assert (asked.row_id, asked.typed_confirm, asked.self_approval) == ("repair-start", True, False)
    assert (await repaired.events(run))[:2] == ["run.queued", "run.wait.paused"]
    assert await repaired.attempts_of(run) == []
    assert run.generation == 0
    (comment,) = repaired.status_comments(1)
    assert "an admin of the project or an owner of the platform" in comment


async def test_who_asked_is_known_by_the_accounts_number_whatever_its_login_is_now(repaired: World) -> None:
    forge, repository_id = repaired.forge, repaired.repository.forge_repository_id
    forge.accounts["anna"] = replace(forge.accounts["ann"], login="anna")
    forge.set_role(repository_id, "anna", "admin")
    await repaired.trigger(repaired.issue(labels=(LABEL,)), LABEL, by="anna")
    await repaired.work()
    asked = await repaired.asked(await repaired.run_of(1), START)
    assert asked.initiator_id is not None, "else the one who asked could approve it as well"
    async with repaired.db.reading() as reader:
        owner = await identity.find_by_github_id(reader, forge.accounts["ann"].id)
    assert owner is not None
    assert asked.initiator_id == owner.id


async def test_without_a_cluster_a_repair_works_on_code_only_and_its_comment_says_so(repaired: World) -> None:
    run = await waiting(repaired)
    assert (run.mode, run.runtime_source, run.notes) == ("code-only", "no_services_yaml", ("no_services_yaml",))
    assert run.access_profile == "code-only"
    (comment,) = repaired.status_comments(1)
    assert "services.yaml" in comment


async def test_an_approved_repair_runs_and_its_result_is_held_and_published_as_a_pull_request(repaired: World) -> None:
    run = await waiting(repaired)
    await repaired.answer(await repaired.asked(run, START), approve=True)
    await repaired.work()
    run = await repaired.fresh(run)
    assert (run.status, run.generation) == (RunStatus.PREPARING, 1)
    assert (await repaired.asked(run, START)).state is State.APPLIED
    await repaired.register(run)
    run = await repaired.deliver_result(run, {"a.py": "A = 2\n"})
    asked = await repaired.asked(run, PUBLISH)
    assert (run.status, asked.state) == (RunStatus.WAITING, State.REQUESTED)
    assert repaired.pull_requests() == []
    await repaired.answer(asked, approve=True)
    await repaired.work()
    run = await repaired.fresh(run)
    assert (run.status, run.pr_number) == (RunStatus.SUCCEEDED, 2)
    assert repaired.labels(1) == {"state:in-review"}


DIRECT = "special: {ai_repair: {publish: default_branch}}\n"


@pytest.fixture
async def direct(repaired: World) -> AsyncIterator[World]:
    """Let the platform's own policy publish repairs straight to the default branch."""
    with workflow.platform_policy(DIRECT):
        await repaired.put_policy(REHEARSED)
        yield repaired


def target_of(asked: approvals.Request) -> dict[str, Any]:
    """Return where the held result goes, from the bytes that are decided on."""
    target: dict[str, Any] = json.loads(asked.body)["target"]
    return target


async def held(world: World) -> tuple[Run, approvals.Request]:
    """Return a repair whose result waits for its owner, and what they are asked."""
    run = await waiting(world)
    await world.answer(await world.asked(run, START), approve=True)
    await world.work()
    await world.register(await world.fresh(run))
    run = await world.deliver_result(await world.fresh(run), {"a.py": "A = 2\n"})
    assert run.status is RunStatus.WAITING
    return run, await world.asked(run, PUBLISH)


async def test_a_repair_goes_straight_to_the_default_branch_where_the_policy_says_so(direct: World) -> None:
    before = direct.branch("main")
    run, asked = await held(direct)
    assert target_of(asked) == {"kind": "default_branch", "branch": "main", "pull_request": None}
    assert direct.branch("main") == before, "nothing is pushed before the approval"
    await direct.answer(asked, approve=True)
    await direct.work()
    run = await direct.fresh(run)
    assert (run.status, run.pr_number, direct.pull_requests()) == (RunStatus.SUCCEEDED, None, [])
    assert git(direct.remote, "rev-parse", "main^") == before
    assert git(direct.remote, "show", "main:a.py") == "A = 2"
    assert direct.labels(1) == set()
    assert f"`main ({direct.branch('main')[:12]})`" in direct.status_comments(1)[0]  # type: ignore[index]


async def test_a_repair_that_is_no_fast_forward_any_more_asks_again_and_becomes_a_pull_request(direct: World) -> None:
    run, asked = await held(direct)
    theirs = direct.push_as_person("other.md", "theirs\n", branch="main")
    await direct.answer(asked, approve=True)
    await direct.work()
    anew = await direct.asked(await direct.fresh(run), PUBLISH)
    assert (anew.id != asked.id, target_of(anew)["kind"]) == (True, "pull_request")
    await direct.answer(anew, approve=True)
    await direct.work()
    run = await direct.fresh(run)
    assert run.status is RunStatus.SUCCEEDED
    assert [pull.number for pull in direct.pull_requests()] == [run.pr_number]
    assert direct.branch("main") == theirs


async def test_a_repair_that_the_forge_does_not_let_in_becomes_a_pull_request(direct: World) -> None:
    before = direct.branch("main")
    hook = direct.remote / "hooks" / "update"
    hook.parent.mkdir()
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ]\n')
    hook.chmod(0o755)
    run, asked = await held(direct)
    await direct.answer(asked, approve=True)
    await direct.work()
    anew = await direct.asked(await direct.fresh(run), PUBLISH)
    assert target_of(anew)["kind"] == "pull_request"
    await direct.answer(anew, approve=True)
    await direct.work()
    run = await direct.fresh(run)
    assert (run.status, direct.branch("main")) == (RunStatus.SUCCEEDED, before)
    assert [pull.number for pull in direct.pull_requests()] == [run.pr_number]


@pytest.mark.parametrize("code", ["refused", "needs_information"])
async def test_a_refused_start_fails_the_run_and_takes_the_label_off(repaired: World, code: str) -> None:
    run = await waiting(repaired)
    await repaired.answer(await repaired.asked(run, START), approve=False, reason="look first", reason_code=code)
    await repaired.work()
    run = await repaired.fresh(run)
    assert (run.status, run.failure_class, run.code) == (RunStatus.FAILED, "policy", "owner_rejected")
    assert await repaired.attempts_of(run) == []
    assert repaired.labels(1) == set()


async def test_a_start_that_nobody_decides_parks_and_an_approval_too_late_is_asked_for_anew(repaired: World) -> None:
    run = await waiting(repaired)
    repaired.clock.advance(timedelta(hours=168))
    await expire_requests(repaired.db, repaired.clock)
    await repaired.work()
    (wait,) = await repaired.waits_of(run)
    assert (wait.status, wait.mark) == ("open", "approval_expired")
    assert (await repaired.fresh(run)).status is RunStatus.WAITING
    await repaired.cancel(run)
    assert (await repaired.fresh(run)).status is RunStatus.CANCELLED


async def test_an_approval_that_no_admission_used_in_time_is_void_and_asked_for_again(repaired: World) -> None:
    run = await waiting(repaired)
    first = await repaired.asked(run, START)
    await repaired.answer(first, approve=True)
    repaired.clock.advance(timedelta(hours=24))
    await repaired.work()
    again = await repaired.asked(run, START)
    assert (await repaired.fresh(run)).status is RunStatus.WAITING
    assert (again.id != first.id, again.state) == (True, State.REQUESTED)
    async with repaired.db.reading() as reader:
        (known,) = await approvals.list_many(reader, [first.id])
    assert (known.state, known.reason_code) == (State.VOID, "executed_too_late")


async def test_a_project_has_one_repair_at_a_time(repaired: World) -> None:
    first = await waiting(repaired)
    issue = repaired.issue(labels=(LABEL,))
    await repaired.trigger(issue, LABEL)
    await repaired.work()
    assert await repaired.count_runs() == 1
    (told,) = repaired.diagnostics(issue)
    assert f"run-{first.number:04d}" in told
    assert "run_already_active" in told
    assert repaired.labels(issue) == set()


async def test_a_retry_of_an_approved_repair_asks_nobody_again(repaired: World) -> None:
    run = await waiting(repaired)
    await repaired.answer(await repaired.asked(run, START), approve=True)
    await repaired.work()
    run = await repaired.fresh(run)
    await repaired.register(run)
    await repaired.report(run, "rate_limited")
    await repaired.work()
    repaired.clock.advance(timedelta(minutes=30))
    await repaired.work()
    run = await repaired.fresh(run)
    assert run.generation == 2
    assert [wait.kind for wait in await repaired.waits_of(run)].count(WaitKind.APPROVAL) == 1


@pytest.mark.parametrize(
    ("label", "reason"), [("state:abandoned", "issue_abandoned"), ("state:superseded", "issue_superseded")]
)
async def test_rn39_a_repair_of_an_issue_that_was_given_up_starts_nothing(
    repaired: World, label: str, reason: str
) -> None:
    issue = repaired.issue(labels=(LABEL, label))
    await repaired.trigger(issue, LABEL)
    await repaired.work()
    assert await repaired.count_runs() == 0
    (told,) = repaired.diagnostics(issue)
    assert f"`{reason}`" in told


@pytest.mark.parametrize(
    ("label", "reason"), [("state:abandoned", "issue_abandoned"), ("state:superseded", "issue_superseded")]
)
async def test_rn39_a_repair_whose_issue_is_given_up_while_its_owner_thinks_ends_before_a_workload(
    repaired: World, label: str, reason: str
) -> None:
    run = await waiting(repaired)
    repaired.clock.advance(timedelta(seconds=5))
    repaired.put_label(1, label)
    await repaired.answer(await repaired.asked(run, START), approve=True)
    await repaired.work()
    run = await repaired.fresh(run)
    assert (run.status, run.code, await repaired.attempts_of(run)) == (RunStatus.FAILED, reason, [])
