"""Find what no delivery told of, trigger labels and changed pull requests: the state scan (workflow, section 16)."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.intake import store
from stagewright.contexts.intake.ports import ForgeThread
from stagewright.contexts.intake.reconcile.finding import Scanned, discussion_act, opened, said
from stagewright.contexts.intake.reconcile.outside import Outside, look, look_at_pulls
from stagewright.contexts.intake.usecases import (
    Occurrence,
    Seen,
    answered_otherwise,
    follow_pulls,
    hand_on,
    ledger_key,
)
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import LimitReached, StagewrightError, Unauthenticated
from stagewright.kit.journal import Actor

log = structlog.get_logger(__name__)
EVERY = timedelta(minutes=5)
FULL_EVERY = timedelta(hours=24)
OVERLAP = timedelta(minutes=10)
SLACK = timedelta(seconds=2)
AGAIN = timedelta(minutes=1)
SPREAD_PERCENT = 20
BATCH = 20


async def scan_repositories(outside: Outside, *, every: timedelta = EVERY) -> int:
    """Scan every enabled repository whose turn has come: every ``every`` ± 20 %."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        enabled = await projects.list_enabled(reader)
    for repository in enabled:
        if repository.scanned_at is None or now - repository.scanned_at >= _spread(repository, every):
            async with outside.db.exclusive(f"intake.scan:{repository.id}") as mine:
                if mine:
                    await _scan_alone(outside, repository, every)
    return 0


def _spread(repository: projects.Repository, every: timedelta) -> timedelta:
    """Return the repository's own pause until its next scan, so that many repositories are not read at once."""
    seed = hashlib.sha256(f"{repository.id}:{repository.scanned_at}".encode()).digest()[0]
    percent = 100 - SPREAD_PERCENT + 2 * SPREAD_PERCENT * seed // 255
    return every * percent / 100


async def _scan_alone(outside: Outside, repository: projects.Repository, every: timedelta) -> None:
    async with outside.db.reading() as reader:
        if await runs.blocked_bucket(reader, repository.id, now=outside.clock.now()) is not None:
            return  # its limit is closed; the next pass after that
    try:
        await _scan(outside, repository)
    except StagewrightError as error:
        log.warning("scan postponed", repository=repository.full_name, code=error.stable_code, reason=error.message)
        await _scan_again_soon(outside, repository, every, error)


async def _scan_again_soon(
    outside: Outside, repository: projects.Repository, every: timedelta, error: StagewrightError
) -> None:
    """Keep where the last good scan was, close what a limit closes, and come back in a minute."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        await runs.note_forge_refusal(tx, repository.id, "core", error, now=now)
        await projects.set_scanned(
            tx,
            repository.id,
            cursor=repository.scan_cursor or repository.bound_at,
            etag=repository.scan_etag,
            full=False,
            now=min(now, now - every * (100 - SPREAD_PERCENT) / 100 + AGAIN),
        )


async def _scan(outside: Outside, repository: projects.Repository) -> None:
    started = outside.clock.now()
    full = repository.fully_scanned_at is None or started - repository.fully_scanned_at >= FULL_EVERY
    since = None if full or repository.scan_cursor is None else repository.scan_cursor - OVERLAP
    etag = None if full else repository.scan_etag
    found = await outside.threads.updated_threads(repository, since, etag)
    failures = await _scan_pulls(outside, repository, found.threads, full=full)
    failures += await _scan_threads(outside, repository, found.threads, full=full)
    if failures:
        raise failures[0]
    async with outside.db.transaction() as tx:
        await projects.set_scanned(tx, repository.id, cursor=started, etag=found.etag, full=full, now=started)


async def _scan_pulls(
    outside: Outside, repository: projects.Repository, threads: Sequence[ForgeThread], *, full: bool
) -> list[StagewrightError]:
    """Follow the linked pull requests that changed; the list of open threads hides those that were closed.

    What is known of a thread from deliveries says nothing here: a later one hides an earlier one that was lost.
    """
    async with outside.db.reading() as reader:
        linked = await runs.list_link_numbers(reader, repository.id)
    listed = [thread.number for thread in threads if thread.number in linked]
    if full:
        listed += [number for number, is_open in linked.items() if is_open and number not in listed]
    failures: list[StagewrightError] = []
    for number in listed:
        try:
            await _follow(outside, repository, number)
        except (LimitReached, Unauthenticated):
            raise
        except StagewrightError as error:
            failures.append(error)
    return failures


async def _follow(outside: Outside, repository: projects.Repository, number: int) -> None:
    """Follow a linked pull request, and decide about a request for changes that nobody told of."""
    pulls = await look_at_pulls(outside, repository, [number])
    correlation = f"scan:{repository.id}:{number}"
    async with outside.db.transaction(Actor("forge", "github"), correlation_id=correlation) as tx:
        await follow_pulls(tx, repository, pulls, now=outside.clock.now())
    asked = pulls[0].asks if pulls else None
    if asked is None:
        return
    policy = await outside.refresh_policy(repository)
    if not await _is_handled(outside, repository, asked, policy):
        await hand_on_found(outside, repository, asked, policy)


async def decide_deferred(outside: Outside) -> int:
    """Decide about reviews that were put off because a run was active, once it has ended: one request for each pull
    request, by what its newest review says now."""
    async with outside.db.reading() as reader:
        put_off = await store.list_deferred(reader, limit=BATCH)
    for repository_id, number in put_off:
        async with outside.db.reading() as reader:
            repository = await projects.find_repository(reader, repository_id)
            link = await runs.find_link(reader, repository_id, number)
            subject = f"issue:{link.issue_number}" if link and link.issue_number is not None else f"pr:{number}"
            busy = await runs.find_active(reader, repository_id, "work", subject)
            closed = await runs.blocked_bucket(reader, repository_id, now=outside.clock.now())
        if repository is not None and busy is None and closed is None:
            async with outside.db.exclusive(f"intake.deferred:{repository_id}:{number}") as mine:
                if mine:
                    await _decide_again(outside, repository, number)
    return 0


async def _decide_again(outside: Outside, repository: projects.Repository, number: int) -> None:
    pulls = await look_at_pulls(outside, repository, [number])
    if pulls and pulls[0].asks is not None:
        await hand_on_found(outside, repository, pulls[0].asks, await outside.refresh_policy(repository))
        return
    async with outside.db.transaction(Actor("forge", "github")) as tx:
        await store.settle_deferred(tx, answered_otherwise(repository.id, number, now=outside.clock.now()))


async def _scan_threads(
    outside: Outside, repository: projects.Repository, threads: Sequence[ForgeThread], *, full: bool
) -> list[StagewrightError]:
    """Look at every thread with a trigger label or an active run; one that cannot be read now hides no other."""
    busy = await _busy(outside, repository)
    worth: list[ForgeThread | int] = [thread for thread in threads if thread.labels or thread.number in busy]
    if full:
        listed = {thread.number for thread in threads}
        worth += [number for number in busy if number not in listed]
    policy = await outside.refresh_policy(repository)  # also with nothing to do: people preview steps by what is kept
    failures: list[StagewrightError] = []
    for seen in worth:
        try:
            thread = seen if isinstance(seen, ForgeThread) else await outside.threads.thread(repository, seen)
            if thread is not None:
                await _scan_thread(outside, repository, Scanned(thread, policy, busy.get(thread.number, ())))
        except (LimitReached, Unauthenticated):
            raise
        except StagewrightError as error:
            failures.append(error)
    return failures


async def _busy(outside: Outside, repository: projects.Repository) -> dict[int, list[runs.Run]]:
    """Return the active runs of each thread, Issues and pull requests."""
    async with outside.db.reading() as reader:
        active = await runs.list_active(reader, repository.id)
    by_thread: dict[int, list[runs.Run]] = {}
    for run in active:
        for number in {run.pr_number} if run.lane == "review" else {run.issue_number, run.pr_number}:
            if number is not None:
                by_thread.setdefault(number, []).append(run)
    return by_thread


async def _scan_thread(outside: Outside, repository: projects.Repository, scanned: Scanned) -> None:
    if not scanned.worth_reading:
        return
    number = scanned.thread.number
    acts = await outside.threads.acts(repository, number)
    for found in scanned.found(acts):
        if found.fact is None:
            await _report_unknown(outside, repository, number, found.label or "-")
        elif not await _is_handled(outside, repository, found.fact, scanned.policy):
            await hand_on_found(outside, repository, found.fact, scanned.policy)
    since = scanned.discussed_since(acts)
    if since is not None:
        await _scan_remarks(outside, repository, scanned, max(since, repository.bound_at))


async def open_first(outside: Outside, said: workflow.CommentEvent, seen: Seen) -> Seen:
    """Decide about the label that opened a discussion before what is said in it, if that news did not come yet: the
    run is the label's, whichever is told first. What was said before the label was put on is said in no discussion."""
    thread, repository = seen.thread, seen.repository
    if thread is None or workflow.DISCUSSION not in workflow.label_keys(thread.labels, seen.policy):
        return seen
    async with outside.db.reading() as reader:
        talks = await runs.find_active(reader, repository.id, "talk", f"issue:{thread.number}")
    if talks is not None:
        return seen
    act = discussion_act(thread.labels, await outside.threads.acts(repository, thread.number), seen.policy)
    if act is None:
        return seen
    opening = opened(thread.number, act)
    if not await _is_handled(outside, repository, opening, seen.policy):
        await hand_on_found(outside, repository, opening, seen.policy)
    if said.occurred_at >= opening.occurred_at:
        return seen
    return replace(seen, thread=replace(thread, labels=tuple(one for one in thread.labels if one != act.label)))


async def _scan_remarks(outside: Outside, repository: projects.Repository, scanned: Scanned, since: datetime) -> None:
    """Decide about comments of a discussion that nobody told of; the platform's own are none."""
    number = scanned.thread.number
    async with outside.db.reading() as reader:
        bot = await runs.bot_login(reader, repository)
    for remark in await outside.threads.remarks(repository, number, since):
        own = bot is not None and (remark.author_login or "").casefold() == bot.casefold()
        fact = said(number, remark)
        if not own and not await _is_handled(outside, repository, fact, scanned.policy):
            await hand_on_found(outside, repository, fact, scanned.policy)


async def _is_handled(
    outside: Outside, repository: projects.Repository, fact: workflow.ThreadFact, policy: workflow.Policy
) -> bool:
    key = ledger_key(fact, policy)
    if key is None:
        return False
    async with outside.db.reading() as reader:
        handled = await store.handled_at(reader, repository.id, fact.thread, key)
    return handled is not None and handled >= fact.occurred_at - SLACK


async def hand_on_found(
    outside: Outside, repository: projects.Repository, fact: workflow.ThreadFact, policy: workflow.Policy
) -> None:
    """Decide about a fact that was read, not told."""
    what = fact.label if isinstance(fact, workflow.LabelEvent) else fact.action
    if isinstance(fact, workflow.CommentEvent):
        what = f"comment:{fact.comment_id}"
    correlation = f"scan:{repository.id}:{fact.thread}:{what}:{fact.occurred_at.isoformat(timespec='seconds')}"
    seen = await look(outside, repository, fact, policy=policy)
    async with outside.db.transaction(Actor("forge", fact.sender.login or "-"), correlation_id=correlation) as tx:
        await hand_on(tx, Occurrence(fact=fact, correlation_id=correlation), seen, clock=outside.clock)


async def _report_unknown(outside: Outside, repository: projects.Repository, thread: int, label: str) -> None:
    async with outside.db.transaction() as tx:
        await incidents.report(
            tx,
            level="warning",
            source="intake.scan",
            code="label_event_missing",
            message=f"thread {thread} of {repository.full_name} has {label} but no event says who set it",
            project_id=repository.project_id,
            now=outside.clock.now(),
        )
