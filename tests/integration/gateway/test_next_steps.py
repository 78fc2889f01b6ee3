"""Next steps by the API: a preview and its execution over a live thread, the person as the actor (workflow, 11.3)."""

import asyncio
from datetime import timedelta

import pytest
from tests import factories
from tests.integration.gateway.steps_scene import Scene
from tests.world import DUTIES, STEP

from stagewright.contexts.runs.reconcile import effects


async def test_a_step_forward_accepts_the_result_and_starts_the_run_as_the_person(steps: Scene) -> None:
    world, me = steps.world, str(steps.me.user.id)
    issue = (await steps.done("run:vision")).issue_number or 0
    (pull,) = world.pull_requests()
    assert "state:in-review" in world.labels(issue) & world.labels(pull.number)
    form = steps.form(issue, "run:prd", "full_or_shortened_flow")

    shown = (await steps.ask(form)).json()
    answer = await steps.take(shown, form, key="forward-1")

    assert (shown["verdict"], shown["reason"]) == ("start", None)
    assert shown["removed_labels"] == ["state:in-review"]
    assert set(shown["added_labels"]) == {"run:prd", "state:approved"}
    assert shown["accepts_pull_request"] == pull.number
    assert {key: shown["run"][key] for key in ("kind", "role", "mode", "skipped_stages")} == {
        "kind": "prd",
        "role": "pm",
        "mode": "code-only",
        "skipped_stages": ["intake"],
    }
    assert answer.status_code == 202
    taken = answer.json()
    assert {key: taken[key] for key in shown} == shown
    assert len(taken["effect_ids"]) == 5  # three labels of the issue, two of the pull request

    run = await world.run_of(issue)
    assert (str(run.id), taken["run_number"]) == (taken["run_id"], f"run-{run.number:04d}")
    assert (run.kind, run.requested_by_kind, run.requested_by) == ("prd", "user", me)
    assert (run.trigger_source, run.correlation_id) == ("console", "console:forward-1")
    assert (await steps.ledger(issue))[-1] == ("run:prd", "console", "start", str(run.id))
    (told,) = await steps.told("run.next_step.executed")
    assert told[:3] == ("user", me, str(run.id))
    assert told[3] == {
        "v": 1,
        "action_kind": "issue_stage_transition",
        "target_label": "run:prd",
        "variant": "full_or_shortened_flow",
        "removed_labels": ["state:in-review"],
        "added_labels": shown["added_labels"],
        "reason": None,
    }
    await world.work()
    assert world.labels(issue) == set(shown["final_labels"])
    assert world.labels(pull.number) & {"state:approved", "state:in-review"} == {"state:approved"}
    assert [attempt.generation for attempt in await world.attempts_of(run)] == [1]


@pytest.mark.parametrize(
    ("label", "target", "variant", "profile", "accepts"),
    [
        ("run:intake", "run:plan", "very_short_flow", ("quick-fix", "chosen"), True),
        ("run:prd", "run:prd:revise", "revise", ("feature", "default"), False),
        ("run:dev", "run:qa", "all_flows", ("feature", "chosen"), True),
        ("run:dev", "run:doc-audit", "doc_audit", ("feature", "default"), False),
    ],
)
async def test_an_execution_does_what_its_preview_shows(
    steps: Scene, label: str, target: str, variant: str, profile: tuple[str, str], accepts: bool
) -> None:
    world = steps.world
    issue = (await steps.done(label)).issue_number or 0
    (pull,) = world.pull_requests()
    (offer,) = [
        item
        for item in (await steps.gateway.get(f"/issues/acme/shop/{issue}/next-steps", steps.me)).json()["items"]
        if (item["target_label"]["key"], item["variant"]) == (target, variant)
    ]
    form = steps.form(issue, target, variant, action_kind=offer["action_kind"])
    shown = (await steps.ask(form)).json()
    taken = (await steps.take(shown, form)).json()

    assert {key: taken[key] for key in shown} == shown
    assert (shown["accepts_pull_request"] == pull.number) is accepts
    assert shown["profile_after"] == {"profile": profile[0], "source": profile[1]}
    assert await steps.profile(issue) == profile
    await world.work()
    assert world.labels(issue) == set(shown["final_labels"])
    assert ("state:approved" in world.labels(pull.number)) is accepts
    run = await world.run_of(issue)
    assert {"kind": run.kind, "stage": run.stage, "role": run.role, "mode": run.mode, "env": run.env} == {
        key: shown["run"][key] for key in ("kind", "stage", "role", "mode", "env")
    }


async def test_rn38_executed_twice_with_one_key_is_one_run(steps: Scene) -> None:
    issue = steps.world.issue()
    form = steps.form(issue, "run:dev")
    shown = (await steps.ask(form)).json()
    first = await steps.take(shown, form, key="same-key-1")
    again = await steps.take(shown, form, key="same-key-1")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert await steps.world.count_runs() == 1
    await steps.world.work()
    assert len(await steps.told("run.next_step.executed")) == 1


async def test_two_people_at_once_start_one_run(steps: Scene) -> None:
    other = await steps.gateway.person("noa", member_of=steps.world.project, member_as="read_write")
    form = steps.form(steps.world.issue(), "run:dev")
    shown = (await steps.ask(form)).json()
    answers = await asyncio.gather(*(steps.take(shown, form, who=who) for who in (steps.me, other, steps.me)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    assert await steps.world.count_runs() == 1


async def test_rn38_labels_changed_after_the_preview_start_nothing(steps: Scene) -> None:
    issue = steps.world.issue()
    form = steps.form(issue, "run:dev")
    shown = (await steps.ask(form)).json()
    steps.world.put_label(issue, "bug")
    refused = await steps.take(shown, form)

    assert (refused.status_code, refused.json()["code"]) == (409, "labels_changed")
    assert await steps.world.count_runs() == 0
    ((*_, body),) = await steps.told("run.next_step.refused")
    assert body["reason"] == "labels_changed"
    assert (await steps.take((await steps.ask(form)).json(), form)).status_code == 202


async def test_a_key_that_another_person_used_is_no_answer(steps: Scene) -> None:
    world = steps.world
    other = await steps.gateway.person("noa", member_of=world.project, member_as="read_write")
    first, second = steps.form(world.issue(), "run:dev"), steps.form(world.issue(), "run:dev")
    assert (await steps.take((await steps.ask(first)).json(), first, key="same-key-2")).status_code == 202
    refused = await steps.take((await steps.ask(second)).json(), second, key="same-key-2", who=other)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency.mismatch")
    assert await world.count_runs() == 1


async def test_the_webhook_of_our_own_label_starts_nothing_more(steps: Scene) -> None:
    world = steps.world
    issue = world.issue()
    assert (await steps.execute(issue, "run:dev")).status_code == 202
    await world.work()
    assert "run:dev" in world.labels(issue)

    await world.deliver("issues", world.labeled(issue, "run:dev", by=world.forge.bot_account.login))
    await world.decide()
    assert [reason for _, reason in await ignored(steps)] == ["own_label_change"]
    world.clock.advance(timedelta(minutes=30))
    await world.scan()
    assert await world.count_runs() == 1
    assert world.diagnostics(issue) == []
    assert "run:dev" in world.labels(issue)


async def ignored(steps: Scene) -> list[tuple[str, str]]:
    """Return verdicts and reasons of deliveries that started nothing."""
    return [(body["verdict"], body["reason"]) for *_, body in await steps.told("webhook.ignored")]


async def test_other_trigger_labels_make_room_for_the_step(steps: Scene) -> None:
    world = steps.world
    issue = world.issue(labels=("run:prd", "bug", "run:arch"))
    shown = await steps.preview(issue, "run:dev")
    assert shown["verdict"] == "start"
    assert set(shown["removed_labels"]) == {"run:prd", "run:arch"}
    assert shown["final_labels"] == ["bug", "run:dev"]


async def test_a_label_that_the_run_before_is_about_to_take_off_comes_back(steps: Scene) -> None:
    world = steps.world
    run = await world.launched("run:dev")
    issue = run.issue_number or 0
    await world.cancel(run)
    for _ in range(40):  # the worker at work, but for what it does on the forge
        if (await world.fresh(run)).status == "cancelled":
            break
        for duty in DUTIES:
            if duty is not effects.perform_reserved:
                await duty(world.outside)
        world.clock.advance(STEP)
    assert "run:dev" in world.labels(issue)
    assert (await steps.execute(issue, "run:dev", "retry")).status_code == 202
    await world.work()
    assert "run:dev" in world.labels(issue)
    assert (await world.run_of(issue)).id != run.id


# Section 6 of the workflow, row by row


async def test_a_forward_step_of_a_chosen_profile_raises_it_and_says_so(steps: Scene) -> None:
    issue = steps.world.issue()
    await steps.keep_profile(issue, "feature", "chosen")
    answer = (await steps.execute(issue, "run:vision", "full_flow")).json()

    assert answer["profile_before"] == {"profile": "feature", "source": "chosen"}
    assert await steps.profile(issue) == ("new-service", "escalated")
    (told,) = await steps.told("run.stage.escalated")
    assert told[:3] == ("user", str(steps.me.user.id), answer["run_id"])
    assert told[3] == {
        "v": 1,
        "issue": issue,
        "from": "feature",
        "to": "new-service",
        "reasons": ["variant_chosen"],
        "trigger_label": "run:vision",
    }


async def test_a_lower_variant_of_a_chosen_profile_is_refused(steps: Scene) -> None:
    issue = steps.world.issue()
    await steps.keep_profile(issue, "new-service", "chosen")
    form = steps.form(issue, "run:plan", "very_short_flow")
    shown = (await steps.ask(form)).json()
    refused = await steps.take(shown, form)

    assert (shown["verdict"], shown["reason"]) == ("refuse", "profile_downgrade")
    assert (
        shown["remedy_text"] == "Take a step of the path `new-service` or a longer one, or start `run:rethink` first."
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "profile_downgrade")
    assert await steps.profile(issue) == ("new-service", "chosen")
    (told,) = await steps.told("run.next_step.refused")
    assert (told[0], told[3]["reason"]) == ("user", "profile_downgrade")


async def test_the_path_that_an_agent_proposed_is_accepted_with_its_reasons(steps: Scene) -> None:
    report = factories.a_report(escalation={"to": "new-service", "reasons": ["new_integration", "security_impact"]})
    run = await steps.done("run:prd", report=report)
    issue = run.issue_number or 0
    source = {"source_run_id": str(run.id)}
    listed = (await steps.gateway.get(f"/issues/acme/shop/{issue}/next-steps", steps.me)).json()["items"]
    assert (listed[-1]["group"], listed[-1]["target_label"]["key"]) == ("escalation", "run:arch")

    answer = await steps.execute(issue, "run:arch", "accept_escalation", **source)
    assert answer.status_code == 202
    assert await steps.profile(issue) == ("new-service", "escalated")
    (told,) = await steps.told("run.stage.escalated")
    assert told[3]["reasons"] == ["new_integration", "security_impact"]


async def test_a_path_that_nobody_proposed_is_no_step(steps: Scene) -> None:
    run = await steps.done("run:prd")
    form = steps.form(run.issue_number or 0, "run:arch", "accept_escalation", source_run_id=str(run.id))
    refused = await steps.ask(form)
    assert (refused.status_code, refused.json()["code"]) == (400, "next_step.unknown")


async def test_a_restart_lowers_the_profile_after_a_rethink_only(steps: Scene) -> None:
    issue = steps.world.issue()
    await steps.keep_profile(issue, "new-service", "chosen")
    refused = await steps.execute(issue, "run:plan", "restart_very_short")
    assert (refused.status_code, refused.json()["code"]) == (409, "profile_downgrade")

    await steps.rethought(issue)
    assert (await steps.execute(issue, "run:plan", "restart_very_short")).status_code == 202
    assert await steps.profile(issue) == ("quick-fix", "restarted")
    assert await steps.told("run.stage.escalated") == []


async def test_a_plain_step_outside_the_path_raises_the_profile_as_a_label_does(steps: Scene) -> None:
    issue = steps.world.issue()
    await steps.keep_profile(issue, "quick-fix", "chosen")
    assert (await steps.execute(issue, "run:prd")).status_code == 202
    assert await steps.profile(issue) == ("feature", "escalated")
    (told,) = await steps.told("run.stage.escalated")
    assert (told[0], told[3]["reasons"]) == ("user", ["stage_not_on_profile_path"])


async def test_the_first_plain_step_of_an_issue_is_provisional(steps: Scene) -> None:
    issue = steps.world.issue()
    shown = await steps.preview(issue, "run:vision")
    assert (shown["profile_before"], shown["profile_after"]) == (None, {"profile": "new-service", "source": "default"})


# Pull requests, lists, languages


async def test_an_agents_review_is_asked_for_on_the_pull_request(steps: Scene) -> None:
    world = steps.world
    issue = (await steps.done("run:dev")).issue_number or 0
    (pull,) = world.pull_requests()
    form = steps.form(
        issue, "need:reviewer", "reviewer", action_kind="pull_request_label_add", pull_request_number=pull.number
    )
    shown = (await steps.ask(form)).json()
    taken = await steps.take(shown, form)

    assert (shown["verdict"], shown["thread_number"]) == ("start", pull.number)
    assert (shown["removed_labels"], shown["added_labels"]) == ([], ["need:reviewer"])
    assert taken.status_code == 202
    run = await world.run(taken.json()["run_id"])
    assert (run.kind, run.lane, run.subject) == ("reviewer", "review", f"pr:{pull.number}")
    assert (run.requested_by_kind, run.trigger_source) == ("user", "console")
    assert await steps.profile(issue) == ("feature", "default")
    again = await steps.take((await steps.ask(form)).json(), form)
    assert (again.status_code, again.json()["code"]) == (409, "run_already_active")

    await world.work()
    await world.register(run)
    await world.hand_over(await world.fresh(run), report=factories.a_review_report())
    await world.turn()
    await world.report(run)
    await world.work()
    (comment,) = world.status_comments(pull.number)
    assert "\n- Revise this result: `run:dev:revise`\n- Go on: `run:qa` (every path)\n" in comment
    assert "need:reviewer" not in comment.partition("**Next steps**")[2]


async def test_the_list_has_words_in_the_readers_language_and_paths_to_the_console(steps: Scene) -> None:
    run = await steps.done("run:dev")
    path = f"/issues/acme/shop/{run.issue_number}/next-steps"
    async with steps.world.db.transaction() as tx:
        await tx.execute("update users set locale = 'ru' where id = %(id)s", id=steps.me.user.id)
    found = (await steps.gateway.get(path, steps.me)).json()

    assert found["source_run"]["kind"] == "dev"
    assert (found["issue_number"], found["active_run"]) == (run.issue_number, None)
    shown = {item["target_label"]["key"]: item for item in found["items"]}
    assert list(shown) == ["run:dev:revise", "run:qa", "need:reviewer", "run:rethink", "run:doc-audit"]
    assert shown["run:qa"]["title"] == "Продолжить: `run:qa` (любой путь)"
    assert shown["run:qa"]["path"] == (
        f"/next-step?repository_full_name=acme%2Fshop&issue_number={run.issue_number}"
        f"&action_kind=issue_stage_transition&target_label=run%3Aqa&display_variant=all_flows&source_run_id={run.id}"
    )
    (pull,) = steps.world.pull_requests()
    of_pull = (await steps.gateway.get(f"/issues/acme/shop/{pull.number}/next-steps", steps.me)).json()
    assert (of_pull["issue_number"], of_pull["pull_request_number"]) == (run.issue_number, pull.number)
    assert [item["target_label"]["key"] for item in of_pull["items"]] == list(shown)


async def test_an_issue_without_a_run_that_ended_offers_nothing_and_names_what_is_active(steps: Scene) -> None:
    run = await steps.world.launched("run:dev")
    found = (await steps.gateway.get(f"/issues/acme/shop/{run.issue_number}/next-steps", steps.me)).json()
    assert (found["items"], found["source_run"]) == ([], None)
    assert found["active_run"]["id"] == str(run.id)
