"""Links follow their pull requests: by delivery, by the scan, and by the live look at a decision."""

from datetime import timedelta
from typing import Any

import pytest
from tests.world import World

from stagewright.contexts.runs import views
from stagewright.contexts.runs.errors import NotSent
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.rules.frames import link_frame

MOMENT = timedelta(seconds=5)


async def reviewed(world: World, label: str = "run:vision") -> tuple[Run, int]:
    """Return a run that succeeded, and its pull request, which waits for a person."""
    run = await world.deliver_result(await world.started(label), {"docs/new.md": "text\n"})
    assert run.status is RunStatus.SUCCEEDED
    assert run.pr_number is not None
    assert await state_of(world, run.pr_number) == "in_review"
    return run, run.pr_number


async def link_of(world: World, number: int) -> dict[str, Any]:
    async with world.db.reading() as reader:
        found = await reader.find(dict, "select * from pull_request_links where pr_number = %(n)s", n=number)
    assert found is not None
    return found


async def state_of(world: World, number: int) -> str:
    return str((await link_of(world, number))["state"])


def close(world: World, number: int, *, merged: bool = False) -> None:
    world.clock.advance(MOMENT)
    world.forge.close(world.repository.forge_repository_id, number, merged=merged)


def review(world: World, number: int, state: str = "approved", *, by: str = "ann", **said: Any) -> None:
    world.clock.advance(MOMENT)
    world.forge.review(world.repository.forge_repository_id, number, state, by=by, **said)


def payload(world: World, number: int, action: str, *, by: str = "ann", **changes: Any) -> dict[str, Any]:
    """Return the payload of an act on a pull request as it is now."""
    made = world.labeled(number, "x", by=by, action=action)
    thread, pull = made.pop("issue"), world.thread(number).pull
    del made["label"]
    assert pull is not None
    at = world.clock.now().isoformat() if pull.merged else None
    if action in ("submitted", "dismissed") and pull.reviews:
        newest = pull.reviews[-1]
        made["review"] = {"state": newest.state, "submitted_at": newest.at.isoformat()}
    return made | {"pull_request": thread | {"merged_at": at, "head": {"sha": pull.head_sha}} | changes}


async def told(world: World, what: dict[str, Any], event: str = "pull_request", *, delivery_id: str = "p-1") -> str:
    """Let a delivery be decided; return the reason."""
    await world.deliver(event, what, delivery_id=delivery_id)
    await world.decide()
    async with world.db.reading() as reader:
        found = "select reason from webhook_deliveries where delivery_id = %(d)s"
        return str(await reader.value(found, d=delivery_id))


async def accepts(world: World, issue: int, label: str = "run:design") -> bool:
    """Say whether the next stage's label starts a run."""
    before = await world.count_runs()
    await world.trigger(issue, label)
    return await world.count_runs() > before


class TestByDelivery:
    """What a person does with the pull request is stored, whatever becomes of the delivery."""

    @pytest.mark.parametrize(("merged", "state"), [(True, "merged"), (False, "closed")])
    async def test_a_pull_request_that_ended_lets_the_next_stage_begin(
        self, world: World, merged: bool, state: str
    ) -> None:
        run, number = await reviewed(world)
        assert run.issue_number is not None
        close(world, number, merged=merged)
        assert await told(world, payload(world, number, "closed")) == "None"
        assert await state_of(world, number) == state
        assert await accepts(world, run.issue_number)

    async def test_a_result_that_waits_for_review_holds_the_next_stage_back(self, world: World) -> None:
        run, number = await reviewed(world)
        assert run.issue_number is not None
        assert not await accepts(world, run.issue_number)
        await world.work()
        (comment,) = world.diagnostics(run.issue_number)
        assert "`previous_stage_in_review`" in comment
        assert f"Approve, merge or close pull request #{number}" in comment

    async def test_a_strangers_act_is_a_fact_too(self, world: World) -> None:
        _, number = await reviewed(world)
        world.forge.add_account("eve")
        close(world, number)
        await told(world, payload(world, number, "closed", by="eve"))
        assert await state_of(world, number) == "closed"

    async def test_a_reopened_pull_request_is_in_review_again(self, world: World) -> None:
        _, number = await reviewed(world)
        close(world, number)
        await told(world, payload(world, number, "closed"))
        world.clock.advance(MOMENT)
        world.forge.reopen(world.repository.forge_repository_id, number)
        reason = await told(world, payload(world, number, "reopened"), delivery_id="p-2")
        assert reason == "pull_request_event_recorded"
        assert await state_of(world, number) == "in_review"

    async def test_a_pull_request_reopened_after_its_stage_was_done_again_is_superseded(self, world: World) -> None:
        run, first = await reviewed(world)
        assert run.issue_number is not None
        close(world, first)
        await told(world, payload(world, first, "closed"))
        await world.trigger(run.issue_number, "run:vision")
        await world.work()
        again = await world.run_of(run.issue_number)
        await world.register(again)
        second = await world.deliver_result(await world.fresh(again), {"docs/other.md": "text\n"})
        world.forge.reopen(world.repository.forge_repository_id, first)
        await told(world, payload(world, first, "reopened"), delivery_id="p-2")
        assert second.pr_number is not None
        assert [await state_of(world, number) for number in (first, second.pr_number)] == ["superseded", "in_review"]

    async def test_a_pull_request_reopened_while_its_stage_is_done_again_makes_room(self, world: World) -> None:
        run, first = await reviewed(world)
        assert run.issue_number is not None
        close(world, first)
        await told(world, payload(world, first, "closed"))
        await world.trigger(run.issue_number, "run:vision")
        await world.work()
        again = await world.run_of(run.issue_number)
        await world.register(again)
        world.forge.reopen(world.repository.forge_repository_id, first)
        await told(world, payload(world, first, "reopened"), delivery_id="p-2")
        assert await state_of(world, first) == "in_review"
        second = await world.deliver_result(await world.fresh(again), {"docs/other.md": "text\n"})
        assert second.status is RunStatus.SUCCEEDED
        assert await state_of(world, first) == "superseded"

    async def test_a_foreign_push_is_told_from_ours(self, world: World) -> None:
        run, number = await reviewed(world)
        ours = (await link_of(world, number))["head_sha"]
        await told(world, payload(world, number, "synchronize"))
        assert (await link_of(world, number))["foreign_push"] is False
        world.clock.advance(MOMENT)
        world.thread(number).updated_at = world.clock.now()
        await told(world, payload(world, number, "synchronize", head={"sha": "ab" * 20}), delivery_id="p-2")
        link = await link_of(world, number)
        assert (link["head_sha"], link["pushed_sha"], link["foreign_push"]) == ("ab" * 20, ours, True)
        assert "run.pr.updated" in await world.events(run)

    async def test_an_older_payload_changes_nothing(self, world: World) -> None:
        _, number = await reviewed(world)
        old = payload(world, number, "edited")
        close(world, number, merged=True)
        await told(world, payload(world, number, "closed"))
        await told(world, old, delivery_id="p-2")
        assert await state_of(world, number) == "merged"

    async def test_a_change_is_told_once_on_the_runs_stream(self, world: World) -> None:
        run, number = await reviewed(world)
        close(world, number, merged=True)
        await told(world, payload(world, number, "closed"))
        await told(world, payload(world, number, "closed"), delivery_id="p-2")
        (body,) = [body for kind, body in await world.journal(f"run:{run.id}") if kind == "run.pr.updated"]
        assert (body["pr_number"], body["state"], body["branch"]) == (number, "merged", run.branch)
        assert body["pull_request"]["state"] == "merged"
        async with world.db.reading() as reader:
            _, link = await views.find_beside(reader, run.id)
        assert link is not None
        assert body["pull_request"] == link_frame(link)

    async def test_a_pull_request_of_nobodys_run_is_only_a_thread(self, world: World) -> None:
        issue = world.issue()
        close(world, issue)
        what = world.labeled(issue, "x", action="closed")
        thread = what.pop("issue") | {"merged_at": None, "head": {"sha": "ab" * 20}}
        assert await told(world, what | {"pull_request": thread}) == "None", "nothing is left to end"
        async with world.db.reading() as reader:
            assert await reader.value("select count(*) from pull_request_links") == 0
            assert await reader.value("select state from threads where number = %(n)s", n=issue) == "closed"

    async def test_a_comment_that_comes_before_the_closing_tells_of_it_too(self, world: World) -> None:
        """Close with comment: the comment's payload is the newer one, and may come first."""
        _, number = await reviewed(world)
        before = world.thread(number).updated_at
        close(world, number, merged=True)
        comment = world.labeled(number, "x", action="created")
        comment["issue"]["pull_request"] = {"url": "u", "merged_at": world.clock.now().isoformat()}
        await told(world, comment, "issue_comment")
        late = payload(world, number, "closed", updated_at=before.isoformat())
        await told(world, late, delivery_id="p-2")
        assert await state_of(world, number) == "merged"


class TestReviews:
    """The newest review of a permitted person says whether a result is approved."""

    async def test_an_approval_lets_the_next_stage_begin(self, world: World) -> None:
        run, number = await reviewed(world)
        assert run.issue_number is not None
        review(world, number)
        assert await told(world, payload(world, number, "submitted"), "pull_request_review") == "review_recorded"
        assert await state_of(world, number) == "approved"
        assert await accepts(world, run.issue_number)

    async def test_a_strangers_approval_approves_nothing(self, world: World) -> None:
        _, number = await reviewed(world)
        world.forge.add_account("eve")
        review(world, number, by="eve")
        await told(world, payload(world, number, "submitted", by="eve"), "pull_request_review")
        assert await state_of(world, number) == "in_review"

    @pytest.mark.parametrize("verdict", ["dismissed", "changes_requested"])
    async def test_an_approval_is_taken_back(self, world: World, verdict: str) -> None:
        _, number = await reviewed(world)
        review(world, number)
        await told(world, payload(world, number, "submitted"), "pull_request_review")
        review(world, number, verdict)
        await told(world, payload(world, number, "dismissed"), "pull_request_review", delivery_id="p-2")
        assert await state_of(world, number) == "in_review"

    async def test_a_comment_leaves_an_approval_alone(self, world: World) -> None:
        _, number = await reviewed(world)
        review(world, number)
        review(world, number, "commented")
        await told(world, payload(world, number, "submitted"), "pull_request_review")
        assert await state_of(world, number) == "approved"

    async def test_an_approval_does_not_outlast_the_revise_that_follows_it(self, world: World) -> None:
        run, number = await reviewed(world)
        assert run.issue_number is not None
        review(world, number)
        await told(world, payload(world, number, "submitted"), "pull_request_review")
        assert await state_of(world, number) == "approved"
        await world.work()
        await world.trigger(run.issue_number, f"run:{run.stage}:revise")
        await world.work()
        revise = await world.run_of(run.issue_number)
        await world.register(revise)
        world.clock.advance(timedelta(minutes=1))
        await world.deliver_result(await world.fresh(revise), {"docs/vision.md": "better\n"})
        assert await state_of(world, number) == "in_review"
        world.clock.advance(timedelta(minutes=30))
        world.forge.person_comments(world.repository.forge_repository_id, number, "Nice.")
        await world.scan()
        await world.work()
        assert await state_of(world, number) == "in_review"
        assert world.labels(number) == {"state:in-review"}

    async def test_a_review_that_cannot_be_read_is_decided_later(self, world: World) -> None:
        _, number = await reviewed(world)
        review(world, number)
        world.forge.fail("reviews", NotSent("no connection"))
        what = payload(world, number, "submitted")
        await world.deliver("pull_request_review", what)
        await world.decide()
        assert await state_of(world, number) == "in_review"
        world.clock.advance(timedelta(seconds=6))
        await world.decide()
        assert await state_of(world, number) == "approved"


class TestLostDeliveries:
    """Without any delivery the live look and the scan find the same."""

    @pytest.mark.parametrize(("act", "state"), [("merge", "merged"), ("close", "closed"), ("approve", "approved")])
    async def test_the_look_at_a_decision_reads_the_open_pull_requests(
        self, world: World, act: str, state: str
    ) -> None:
        run, number = await reviewed(world)
        issue = run.issue_number
        assert issue is not None
        if act == "approve":
            review(world, number)
        else:
            close(world, number, merged=act == "merge")
        world.put_label(issue, "run:design")
        await world.deliver("issues", world.labeled(issue, "run:design"))
        await world.decide()
        assert await state_of(world, number) == state
        assert await world.count_runs() == 2
        assert (await world.run_of(issue)).kind == "design"

    async def test_the_stage_itself_may_begin_anew_once_its_pull_request_is_closed(self, world: World) -> None:
        run, number = await reviewed(world)
        assert run.issue_number is not None
        assert not await accepts(world, run.issue_number, "run:vision")
        await world.work()
        close(world, number)
        assert await accepts(world, run.issue_number, "run:vision")

    @pytest.mark.parametrize("full", [False, True])
    async def test_the_scan_follows_what_changed(self, world: World, full: bool) -> None:
        _, number = await reviewed(world)
        await world.scan()
        close(world, number, merged=True)
        world.clock.advance(timedelta(hours=25) if full else MOMENT)
        await world.scan()
        assert await state_of(world, number) == "merged"

    async def test_the_scan_reads_no_pull_request_twice_for_one_change(self, world: World) -> None:
        await reviewed(world)
        await world.scan()
        reads = world.calls("pull")
        world.clock.advance(MOMENT)
        await world.scan()
        assert world.calls("pull") == reads

    async def test_a_label_that_asks_for_no_work_reads_no_pull_request(self, world: World) -> None:
        run, _ = await reviewed(world)
        assert run.issue_number is not None
        reads = world.calls("pull")
        world.put_label(run.issue_number, "bug")
        await world.deliver("issues", world.labeled(run.issue_number, "bug"))
        ended = world.labeled(run.issue_number, "run:vision", by="stagewright-bot", action="unlabeled")
        await world.deliver("issues", ended, delivery_id="d-2")
        await world.decide()
        assert world.calls("pull") == reads
