"""RN9, RN21: limits are never exceeded, nobody hides anybody, nothing is lost under many workers."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.reconcile.admission import admit_queued
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import queue as queue_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import admission
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.contexts.runs.usecases.request import request_run
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Database

SIGNER = MacSigner(factories.KEYRING, "approval-capability")
LIMITS = workflow.builtin_policy().limits
HOLDING = "('preparing', 'running', 'finishing', 'cancelling')"


async def a_place(db: Database, clock: FakeClock, key: str, number: int) -> projects.Repository:
    """Return a repository of a project of its own."""
    async with db.transaction() as tx:
        project = await factories.a_project(tx, now=clock.now(), key=key, name=key)
        found = projects.ForgeRepository(number, f"acme/{key}", "main", f"http://f/{key}", f"http://f/{key}.git", False)
        return await factories.a_repository(tx, project, found, now=clock.now())


async def queued(db: Database, clock: FakeClock, place: projects.Repository, issue: int, role: str = "dev") -> Run:
    """Queue a run."""
    request = factories.a_run_request(
        place, now=clock.now(), issue_number=issue, role=role, correlation_id=f"{place.full_name}:{issue}"
    )
    async with db.transaction() as tx:
        return await request_run(tx, request, clock=clock)


async def admit_one(db: Database, clock: FakeClock, place: projects.Repository) -> Run | None:
    async with db.transaction() as tx:
        return await admission.admit_next(tx, place.project_id, signer=SIGNER, now=clock.now())


async def statuses(db: Database) -> Counter[str]:
    async with db.reading() as reader:
        rows = await reader.all(
            lambda row: (str(row["s"]), int(row["n"])), "select status as s, count(*) as n from runs group by 1"
        )
    return Counter(dict(rows))


async def test_rn9_a_project_without_capacity_does_not_hide_the_one_behind_it(world: World) -> None:
    busy = world.repository
    other = await a_place(world.db, world.clock, "other", 77)
    for issue in range(1, LIMITS.roles["dev"].code_only + 2):
        await queued(world.db, world.clock, busy, issue)
        await admit_one(world.db, world.clock, busy)
    waiting = await world.run_of(LIMITS.roles["dev"].code_only + 1)
    assert waiting.status is RunStatus.QUEUED
    behind = await queued(world.db, world.clock, other, 1)
    await admit_queued(world.outside)
    assert (await world.fresh(behind)).status is RunStatus.PREPARING
    waiting = await world.fresh(waiting)
    assert waiting.status is RunStatus.QUEUED
    limit = LIMITS.roles["dev"].code_only
    assert waiting.admission_reason == f"role_limit:dev:code-only:{limit}/{limit}"


async def test_rn9_a_role_without_capacity_does_not_hide_another_role(world: World) -> None:
    qa = LIMITS.roles["qa"].code_only
    for issue in range(1, 251):
        await queued(world.db, world.clock, world.repository, issue, "qa")
    km = await queued(world.db, world.clock, world.repository, 999, "km")
    await admit_queued(world.outside)
    assert (await world.fresh(km)).status is RunStatus.PREPARING
    assert (await statuses(world.db))["preparing"] == qa + 1


async def test_an_explanation_changes_only_when_it_differs(world: World) -> None:
    for issue in range(1, LIMITS.roles["dev"].code_only + 2):
        await queued(world.db, world.clock, world.repository, issue)
    for _ in range(3):
        await admit_queued(world.outside)
    waiting = await world.run_of(LIMITS.roles["dev"].code_only + 1)
    assert (await world.events(waiting)).count("run.queued") == 2


async def test_a_run_that_goes_on_is_admitted_before_a_new_one(world: World) -> None:
    await queued(world.db, world.clock, world.repository, 1)
    old = await queued(world.db, world.clock, world.repository, 2)
    async with world.db.transaction() as tx:
        await tx.execute("update runs set resumed = true where id = %(id)s", id=old.id)
    first = await admit_one(world.db, world.clock, world.repository)
    assert first is not None
    assert first.id == old.id


async def test_work_waits_until_the_talk_of_its_issue_has_ended(world: World) -> None:
    talk = factories.a_run_request(
        world.repository,
        now=world.clock.now(),
        lane="talk",
        kind="discussion",
        stage=None,
        role="km",
        correlation_id="talk",
    )
    async with world.db.transaction() as tx:
        talking = await request_run(tx, talk, clock=world.clock)
    work = await queued(world.db, world.clock, world.repository, 1)
    await admit_queued(world.outside)
    waiting = await world.fresh(work)
    assert (waiting.status, waiting.admission_reason) == (RunStatus.QUEUED, "talk_run_ending")
    await world.cancel(talking)
    await admit_queued(world.outside)
    assert (await world.fresh(work)).status is RunStatus.PREPARING


@pytest.mark.timeout(180)
async def test_rn21_sixteen_workers_exceed_no_limit_lose_no_run_and_starve_none(
    world: World, dsn: str, clock: FakeClock
) -> None:
    """Sixteen workers admit, end and cancel 500 runs of four projects, aborted at random; a witness counts."""
    chance = random.Random(21)
    places = [world.repository] + [await a_place(world.db, clock, f"p{n}", 100 + n) for n in range(1, 4)]
    roles = ("dev", "qa", "km", "sa")
    for issue in range(1, 126):
        for place in places:
            await queued(world.db, clock, place, issue, roles[issue % 4])
    assert (await statuses(world.db))["queued"] == 500
    async with Database.open(dsn, clock=clock, max_size=12) as shared:
        hands = [replaced(world, shared, f"w{number}") for number in range(16)]
        over = asyncio.Event()
        witness = asyncio.create_task(watch_limits(world.db, places, over))
        await asyncio.gather(*(a_worker(outside, chance, over) for outside in hands))
        assert await witness > 0
    done = await statuses(world.db)
    assert done["succeeded"] + done["cancelled"] == 500, done
    assert done["succeeded"] > 400


def replaced(world: World, db: Database, name: str) -> Outside:
    """Return a worker on a pool of its own."""
    outside = world.worker(name)
    return type(outside)(**{**{field: getattr(outside, field) for field in outside.__slots__}, "db": db})


async def a_worker(outside: Outside, chance: random.Random, over: asyncio.Event) -> None:
    """Admit and end runs until none is left; one pass in five is aborted somewhere."""
    while not over.is_set():
        work = asyncio.create_task(one_pass(outside, chance))
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 0.02)
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        async with outside.db.reading() as reader:
            left = await reader.value("select count(*) from runs where finished_at is null")
        if not left:
            over.set()


async def one_pass(outside: Outside, chance: random.Random) -> None:
    await admit_queued(outside)
    async with outside.db.reading() as reader:
        holding = await reader.all(lambda row: row["id"], f"select id from runs where status in {HOLDING}")
    for run_id in holding:
        if chance.random() < 0.5:
            await end_run(outside, run_id, cancelled=chance.random() < 0.05)


async def end_run(outside: Outside, run_id: UUID, *, cancelled: bool) -> None:
    """Take a run through its life at once, as its workload and the publishing would; or cancel it."""
    async with outside.db.transaction() as tx:
        run = await run_rows.lock(tx, run_id)
        if run.status is not RunStatus.PREPARING:
            return
        if cancelled:
            await cancel_run(tx, run_id, cause="person", clock=outside.clock)
            return
        await tx.execute(
            "update runs set status = 'succeeded', finished_at = %(now)s, version = version + 1 where id = %(id)s",
            id=run_id,
            now=outside.clock.now(),
        )


async def watch_limits(db: Database, places: list[projects.Repository], over: asyncio.Event) -> int:
    """Look at committed snapshots until the end: at no moment is a limit exceeded."""
    looks = 0
    while not over.is_set():
        async with db.reading() as reader:
            total = await queue_rows.platform_load(reader)
            loads = [await queue_rows.project_load(reader, place.project_id) for place in places]
        assert total <= LIMITS.platform_total
        for load in loads:
            assert sum(load.values()) <= LIMITS.project.total
            for (role, mode), used in load.items():
                assert used <= LIMITS.roles[role].of(workflow.Mode(mode)), (role, mode)
        looks += 1
        await asyncio.sleep(0.01)
    return looks
