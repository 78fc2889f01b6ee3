"""Who may take a next step, and what holds one back: codes, reasons, words, and the journal (workflow, 11.3)."""

from typing import Any

import pytest
from tests.integration.gateway.steps_scene import Scene

from stagewright.kit.errors import LimitReached, Unauthenticated


@pytest.mark.parametrize("role", ["read", "stranger"])
async def test_only_who_may_start_runs_takes_a_step(steps: Scene, role: str) -> None:
    eve = await steps.gateway.person("eve", member_of=steps.world.project if role == "read" else None)
    form = steps.form(steps.world.issue(), "run:dev")
    wanted = (403, "permission_denied") if role == "read" else (404, "repository.not_found")
    for answer in (await steps.ask(form, eve), await steps.take({"expected_labels_hash": "x"}, form, who=eve)):
        assert (answer.status_code, answer.json()["code"]) == wanted
    assert await steps.world.count_runs() == 0


async def test_a_linked_account_needs_the_forges_permission_too(steps: Scene) -> None:
    world = steps.world
    form = steps.form(world.issue(), "run:dev")
    await steps.link_account(steps.me, "mia")
    shown = (await steps.ask(form)).json()
    refused = await steps.take(shown, form)

    assert (shown["verdict"], shown["reason"]) == ("refuse", "sender_forge_permission_missing")
    assert (refused.status_code, refused.json()["code"]) == (403, "next_step.denied")
    assert refused.json()["params"]["reason"] == "sender_forge_permission_missing"
    assert await world.count_runs() == 0
    world.forge.set_role(world.repository.forge_repository_id, "mia", "triage")
    assert (await steps.take((await steps.ask(form)).json(), form)).status_code == 202


@pytest.mark.parametrize(
    "changes",
    [
        {"target_label": "run:nope"},
        {"target_label": "run:debug"},
        {"target_label": "run:ai-repair"},
        {"target_label": "mode:discussion"},
        {"target_label": "state:approved"},
        {"target_label": "need:reviewer"},
        {"target_label": "run:dev", "action_kind": "pull_request_label_add"},
        {"target_label": "need:reviewer", "action_kind": "pull_request_label_add"},
        {"target_label": "run:dev", "action_kind": "merge"},
        {"target_label": "run:dev", "display_variant": "shortest_flow"},
        {"target_label": "run:vision", "display_variant": "very_short_flow"},
        {"target_label": "run:dev", "issue_number": 0},
        {"target_label": "run:dev", "colour": "red"},
    ],
)
async def test_what_is_no_next_step_is_a_malformed_request(steps: Scene, changes: dict[str, Any]) -> None:
    answer = await steps.ask(steps.form(steps.world.issue(), "run:dev") | changes)
    assert answer.status_code == 400
    assert answer.json()["errors"]


async def test_a_step_needs_a_bound_repository_and_a_thread_of_its_kind(steps: Scene) -> None:
    world = steps.world
    unbound = await steps.ask(steps.form(1, "run:dev", repository_full_name="acme/none"))
    gone = await steps.ask(steps.form(4711, "run:dev"))
    issue = (await steps.done("run:dev")).issue_number or 0
    (pull,) = world.pull_requests()
    wrong = await steps.ask(steps.form(pull.number, "run:dev"))
    form = steps.form(issue, "need:reviewer", action_kind="pull_request_label_add", pull_request_number=issue)
    no_pull = await steps.ask(form)

    assert (unbound.status_code, unbound.json()["code"]) == (404, "repository.not_found")
    assert (gone.status_code, gone.json()["code"]) == (404, "thread.not_found")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/issue_number")
    assert (no_pull.status_code, no_pull.json()["errors"][0]["pointer"]) == (400, "/pull_request_number")


@pytest.mark.parametrize("target", ["run:dev", "run:prd"])
async def test_beside_an_active_run_nothing_starts(steps: Scene, target: str) -> None:
    run = await steps.world.launched("run:dev")
    form = steps.form(run.issue_number or 0, target)
    shown = (await steps.ask(form)).json()
    refused = await steps.take(shown, form)

    assert (shown["verdict"], shown["reason"]) == ("refuse", "run_already_active")
    assert f"run-{run.number:04d}" in shown["reason_text"]
    assert (refused.status_code, refused.json()["code"]) == (409, "run_already_active")
    assert await steps.world.count_runs() == 1


async def test_a_rule_that_holds_a_step_back_says_which_and_what_to_do(steps: Scene) -> None:
    world = steps.world
    issue = world.issue(labels=("state:blocked",))
    form = steps.form(issue, "run:dev")
    async with world.db.transaction() as tx:
        await tx.execute("update users set locale = 'ru' where id = %(id)s", id=steps.me.user.id)
    shown = (await steps.ask(form)).json()
    refused = await steps.take(shown, form, key="blocked-1")

    assert (shown["verdict"], shown["reason"], shown["run"]) == ("refuse", "issue_blocked", None)
    assert shown["reason_text"] == "Работа отмечена как заблокированная (`state:blocked`)."
    assert (refused.status_code, refused.json()["code"]) == (422, "next_step.refused")
    params = refused.json()["params"]
    assert (params["reason"], params["reason_text"]) == ("issue_blocked", shown["reason_text"])
    assert refused.json()["detail"].startswith("The work is marked as blocked")
    ((kind, actor, run, body),) = await steps.told("run.next_step.refused")
    assert (kind, actor, run) == ("user", str(steps.me.user.id), None)
    assert (body["target_label"], body["reason"]) == ("run:dev", "issue_blocked")
    await world.work()
    assert world.labels(issue) == {"state:blocked"}
    assert world.diagnostics(issue) == []
    world.forge.person_unlabels(world.repository.forge_repository_id, issue, "state:blocked")
    assert (await steps.take((await steps.ask(form)).json(), form, key="blocked-1")).status_code == 202


async def test_a_repository_that_is_switched_off_starts_nothing(steps: Scene) -> None:
    issue = steps.world.issue()
    async with steps.world.db.transaction() as tx:
        await tx.execute("update repositories set state = 'disabled'")
    shown = await steps.preview(issue, "run:dev")
    assert (shown["verdict"], shown["reason"]) == ("ignore", "repository_disabled")
    refused = await steps.execute(issue, "run:dev")
    assert (refused.status_code, refused.json()["params"]["reason"]) == (422, "repository_disabled")


@pytest.mark.parametrize("error", [Unauthenticated("bad credential"), LimitReached("too many")])
async def test_a_forge_that_cannot_be_read_is_not_the_callers_fault(steps: Scene, error: Any) -> None:
    issue = steps.world.issue()
    steps.world.forge.fail("thread", error)
    answer = await steps.ask(steps.form(issue, "run:dev"))
    assert (answer.status_code, answer.json()["code"]) == (503, "forge.unreadable")
