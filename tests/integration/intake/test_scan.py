"""The state scan repairs what no delivery told of, reads little, and hides nothing behind a thread that fails."""

from datetime import timedelta

from tests.world import World

from stagewright.contexts.intake import store
from stagewright.contexts.intake.reconcile import retention, scan
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.errors import NotSent
from stagewright.kit.errors import LimitReached


async def scanned(world: World, *, every: timedelta = scan.EVERY) -> None:
    await scan.scan_repositories(world.intake, every=every)


async def test_a_lost_webhook_is_repaired_by_the_scan(world: World) -> None:
    issue = world.issue()
    world.put_label(issue, "run:dev")
    await scanned(world)
    run = await world.run_of(issue)
    assert run.trigger_source == "scan"
    assert run.requested_by == "ann"
    assert run.correlation_id.startswith(f"scan:{world.repository.id}:{issue}:run:dev:")


async def test_the_scan_authorises_like_a_webhook(world: World) -> None:
    issue = world.issue()
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    world.put_label(issue, "run:dev", by="eve")
    await scanned(world)
    await world.work()
    assert await world.count_runs() == 0
    assert "`sender_not_allowed`" in world.diagnostics(issue)[0]


async def test_a_label_nobody_is_known_to_have_set_starts_nothing_and_is_reported(world: World) -> None:
    issue = world.issue()
    world.thread(issue).labels.append("run:dev")
    await scanned(world)
    assert await world.count_runs() == 0
    assert await world.incidents() == {"label_event_missing"}


async def test_a_run_on_a_closed_issue_is_not_ended_by_the_closing_before_it(world: World) -> None:
    issue = world.issue()
    world.forge.close(world.repository.forge_repository_id, issue)
    world.put_label(issue, "run:doc-audit")
    for _ in range(2):
        await scanned(world, every=timedelta(0))
        world.clock.advance(timedelta(minutes=1))
    assert (await world.run_of(issue)).status == "queued"


async def test_a_repository_is_scanned_every_five_minutes_and_in_full_once_a_day(world: World) -> None:
    for _ in range(3):
        await scanned(world)
    assert world.calls("updated_threads") == 1
    world.clock.advance(timedelta(minutes=7))
    await scanned(world)
    assert world.calls("updated_threads") == 2
    since = [what for act, what in world.forge.calls if act == "updated_threads"]
    assert since[0] is None, "the first scan is a full one"
    assert since[1] is not None
    world.clock.advance(timedelta(hours=25))
    await scanned(world)
    assert [what for act, what in world.forge.calls if act == "updated_threads"][-1] is None


async def test_scans_of_many_repositories_are_spread(world: World) -> None:
    pauses = set()
    for number in range(40):
        moved = world.clock.now() + timedelta(seconds=number)
        async with world.db.transaction() as tx:
            await projects.set_scanned(tx, world.repository.id, cursor=moved, etag=None, full=True, now=moved)
            (repository,) = await projects.list_enabled(tx)
        pauses.add(scan._spread(repository, scan.EVERY))
    assert min(pauses) >= timedelta(minutes=4)
    assert max(pauses) <= timedelta(minutes=6)
    assert len(pauses) > 10


async def test_a_thread_that_cannot_be_read_hides_no_other_and_is_looked_at_again_soon(world: World) -> None:
    first, second = world.issue(), world.issue()
    world.put_label(first, "run:dev")
    world.put_label(second, "run:dev")
    world.forge.fail("acts", NotSent("no connection"))
    await scanned(world)
    assert await world.count_runs() == 1
    await scanned(world)
    assert await world.count_runs() == 1, "not at once again"
    world.clock.advance(timedelta(minutes=3))
    await scanned(world)
    assert await world.count_runs() == 2


async def test_a_limit_stops_the_scan_for_everybody_until_it_opens(world: World) -> None:
    issue = world.issue()
    world.put_label(issue, "run:dev")
    limit = LimitReached("slow down", retry_after=timedelta(minutes=20), code="forge.rate_limited", bucket="core")
    world.forge.fail("updated_threads", limit)
    await scanned(world)
    world.clock.advance(timedelta(minutes=10))
    await scanned(world)
    assert world.calls("updated_threads") == 1
    world.clock.advance(timedelta(minutes=11))
    await scanned(world)
    assert await world.count_runs() == 1


async def test_a_scan_that_finds_nothing_asks_for_nothing_more(world: World) -> None:
    world.issue()
    await scanned(world)
    assert [act for act, _ in world.forge.calls] == ["updated_threads"]


async def test_bodies_of_deliveries_go_after_a_week_and_rows_after_a_month(world: World) -> None:
    for number in range(3):
        await world.deliver("ping", {"zen": "x"}, delivery_id=f"d-{number}")
        if number < 2:
            await world.decide()
        world.clock.advance(timedelta(days=11))
    await retention.sweep_deliveries(world.intake)
    async with world.db.reading() as reader:
        left = await reader.all(
            lambda row: (str(row["delivery_id"]), bool(row["payload"])),
            "select delivery_id, payload from webhook_deliveries order by 1",
        )
    assert left == [("d-1", False), ("d-2", True)], "an undecided delivery is kept whole"


async def test_a_stage_that_is_not_on_the_issues_path_raises_its_profile_and_says_so(world: World) -> None:
    issue = world.issue()
    async with world.db.transaction() as tx:
        await store.set_profile(
            tx,
            world.repository.id,
            issue,
            profile="quick-fix",
            source="chosen",
            stage="dev",
            by="ann",
            now=world.clock.now(),
        )
    world.put_label(issue, "run:design")
    await scanned(world)
    (told,) = [body for kind, body in await world.journal() if kind == "run.stage.escalated"]
    assert (told["from"], told["to"], told["reasons"]) == ("quick-fix", "feature", ["stage_not_on_profile_path"])
    run = await world.run_of(issue)
    assert run.launch_profile == "feature"
    async with world.db.reading() as reader:
        assert await store.find_profile(reader, world.repository.id, issue) == ("feature", "escalated")
