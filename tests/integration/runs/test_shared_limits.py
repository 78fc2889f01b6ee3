"""Limits belong to an installation: its repositories wait together, those of another one do not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests import factories
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.model import RunStatus, WaitKind
from stagewright.contexts.runs.reconcile import checks, effects, waits
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.usecases import limits, moves
from stagewright.kit.errors import LimitReached, Unauthenticated

MINUTES = timedelta(minutes=2)
CONTENT = LimitReached("slow down", retry_after=MINUTES, code="forge.secondary_limit", bucket="content")


async def beside(world: World, name: str = "acme/second") -> World:
    """Return the same platform seen from a second repository."""
    info = world.forge.add_repository(name)
    found = projects.ForgeRepository(info.id, info.full_name, "main", info.web_url, str(world.remote), private=False)
    async with world.db.transaction() as tx:
        repository = await factories.a_repository(tx, world.project, found, now=world.clock.now())
    world.forge.set_role(info.id, "ann", "write")
    second = replace(world, repository=repository)
    second.show_branches()
    return second


async def of_installations(world: World, first: str, second: str) -> tuple[World, World]:
    """Return two repositories of these installations, after the worker has learned which they are."""
    other = await beside(world)
    for one, installation in ((world, first), (other, second)):
        world.forge.install(one.repository.forge_repository_id, installation)
    await effects.perform_reserved(world.outside)
    return world, other


async def rows(world: World) -> dict[tuple[str, str], object]:
    async with world.db.reading() as reader:
        found = await reader.all(dict, "select * from provider_limits")
    return {(row["installation_id"], row["bucket"]): row for row in found}


async def closed_until(world: World, bucket: str = "core") -> object:
    async with world.db.reading() as reader:
        found = await limits.blocked(reader, world.repository.id, (bucket,), now=world.clock.now())
    return found[1] if found else None


async def two_runs(first: World, second: World) -> None:
    """Request a run in each repository."""
    for one in (first, second):
        one.put_label(one.issue(), "run:dev")
    await first.scan()


async def test_a_limit_that_one_repository_meets_holds_back_the_others_of_its_installation(world: World) -> None:
    first, second = await of_installations(world, "app:7", "app:7")
    world.forge.fail("create_comment", CONTENT)
    await two_runs(first, second)
    await world.work()
    assert world.calls("create_comment") == 1
    assert (first.status_comments(1), second.status_comments(1)) == ([], [])
    assert await closed_until(first, "content") == await closed_until(second, "content") is not None
    await world.tick(60)
    assert world.calls("create_comment") == 1, "nobody of the installation asks while the bucket is closed"
    await world.tick(70)
    assert (len(first.status_comments(1)), len(second.status_comments(1))) == (1, 1)


async def test_a_limit_of_one_installation_is_none_of_anothers(world: World) -> None:
    first, second = await of_installations(world, "app:7", "app:8")
    world.forge.fail("create_comment", CONTENT)
    await two_runs(first, second)
    await world.work()
    written = [len(first.status_comments(1)), len(second.status_comments(1))]
    assert sorted(written) == [0, 1]
    waiting = first if written[0] == 0 else second
    assert await closed_until(waiting, "content") is not None
    assert await closed_until(second if waiting is first else first, "content") is None


@pytest.mark.parametrize(("installation", "waits"), [("app:7", True), ("app:8", False)])
async def test_runs_of_one_installation_wait_together_without_asking(
    world: World, installation: str, waits: bool
) -> None:
    first, second = await of_installations(world, "app:7", installation)
    await two_runs(first, second)
    async with world.db.transaction() as tx:
        await limits.close_bucket(tx, "app:7", "core", retry_after=MINUTES, cause="test", now=world.clock.now())
    await world.turn()
    there = {one.repository.id: one for one in (first, second)}
    async with world.db.reading() as reader:
        found = await reader.all(dict, "select repository_id, status from runs")
    status = {there[row["repository_id"]].repository.full_name: row["status"] for row in found}
    assert status == {"acme/shop": "waiting", "acme/second": "waiting" if waits else "preparing"}
    await world.tick(130)
    assert len(world.workloads.launches) == 2


async def test_content_is_written_at_most_once_a_second_in_an_installation(world: World) -> None:
    first, second = await of_installations(world, "app:7", "app:7")
    await two_runs(first, second)
    await world.turn()
    before = world.calls("create_comment")
    written = []
    for _ in range(4):
        await effects.perform_reserved(world.outside)
        written.append(world.calls("create_comment") - before)
        world.clock.advance(timedelta(seconds=0.6))
    assert written == [1, 1, 2, 2]


async def test_a_new_repository_is_known_to_its_installation_before_it_is_asked_anything(world: World) -> None:
    await effects.perform_reserved(world.outside)
    other = await beside(world)
    world.forge.install(other.repository.forge_repository_id, "app:7")
    async with world.db.transaction() as tx:
        await limits.close_bucket(tx, "app:7", "core", retry_after=MINUTES, cause="test", now=world.clock.now())
    assert await closed_until(other) is None
    calls = len(world.forge.calls)
    await effects.perform_reserved(world.outside)
    assert await closed_until(other) == world.clock.now() + MINUTES
    assert len(world.forge.calls) == calls


async def test_what_cannot_be_learned_has_limits_of_its_own_until_an_answer_says_whose_they_are(world: World) -> None:
    world.forge.fail("rate", NotSent("no connection"), times=2)
    await effects.perform_reserved(world.outside)
    own = limit_rows.own_key(world.repository.id)
    async with world.db.reading() as reader:
        assert await limit_rows.installation_of(reader, world.repository.id, "bot") == own
    world.forge.install(world.repository.forge_repository_id, "app:7")
    world.forge.fail("create_comment", CONTENT)
    await world.started()
    async with world.db.reading() as reader:
        assert await limit_rows.installation_of(reader, world.repository.id, "bot") == "app:7"
    assert ("app:7", "content") in await rows(world)


async def test_the_bots_and_the_management_credentials_limits_are_apart(world: World) -> None:
    refused = Unauthenticated("bad credentials", code="forge.unauthenticated")
    world.forge.fail("add_label", refused)
    run = await world.deliver_result(await world.started())
    assert run.status is RunStatus.SUCCEEDED
    number = world.repository.forge_repository_id
    bot, management = (world.forge.installation_of(number, purpose) for purpose in ("bot", "management"))
    found = await rows(world)
    assert bot != management
    assert found[management, "core"]["cause"] == "auth"  # type: ignore[index]
    assert found[bot, "core"]["cause"] is None  # type: ignore[index]


async def test_a_primary_limit_met_by_a_comment_closes_what_it_is_drawn_from(world: World) -> None:
    world.forge.fail("create_comment", LimitReached("spent", retry_after=MINUTES, code="forge.rate_limited"))
    await world.started()
    assert await closed_until(world, "core") == await closed_until(world, "content") is not None


async def waits_again(world: World, hours: float, *, tokens: int) -> RunStatus:
    """Let the run's attempt meet the model's limit, and the time until it opens pass."""
    run = await world.run_of(1)
    await world.register(run)
    at = world.clock.now() + timedelta(hours=hours)
    await world.report(run, "rate_limited", resume_at=at, tokens_in=tokens, tokens_out=tokens)
    await world.work()
    await world.tick(hours * 3600 + 1)
    return (await world.fresh(run)).status


async def test_a_limit_met_again_and_again_fails_the_run_after_a_day_in_all(world: World) -> None:
    await world.launched()
    assert await waits_again(world, 10, tokens=0) is RunStatus.PREPARING
    assert await waits_again(world, 10, tokens=0) is RunStatus.PREPARING
    assert await waits_again(world, 10, tokens=0) is RunStatus.FAILED
    run = await world.run_of(1)
    assert run.code == "rate_limit_exhausted"
    assert (await world.waits_of(run))[-1].status == "expired"


async def test_a_run_that_gets_on_between_two_limits_has_a_day_for_each(world: World) -> None:
    await world.launched()
    for _ in range(3):
        assert await waits_again(world, 10, tokens=9) is RunStatus.PREPARING


async def test_the_launch_is_one_transition_and_one_event(world: World) -> None:
    run = await world.launched()
    kinds = await world.events(run)
    assert kinds.count("run.preparing") == 1
    assert kinds.count("run.profile.resolved") == 1
    told = dict(await world.journal(f"run:{run.id}"))["run.profile.resolved"]
    assert (told["branch"], told["base_sha"], told["model_source"]) == (run.branch, run.base_sha, run.model_source)
    assert told["version"] == run.version


async def test_an_act_nobody_knows_of_is_not_looked_up_while_the_limit_is_closed(world: World) -> None:
    await effects.perform_reserved(world.outside)
    world.forge.fail("add_reaction", OutcomeUnknown("lost"), after=True)
    await world.trigger(world.issue())
    await effects.perform_reserved(world.outside)
    whose = world.forge.installation_of(world.repository.forge_repository_id, "bot")
    async with world.db.transaction() as tx:
        await limits.close_bucket(tx, whose, "core", retry_after=MINUTES, cause="test", now=world.clock.now())
    world.clock.advance(timedelta(seconds=61))
    assert await effects.resolve_unknown(world.outside) == 0
    world.clock.advance(timedelta(seconds=61))
    assert await effects.resolve_unknown(world.outside) == 1
    assert world.calls("own_reactions") == 1


async def test_publishing_asks_nothing_while_the_limit_is_closed(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await checks.check_proposals(world.outside)
    await world.report(run)
    whose = world.forge.installation_of(world.repository.forge_repository_id, "bot")
    async with world.db.transaction() as tx:
        await limits.close_bucket(tx, whose, "core", retry_after=MINUTES, cause="test", now=world.clock.now())
    await world.turn()
    calls = len(world.forge.calls)
    await world.turn()
    assert (await world.fresh(run)).status is RunStatus.WAITING
    assert len(world.forge.calls) == calls
    assert world.branch(str(run.branch)) is None
    await world.tick(130)
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("kind", [WaitKind.APPROVAL, WaitKind.OWNER_REVIEW])
async def test_an_approval_nobody_gave_in_time_stays_open_and_is_marked(world: World, kind: WaitKind) -> None:
    run = await world.started()
    now = world.clock.now()
    async with world.db.transaction() as tx:
        await moves.open_wait(
            tx, run, kind, target_kind="request", target_id="r-1", who_can_act="project_admin", now=now
        )
        await moves.pause(tx, run, now=now)
        await tx.execute("update waits set deadline_at = %(at)s", at=now + MINUTES)
    world.clock.advance(2 * MINUTES)
    for _ in range(2):
        await waits.settle_waits(world.outside)
    (kept,) = await world.waits_of(run)
    assert (kept.status, kept.mark) == ("open", "approval_expired")
    assert (await world.fresh(run)).status is RunStatus.WAITING
