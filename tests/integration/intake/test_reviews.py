"""A review that asks for changes starts the revise of its pull request: told, found by the scan, or put off."""

from typing import Any

import pytest
from tests.integration.intake.test_links import close, link_of, payload, review, reviewed, told
from tests.world import World

from stagewright.contexts.runs.model import Run, RunStatus

CHANGES = "changes_requested"
WAYS = [pytest.param(True, id="delivered"), pytest.param(False, id="found by the scan")]


async def ask_for_changes(
    world: World, number: int, *, delivered: bool = True, by: str = "ann", delivery_id: str = "r-1", **said: Any
) -> None:
    """Ask for changes, and let the platform learn of it: by its webhook, or by the scan alone."""
    review(world, number, CHANGES, by=by, **said)
    if delivered:
        await told(world, payload(world, number, "submitted", by=by), "pull_request_review", delivery_id=delivery_id)
    else:
        await world.scan()


async def kinds(world: World) -> list[str]:
    async with world.db.reading() as reader:
        return await reader.all(lambda row: str(row["kind"]), "select kind from runs order by created_at")


async def journalled(world: World, kind: str) -> list[dict[str, Any]]:
    return [body for name, body in await world.journal() if name == kind]


async def finish(world: World, run: Run, files: dict[str, str | bytes | None]) -> Run:
    await world.work()
    await world.register(run)
    return await world.deliver_result(await world.fresh(run), files)


@pytest.mark.parametrize("delivered", WAYS)
async def test_changes_requested_revise_the_same_pull_request(world: World, delivered: bool) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await ask_for_changes(world, number, delivered=delivered)
    revise = await world.run_of(run.issue_number)
    assert (revise.kind, revise.pr_number, revise.subject) == ("vision_revise", number, f"issue:{run.issue_number}")
    assert (revise.trigger_source, revise.trigger_label) == ("pull_request_review", "run:vision:revise")
    done = await finish(world, revise, {"docs/new.md": "better\n"})

    assert (done.status, done.branch) == (RunStatus.SUCCEEDED, run.branch)
    assert [thread.number for thread in world.pull_requests()] == [number]
    (told_of,) = await journalled(world, "run.revise.stage_resolved")
    assert (told_of["resolver_source"], told_of["trigger_kind"]) == ("pull_request_link", "vision_revise")


async def test_one_request_for_changes_starts_one_revise_however_often_it_is_told(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await ask_for_changes(world, number)
    done = await finish(world, await world.run_of(run.issue_number), {"docs/new.md": "better\n"})
    await told(world, payload(world, number, "submitted"), "pull_request_review", delivery_id="r-2")
    await world.scan()
    await world.work()

    assert done.status is RunStatus.SUCCEEDED
    assert await kinds(world) == ["vision", "vision_revise"]
    again = await journalled(world, "webhook.ignored")
    assert again[-1]["reason"] == "trigger_already_handled"


@pytest.mark.parametrize("delivered", WAYS)
async def test_reviews_during_a_run_become_one_request_after_it(world: World, delivered: bool) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await world.trigger(run.issue_number, "run:vision:revise")
    for index in range(2):
        await ask_for_changes(world, number, delivered=delivered, delivery_id=f"r-{index}")
        await world.decide_deferred()
    assert await kinds(world) == ["vision", "vision_revise"], "put off while a run works"
    await finish(world, await world.run_of(run.issue_number), {"docs/new.md": "better\n"})
    await world.decide_deferred()
    assert await kinds(world) == ["vision", "vision_revise", "vision_revise"]
    await finish(world, await world.run_of(run.issue_number), {"docs/new.md": "best\n"})
    await world.decide_deferred()
    await world.scan()

    assert await kinds(world) == ["vision", "vision_revise", "vision_revise"], "two reviews, one request"


async def test_a_review_put_off_is_forgotten_when_the_same_person_approves(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await world.trigger(run.issue_number, "run:vision:revise")
    await ask_for_changes(world, number)
    await finish(world, await world.run_of(run.issue_number), {"docs/new.md": "better\n"})
    review(world, number, "approved")
    await world.decide_deferred()
    await world.decide_deferred()

    assert await kinds(world) == ["vision", "vision_revise"]
    async with world.db.reading() as reader:
        left = "select count(*) from trigger_ledger where reason = 'deferred_active_run'"
        assert await reader.value(left) == 0


@pytest.mark.parametrize("delivered", WAYS)
async def test_a_strangers_review_starts_nothing(world: World, delivered: bool) -> None:
    _, number = await reviewed(world)
    world.forge.add_account("eve")
    await ask_for_changes(world, number, delivered=delivered, by="eve")
    await world.work()

    assert await kinds(world) == ["vision"]
    assert world.diagnostics(number) == []


async def test_two_stage_labels_on_the_pull_request_ask_which_is_meant(world: World) -> None:
    _, number = await reviewed(world)
    world.put_label(number, "run:vision")
    world.put_label(number, "run:prd")
    await ask_for_changes(world, number)
    await world.work()

    assert await kinds(world) == ["vision"]
    (comment,) = world.diagnostics(number)
    assert "`pull_request_review_stage_ambiguous`" in comment
    assert {"run:vision", "run:prd", "need:input"} <= world.labels(number)
    (body,) = await journalled(world, "run.revise.stage_ambiguous")
    assert (body["pr"], body["resolver_source"]) == (number, "pr_labels")
    assert sorted(body["suggested_labels"]) == ["run:prd:revise", "run:vision:revise"]


async def test_a_review_that_was_lost_is_found_although_a_later_delivery_told_of_its_pull_request(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    review(world, number, CHANGES)
    world.put_label(number, "bug")
    later = payload(world, number, "labeled")
    await told(world, later | {"label": {"name": "bug"}})
    await world.scan()

    assert (await world.run_of(run.issue_number)).kind == "vision_revise"


async def test_a_review_of_a_pull_request_of_nobodys_run_starts_nothing(world: World) -> None:
    number = world.pull(head="topic")
    await ask_for_changes(world, number)

    assert await kinds(world) == []
    (ignored,) = await journalled(world, "webhook.ignored")
    assert ignored["reason"] == "pull_request_not_managed"


async def test_a_pull_request_with_a_stage_label_is_adopted_and_revised(world: World) -> None:
    number = world.pull(head="topic")
    world.put_label(number, "run:dev")
    await ask_for_changes(world, number)
    link = await link_of(world, number)
    assert (link["origin"], link["stage"], link["branch"], link["issue_number"]) == ("adopted", "dev", "topic", None)
    async with world.db.reading() as reader:
        run = await reader.find(dict, "select id, subject, issue_number from runs")
    assert run is not None
    assert (run["subject"], run["issue_number"]) == (f"pr:{number}", None)
    done = await finish(world, await world.run(run["id"]), {"topic.py": "print('revised')\n"})

    assert (done.status, done.branch) == (RunStatus.SUCCEEDED, "topic")
    assert len(world.pull_requests()) == 1


async def test_a_review_of_a_closed_pull_request_says_how_to_go_on(world: World) -> None:
    _, number = await reviewed(world)
    close(world, number)
    await ask_for_changes(world, number)
    await world.work()

    assert await kinds(world) == ["vision"]
    assert "`revise_target_not_found`" in world.diagnostics(number)[0]


async def test_the_agent_is_told_what_the_review_says_and_never_twice(world: World) -> None:
    run, number = await reviewed(world)
    assert run.issue_number is not None
    await ask_for_changes(world, number, body="Name the audience.", at_line=("docs/new.md", 1, "Too vague."))
    first = await world.run_of(run.issue_number)
    await world.work()
    told_first = (await world.register(first)).prompt
    assert "Name the audience." in told_first
    assert "Too vague." in told_first
    assert "docs/new.md:1" in told_first
    await world.deliver_result(await world.fresh(first), {"docs/new.md": "better\n"})
    await ask_for_changes(world, number, body="And the date.", delivery_id="r-2")
    await world.work()
    told_second = (await world.register(await world.run_of(run.issue_number))).prompt

    assert "And the date." in told_second
    assert "Name the audience." not in told_second, "the run before was told that"
    assert "Too vague." in told_second, "a remark stays as long as its line does"
