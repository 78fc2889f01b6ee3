"""What the platform knows of the labels it wrote."""

import asyncio

from tests.factories import a_known_label
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.events import repository_frame
from stagewright.contexts.runs.usecases.binding import define_labels, label_states

WAITING = "select count(*) from pg_locks where not granted"
SYNCED = "repository.labels_synced"


async def test_a_label_that_was_written_is_known_by_its_text(world: World) -> None:
    async with world.db.transaction() as tx:
        before = await define_labels(tx, world.repository, now=world.clock.now())
    assert {item.state for item in before} == {"missing"}
    for _ in range(8):
        await world.tick(1, turns=1)
    async with world.db.reading() as reader:
        repository = await projects.get_repository(reader, world.repository.id)
        after = await label_states(reader, repository)
    assert {item.state for item in after} == {"ok"}
    told = [body for kind, body in await world.journal(f"repository:{repository.id}") if kind == SYNCED]
    assert told == [{"v": 1, "labels": len(after), **repository_frame(repository)}]


async def test_a_second_sync_of_the_same_day_mends_what_people_changed_since(world: World) -> None:
    async def synced(*, times: int = 1) -> int:
        for _ in range(times):
            async with world.db.transaction() as tx:
                await define_labels(tx, world.repository, now=world.clock.now())
        for _ in range(8):
            await world.tick(1, turns=1)
        async with world.db.reading() as reader:
            return int(await reader.value("select count(*) from effects where kind = 'label.define'"))

    labels = await synced()
    catalogue = world.forge.repositories[world.repository.forge_repository_id].labels
    catalogue.pop("run:dev")
    assert await synced(times=2) == 2 * labels, "what is still to be done is asked for once"
    assert "run:dev" in catalogue


async def test_the_last_two_labels_done_at_once_complete_the_bootstrap_once(world: World) -> None:
    repository = world.repository
    async with world.db.transaction() as tx:
        await projects.expect_labels(tx, repository.id, ["run:dev", "run:plan"])

    async def done(key: str) -> None:
        async with world.db.transaction() as tx:
            await projects.note_label_done(tx, a_known_label(repository.id, key))

    async with world.db.transaction() as tx:
        await projects.note_label_done(tx, a_known_label(repository.id, "run:dev"))
        other = asyncio.create_task(done("run:plan"))
        async with asyncio.timeout(20):
            while not await tx.value(WAITING):  # noqa: ASYNC110 - the server waits: no event can tell
                await asyncio.sleep(0)
    await asyncio.wait_for(other, 20)
    await done("run:plan")
    kinds = [kind for kind, _ in await world.journal(f"repository:{repository.id}")]
    assert kinds.count(SYNCED) == 1
