"""WF7: lost, doubled and shuffled deliveries and workers that die change nothing about which runs there are."""

import os
from collections.abc import AsyncIterator, Iterable

import pytest
from tests import factories
from tests.conftest import TEMPLATE, Databases
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.mortal import Killed, Life, MortalDatabase
from tests.history.acts import Act, do
from tests.history.places import Place
from tests.history.proving import Prover

from stagewright.kit.db import Database

SEEDS = [int(seed) for seed in os.environ.get("STAGEWRIGHT_HISTORY_SEEDS", "").split()] or list(range(20))
BITES_WITHIN = 12
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def lossy(databases: Databases, clock: FakeClock) -> AsyncIterator[Database]:
    """Return the database of the platform that does not hear everything."""
    name = databases.make(TEMPLATE)
    async with Database.open(databases.dsn(name), clock=clock, max_size=6) as database:
        yield database
    databases.drop(name)


async def prove_all(prover: Prover, seeds: Iterable[int]) -> None:
    for seed in seeds:
        await prover.prove(seed)


async def test_histories_told_with_every_loss_end_in_the_runs_of_the_whole_ones(
    db: Database, lossy: Database, clock: FakeClock
) -> None:
    prover = await Prover.make(db, lossy, clock)
    await prove_all(prover, SEEDS)

    tally = prover.tally
    assert tally.seeds == len(SEEDS)
    if len(SEEDS) > BITES_WITHIN:
        assert 0.2 < tally.dropped / tally.webhooks < 0.4
        assert 0.05 < tally.doubled / tally.webhooks < 0.25
        assert min(tally.crashes, tally.runs, tally.found_by_scan) > 5, "the histories hold what they are about"


async def test_without_its_scans_the_platform_would_lose_runs(db: Database, lossy: Database, clock: FakeClock) -> None:
    prover = await Prover.make(db, lossy, clock)
    prover.scans = 0
    with pytest.raises(AssertionError, match=r"seed \d+, interval \d+"):
        await prove_all(prover, range(BITES_WITHIN))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_that_dies_at_any_border_of_a_transaction_leaves_one_run(
    db: Database, clock: FakeClock, after: bool
) -> None:
    """Claim, decide and hand on: at each border the first worker dies, the next one finds what it left."""
    async with db.transaction() as tx:
        await factories.an_owner(tx, now=clock.now())
        project = await factories.a_project(tx, now=clock.now())
    forge, moment = FakeForge(clock), 0
    while True:
        place = await Place.make(db, clock, forge, project, f"acme/shop-{moment}")
        do(place, Act("labels", 1, "ann", "run:vision"))
        (webhook,) = place.take()
        await place.keep(webhook)
        life = Life(moment, after=after)
        died = await _dies_of(place, life)
        await place.decide()
        await place.scan()
        runs, labels = await place.outcome()

        assert [run.split(" ")[:3] for run in runs] == [["work", "issue:1", "vision"]], f"moment {moment}"
        assert labels[1] == ["run:vision"]
        await place.forget()
        if not died:
            break
        moment += 1
    assert moment >= 1, "there was a border to die at"


async def _dies_of(place: Place, life: Life) -> bool:
    """Let a mortal worker decide; say whether it died."""
    try:
        await place.decide(place.mortal(MortalDatabase(place.db, life)))
    except Killed:
        return True
    return False
