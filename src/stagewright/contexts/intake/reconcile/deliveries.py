"""Claim kept deliveries, parse, read live, decide, hand on: one transaction per delivery."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.intake import rules, store
from stagewright.contexts.intake.errors import DeliveryInvalid
from stagewright.contexts.intake.events import WebhookIgnored
from stagewright.contexts.intake.model import Delivery, ParsedDelivery
from stagewright.contexts.intake.reconcile.outside import Outside, look
from stagewright.contexts.intake.reconcile.pushes import push_world, with_current_branch
from stagewright.contexts.intake.reconcile.scan import open_first
from stagewright.contexts.intake.usecases import (
    Occurrence,
    Seen,
    hand_on,
    keep_binding,
    keep_facts,
    speaks_for,
)
from stagewright.contexts.intake.usecases.deciding import reason_of, verdict_of
from stagewright.contexts.intake.usecases.facts import other_fact, thread_fact
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import LimitReached, StagewrightError, Unauthenticated
from stagewright.kit.journal import Actor

log = structlog.get_logger(__name__)
BATCH = 20
FIRST_RETRY = timedelta(seconds=5)
RETRY_CAP = timedelta(minutes=10)
MOST_TRIES = 10
LANES_AT_ONCE = 2
MISMATCH = {
    False: "a delivery named another repository than its address",
    True: "a delivery signed by one GitHub App named a repository that is bound through another",
}


async def decide_deliveries(outside: Outside) -> int:
    """Decide every due delivery: in order of receipt within a thread, one worker at a time for a thread."""
    async with outside.db.reading() as reader:
        due = await store.list_due(reader, now=outside.clock.now(), limit=BATCH)
    lanes: dict[str, list[Read]] = {}
    for delivery in due:
        read = _read(delivery)
        lanes.setdefault(read.lane, []).append(read)
    waiting = list(lanes.items())
    for first in range(0, len(waiting), LANES_AT_ONCE):
        await _each(_decide_lane(outside, name, lane) for name, lane in waiting[first : first + LANES_AT_ONCE])
    return len(due)


@dataclass(frozen=True, slots=True)
class Read:
    """A delivery and what it says; ``problem`` when it cannot be read."""

    delivery: Delivery
    parsed: ParsedDelivery | None
    problem: str | None = None

    @property
    def lane(self) -> str:
        """Return the name under which deliveries are decided one after the other."""
        if self.parsed is None or self.parsed.thread is None:
            return f"intake.delivery:{self.delivery.delivery_id}"
        return f"intake.thread:{self.parsed.forge_repository_id}:{self.parsed.thread}"


def _read(delivery: Delivery) -> Read:
    try:
        return Read(delivery, rules.parse(delivery.event, delivery.payload))
    except DeliveryInvalid as error:
        return Read(delivery, None, error.message)


async def _decide_lane(outside: Outside, name: str, lane: list[Read]) -> None:
    """Decide one after the other. What a delivery breaks on stops neither the next one nor itself for ever."""
    async with outside.db.exclusive(name) as mine:
        if not mine:
            return
        broken: list[BaseException] = []
        for read in lane:
            (ended,) = await asyncio.gather(_decide_one(outside, read), return_exceptions=True)
            if isinstance(ended, Exception):
                await _not_now(outside, read.delivery, ended)
            if isinstance(ended, BaseException) and not isinstance(ended, StagewrightError):
                broken.append(ended)
        if broken:
            raise broken[0]


async def _each(work: Iterable[Awaitable[None]]) -> None:
    for ended in await asyncio.gather(*work, return_exceptions=True):
        if ended is not None:
            raise ended


async def _decide_one(outside: Outside, read: Read) -> None:
    if read.parsed is None:
        await _write_plain(outside, read.delivery, None, None, reason="event_not_used", note=read.problem)
    else:
        await _decide_parsed(outside, read.delivery, read.parsed)


async def _decide_parsed(outside: Outside, delivery: Delivery, parsed: ParsedDelivery) -> None:
    repository = await _repository(outside, delivery, parsed)
    if repository is not None and not await _may_speak(outside, delivery, repository):
        await _write_plain(outside, delivery, parsed, repository, reason="repository_mismatch")
        return
    fact = thread_fact(parsed, delivery.received_at)
    if repository is None or fact is None:
        await _decide_told(outside, delivery, parsed, repository)
        return
    if repository.forge_repository_id != parsed.forge_repository_id:
        await _write_plain(outside, delivery, parsed, repository, reason="repository_mismatch")
        return
    if await _is_held_back(outside, delivery, repository):
        return
    try:
        await _decide_live(outside, delivery, parsed, repository, fact)
    except (LimitReached, Unauthenticated) as error:
        await _wait_for_forge(outside, delivery, repository, error)


async def _decide_live(
    outside: Outside,
    delivery: Delivery,
    parsed: ParsedDelivery,
    repository: projects.Repository,
    fact: workflow.ThreadFact,
) -> None:
    """Decide what needs the forge's word of now: every act on a thread that the matrix has a row for."""
    seen = await look(outside, repository, fact)
    if isinstance(fact, workflow.CommentEvent) and not fact.is_pull_request:
        seen = await open_first(outside, fact, seen)
    occurrence = Occurrence(fact=fact, correlation_id=delivery.delivery_id, delivery_id=delivery.delivery_id)
    await _hand_on(outside, delivery, parsed, occurrence, seen)


async def _hand_on(
    outside: Outside, delivery: Delivery, parsed: ParsedDelivery, occurrence: Occurrence, seen: Seen
) -> None:
    actor = Actor("forge", occurrence.sender.login or "-")
    async with outside.db.transaction(actor, correlation_id=delivery.delivery_id) as tx:
        if await store.lock(tx, delivery.delivery_id) is None:
            return
        now = outside.clock.now()
        await keep_facts(tx, seen.repository, parsed, received_at=delivery.received_at, now=now)
        decision = await hand_on(tx, occurrence, seen, clock=outside.clock)
        await store.set_decided(
            tx,
            delivery.delivery_id,
            verdict=verdict_of(decision),
            reason=reason_of(decision),
            action=parsed.action,
            thread=parsed.thread,
            repository_id=seen.repository.id,
        )


async def _is_held_back(outside: Outside, delivery: Delivery, repository: projects.Repository) -> bool:
    """A closed limit of the forge delays the decision; it is no failed try."""
    async with outside.db.reading() as reader:
        closed = await runs.blocked_bucket(reader, repository.id, now=outside.clock.now())
    if closed is None:
        return False
    async with outside.db.transaction(correlation_id=delivery.delivery_id) as tx:
        await store.delay(tx, delivery.delivery_id, closed[1])
    return True


async def _wait_for_forge(
    outside: Outside, delivery: Delivery, repository: projects.Repository, error: StagewrightError
) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=delivery.delivery_id) as tx:
        closed = await runs.note_forge_refusal(tx, repository.id, "core", error, now=now)
        await store.delay(tx, delivery.delivery_id, closed[1] if closed else now + RETRY_CAP)


async def _repository(outside: Outside, delivery: Delivery, parsed: ParsedDelivery) -> projects.Repository | None:
    async with outside.db.reading() as reader:
        if delivery.repository_id is not None:
            return await projects.find_repository(reader, delivery.repository_id)
        if parsed.forge_repository_id is None:
            return None
        return await projects.find_by_forge_id(reader, parsed.forge_repository_id, delivery.binding)


async def _may_speak(outside: Outside, delivery: Delivery, repository: projects.Repository) -> bool:
    """Say whether whoever signed the delivery may speak for the repository it names."""
    if delivery.app_id is None:
        return True
    async with outside.db.reading() as reader:
        return await speaks_for(reader, delivery.app_id, repository.id)


async def _decide_told(
    outside: Outside, delivery: Delivery, parsed: ParsedDelivery, repository: projects.Repository | None
) -> None:
    """Decide by what the delivery tells, but for a default branch that is not the binding's."""
    try:
        parsed = await with_current_branch(outside, repository, parsed)
    except (LimitReached, Unauthenticated) as error:
        assert repository is not None
        await _wait_for_forge(outside, delivery, repository, error)
        return
    await _decide_plain(outside, delivery, parsed, repository)


async def _decide_plain(
    outside: Outside,
    delivery: Delivery,
    parsed: ParsedDelivery,
    repository: projects.Repository | None,
) -> None:
    """Decide what starts nothing: facts are stored, the reason is journalled.

    A trigger in a repository that nobody registered is refused here. Nobody is told on the thread: no credential
    reaches it.
    """
    now = outside.clock.now()
    world = workflow.World(
        bound=repository is not None,
        enabled=repository is not None and repository.state is projects.RepositoryState.ENABLED,
        bound_at=repository.bound_at if repository else now,
        now=now,
        thread=None,
        standing=workflow.NOBODY,
        push=await push_world(outside, repository, parsed),
    )
    fact: workflow.Fact = other_fact(parsed, repository.forge_repository_id if repository else None)
    if repository is None:
        fact = thread_fact(parsed, delivery.received_at) or fact
    decision = workflow.decide(fact, world, workflow.builtin_policy())
    reason = reason_of(decision) or workflow.IgnoreReason.EVENT_NOT_USED.value
    verdict = verdict_of(decision)
    await _write_plain(outside, delivery, parsed, repository, reason=reason, verdict=verdict)


async def _write_plain(
    outside: Outside,
    delivery: Delivery,
    parsed: ParsedDelivery | None,
    repository: projects.Repository | None,
    *,
    reason: str,
    verdict: str = "ignore",
    note: str | None = None,
) -> None:
    async with outside.db.transaction(Actor("forge", "github"), correlation_id=delivery.delivery_id) as tx:
        if await store.lock(tx, delivery.delivery_id) is None:
            return
        if parsed is not None and reason != "repository_mismatch":
            now = outside.clock.now()
            if repository is not None:
                await keep_facts(tx, repository, parsed, received_at=delivery.received_at, now=now)
            await keep_binding(tx, parsed, repository, app_id=delivery.app_id)
        await store.set_decided(
            tx,
            delivery.delivery_id,
            verdict=verdict,
            reason=reason,
            action=parsed.action if parsed else None,
            thread=parsed.thread if parsed else None,
            repository_id=repository.id if repository else None,
        )
        tx.publish(
            WebhookIgnored(
                project_id=repository.project_id if repository else None,
                delivery_id=delivery.delivery_id,
                event=delivery.event,
                action=parsed.action if parsed else None,
                sender=parsed.sender_login if parsed else None,
                repository_id=repository.id if repository else None,
                repository=parsed.repository_name if parsed else None,
                thread=parsed.thread if parsed else None,
                label=parsed.label if parsed else None,
                verdict=verdict,
                reason=reason,
                binding_resolved=repository is not None,
            )
        )
        if reason == "repository_mismatch" or note is not None:
            await incidents.report(
                tx,
                level="warning",
                source="intake",
                code=f"webhook.{reason}" if note is None else "webhook.unreadable",
                message=note or MISMATCH[delivery.app_id is not None],
                project_id=repository.project_id if repository else None,
                now=outside.clock.now(),
            )


async def _not_now(outside: Outside, delivery: Delivery, error: Exception) -> None:
    """Try again later; after ten tries the delivery is dead and the scan repairs the loss."""
    now = outside.clock.now()
    code = error.stable_code if isinstance(error, StagewrightError) else "internal"
    delay = getattr(error, "retry_after", None) or min(RETRY_CAP, FIRST_RETRY * (1 << min(delivery.tries, 10)))
    log.warning("delivery postponed", delivery_id=delivery.delivery_id, code=code, reason=str(error))
    async with outside.db.transaction(correlation_id=delivery.delivery_id) as tx:
        dead = await store.postpone(tx, delivery.delivery_id, not_before=now + delay, most=MOST_TRIES, reason=code)
        if dead:
            await incidents.report(
                tx,
                level="error",
                source="intake",
                code="webhook.dead",
                message=f"a delivery could not be decided in {MOST_TRIES} tries: {error}",
                now=now,
            )
