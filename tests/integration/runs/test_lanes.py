"""A7.2: a lane of a subject has one active run, whoever asks for the next one and however many ask at once."""

import asyncio

import pytest
from tests import factories
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.api import Run, request_run
from stagewright.contexts.runs.errors import RepositoryNotBound, RunAlreadyActive

WAITING = "select count(*) from pg_locks where not granted"


async def asked(world: World, name: str, **changes: object) -> Run:
    """Ask for a run of issue 1, in a transaction of its own."""
    request = factories.a_run_request(
        world.repository, now=world.clock.now(), correlation_id=name, **{"issue_number": 1, **changes}
    )
    async with world.db.transaction() as tx:
        return await request_run(tx, request, clock=world.clock)


async def test_an_issue_has_one_active_run(world: World) -> None:
    first = await asked(world, "first")
    with pytest.raises(RunAlreadyActive, match="issue:1 already has an active run in lane work"):
        await asked(world, "second", stage="qa", kind="qa", role="qa", trigger_label="run:qa")
    assert (await asked(world, "first")).id == first.id, "the same request is answered again"
    assert (await asked(world, "elsewhere", issue_number=2)).id != first.id
    assert (await asked(world, "talking", lane="talk")).id != first.id
    await world.cancel(await world.fresh(first))
    await world.work()
    assert (await asked(world, "third")).id != first.id


async def test_of_many_requests_at_once_one_starts_a_run(world: World) -> None:
    answers = await asyncio.gather(*(asked(world, f"request {n}") for n in range(8)), return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, Run)]) == 1
    assert len([answer for answer in answers if isinstance(answer, RunAlreadyActive)]) == 7
    assert await world.count_runs() == 1


async def test_nothing_starts_for_a_repository_that_was_unbound_just_now(world: World) -> None:
    async with world.db.transaction() as tx:
        await projects.unbind_repository(tx, world.repository, now=world.clock.now())
    with pytest.raises(RepositoryNotBound, match="the repository is bound no more"):
        await asked(world, "late")
    assert await world.count_runs() == 0


async def test_a_request_waits_for_an_unbinding_that_is_under_way(world: World) -> None:
    async with world.db.transaction() as tx:
        locked = await projects.lock_bound(tx, world.repository.id)
        assert locked is not None
        late = asyncio.create_task(asked(world, "late"))
        async with asyncio.timeout(20):
            while not await tx.value(WAITING):  # noqa: ASYNC110 - the server waits: no event can tell
                await asyncio.sleep(0)
        await projects.unbind_repository(tx, locked, now=world.clock.now())
    with pytest.raises(RepositoryNotBound):
        await asyncio.wait_for(late, 20)
    assert await world.count_runs() == 0
