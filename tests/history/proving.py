"""Prove a history: the same acts on two repositories, one whose webhooks all come, one whose webhooks are mangled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from stagewright.contexts.intake.reconcile.outside import Outside
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.errors import NotSent
from stagewright.kit.db import Database
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.mortal import Killed, Life, MortalDatabase
from tests.history.acts import Act, do, plan_interval
from tests.history.places import Place
from tests.history.telling import Webhook

DROPPED, DOUBLED = 0.30, 0.20
CRASHED, UNANSWERED = 0.40, 0.25
READS = ("thread", "permission", "pull", "reviews", "acts", "updated_threads", "remarks")
INTERVALS = (2, 4)
LAST_RETRY = timedelta(minutes=11)
FOUND = "select correlation_id like 'scan:%%' as scanned from runs where repository_id = %(r)s"
FULL_SCAN_GAP = timedelta(hours=25)


@dataclass
class Tally:
    """What the histories of many seeds held together. ``failed``: the seeds whose runs differ."""

    seeds: int = 0
    acts: int = 0
    webhooks: int = 0
    dropped: int = 0
    doubled: int = 0
    crashes: int = 0
    unanswered: int = 0
    runs: int = 0
    found_by_scan: int = 0
    failed: tuple[int, ...] = ()


@dataclass
class Prover:
    """Two platforms with one forge and one clock: ``whole`` hears everything, ``lossy`` does not, but scans.

    A history is its seed: ``python -m tests.history 17`` lives the one of seed 17 again.
    """

    clock: FakeClock
    forge: FakeForge
    whole: Database
    lossy: Database
    projects: tuple[projects.Project, projects.Project]
    scans: int = 2
    tally: Tally = field(default_factory=Tally)

    @classmethod
    async def make(cls, whole: Database, lossy: Database, clock: FakeClock) -> "Prover":
        """Prepare both platforms."""
        made = [await _project(db, clock) for db in (whole, lossy)]
        return cls(clock, FakeForge(clock), whole, lossy, (made[0], made[1]))

    async def prove(self, seed: int) -> None:
        """Live one history. Raises ``AssertionError`` that names the seed, the interval and what differs."""
        whole = await Place.make(self.whole, self.clock, self.forge, self.projects[0], f"whole/{seed}")
        lossy = await Place.make(self.lossy, self.clock, self.forge, self.projects[1], f"lossy/{seed}")
        rng, told = Random(seed), []
        try:
            for number in range(rng.randint(*INTERVALS)):
                acts = await self._interval(whole, lossy, Random(f"{seed}:{number}"))
                told.append(", ".join(map(str, acts)) or "nothing")
                await self._compare(whole, lossy, f"seed {seed}, interval {number}:\n  " + "\n  ".join(told))
                await self._agents(whole, lossy, f"{seed}:{number}")
                await self._compare(whole, lossy, f"seed {seed}, after the agents of {number}:\n  " + "\n  ".join(told))
            await self._count(lossy)
        finally:
            await whole.forget()
            await lossy.forget()

    async def _interval(self, whole: Place, lossy: Place, rng: Random) -> list[Act]:
        acts = plan_interval(whole, await _families(whole), rng)
        for act in acts:
            self.clock.advance(timedelta(seconds=rng.randint(4, 40)))
            do(whole, act)
            do(lossy, act)
            await _hear(whole)
        self.tally.acts += len(acts)
        await self._mangled(lossy, rng)
        for _ in range(self.scans):
            self.clock.advance(timedelta(minutes=5, seconds=rng.randint(0, 40)))
            await self._may_crash(lossy.scan, lossy, rng)
            await lossy.perform()
            await self._may_crash(lossy.decide, lossy, rng)
        if rng.random() < 0.1:
            self.clock.advance(FULL_SCAN_GAP)
        return acts

    async def _mangled(self, place: Place, rng: Random) -> None:
        """Drop, double and shuffle what the forge told, and decide it by workers that die."""
        left: list[tuple[Webhook, int]] = []
        for webhook in place.take():
            self.tally.webhooks += 1
            if rng.random() < DROPPED:
                self.tally.dropped += 1
                continue
            left.append((webhook, 0))
            if rng.random() < DOUBLED:
                self.tally.doubled += 1
                left.append((webhook, rng.randint(0, 1)))
        rng.shuffle(left)
        while left:
            batch = [left.pop() for _ in range(min(len(left), rng.randint(1, 5)))]
            for webhook, again in batch:
                await place.keep(webhook, again)
            await self._may_crash(place.decide, place, rng)
            if rng.random() < 0.5:
                await place.perform()
            self.clock.advance(timedelta(seconds=rng.randint(1, 30)))

    async def _may_crash(self, work: Callable[[Outside], Awaitable[None]], place: Place, rng: Random) -> None:
        """Let workers do the work that die at some moment, or that the forge does not answer; then one that can."""
        while rng.random() < CRASHED:
            if rng.random() < UNANSWERED:
                self.tally.unanswered += 1
                self.forge.fail(rng.choice(READS), NotSent("no connection"))
                await work(place.outside)
                self.forge.heal()
                continue
            life = Life(rng.randint(0, 6), after=rng.random() < 0.5)
            try:
                await work(place.mortal(MortalDatabase(place.db, life)))
            except Killed:
                self.tally.crashes += 1
        await work(place.outside)

    async def _agents(self, whole: Place, lossy: Place, name: str) -> None:
        self.clock.advance(timedelta(seconds=30))

        def fate(run: runs.Run) -> Random:
            return Random(f"{name}:{run.subject}:{run.lane}:{run.kind}")

        for place in (whole, lossy):
            await place.agents_work(fate)
            await place.perform()
            await place.decide_deferred()
        await _hear(whole)
        self.clock.advance(timedelta(seconds=10))

    async def _compare(self, whole: Place, lossy: Place, what: str) -> None:
        expected, got = await whole.outcome(), await lossy.outcome()
        assert got == expected, f"{what}\nwithout loss: {expected}\nwith losses:  {got}"

    async def _count(self, lossy: Place) -> None:
        self.tally.seeds += 1
        async with lossy.db.reading() as reader:
            found = await reader.all(lambda row: bool(row["scanned"]), FOUND, r=lossy.repository.id)
        self.tally.runs += len(found)
        self.tally.found_by_scan += sum(found)


async def _hear(place: Place) -> None:
    """Decide what the forge told, at once and in order, and do what follows, until nothing is told any more."""
    while webhooks := place.take():
        for webhook in webhooks:
            await place.keep(webhook)
            await place.decide()
        await place.perform()


async def _project(db: Database, clock: FakeClock) -> projects.Project:
    async with db.transaction() as tx:
        await factories.an_owner(tx, now=clock.now())
        return await factories.a_project(tx, now=clock.now())


async def _families(place: Place) -> dict[int, list[int]]:
    """Return the pull requests of each Issue."""
    async with place.db.reading() as reader:
        linked = {issue: await runs.list_links(reader, place.repository.id, issue) for issue in (1, 2)}
    return {issue: [link.pr_number for link in links] for issue, links in linked.items()}
