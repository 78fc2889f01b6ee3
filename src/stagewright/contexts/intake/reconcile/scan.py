"""Find trigger labels no delivery told of: the state scan (specification: workflow, section 16)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.intake import store
from stagewright.contexts.intake.ports import ForgeThread, LabelAct
from stagewright.contexts.intake.reconcile.outside import Outside, look
from stagewright.contexts.intake.usecases import Occurrence, hand_on
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import StagewrightError
from stagewright.kit.journal import Actor

log = structlog.get_logger(__name__)
EVERY = timedelta(minutes=5)
FULL_EVERY = timedelta(hours=24)
OVERLAP = timedelta(minutes=10)
SLACK = timedelta(seconds=2)


async def scan_repositories(outside: Outside, *, every: timedelta = EVERY) -> int:
    """Scan every enabled repository whose turn has come."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        enabled = await projects.list_enabled(reader)
    due = [item for item in enabled if item.scanned_at is None or now - item.scanned_at >= every]
    for repository in due:
        async with outside.db.exclusive(f"intake.scan:{repository.id}") as mine:
            if not mine:
                continue
            try:
                await _scan(outside, repository)
            except StagewrightError as error:
                log.warning(
                    "scan postponed", repository=repository.full_name, code=error.stable_code, reason=error.message
                )
    return 0


async def _scan(outside: Outside, repository: projects.Repository) -> None:
    started = outside.clock.now()
    full = repository.fully_scanned_at is None or started - repository.fully_scanned_at >= FULL_EVERY
    since = None if full or repository.scan_cursor is None else repository.scan_cursor - OVERLAP
    etag = None if full else repository.scan_etag
    found = await outside.threads.updated_threads(repository, since, etag)
    for thread in found.threads:
        await _scan_thread(outside, repository, thread)
    async with outside.db.transaction() as tx:
        await projects.set_scanned(tx, repository.id, cursor=started, etag=found.etag, full=full, now=started)


async def _scan_thread(outside: Outside, repository: projects.Repository, thread: ForgeThread) -> None:
    if thread.is_pull_request:
        return
    policy = await outside.refresh_policy(repository)
    triggers = [label for label in thread.labels if workflow.is_trigger_text(label, policy)]
    if not triggers:
        return
    acts = await outside.threads.label_acts(repository, thread.number)
    for label in triggers:
        await _scan_label(outside, repository, thread, label, acts, policy)


async def _scan_label(
    outside: Outside,
    repository: projects.Repository,
    thread: ForgeThread,
    label: str,
    acts: Sequence[LabelAct],
    policy: workflow.Policy,
) -> None:
    act = _newest(acts, label)
    if act is None:
        await _report_unknown(outside, repository, thread, label)
        return
    key = workflow.label_key(label, policy) or label
    async with outside.db.reading() as reader:
        handled = await store.handled_at(reader, repository.id, thread.number, key)
    if handled is not None and handled >= act.at - SLACK:
        return
    await _hand_on(outside, repository, thread, label, act)


def _newest(acts: Sequence[LabelAct], label: str) -> LabelAct | None:
    same = [act for act in acts if act.action == "labeled" and act.label.casefold() == label.casefold()]
    return max(same, key=lambda act: act.at, default=None)


async def _hand_on(
    outside: Outside, repository: projects.Repository, thread: ForgeThread, label: str, act: LabelAct
) -> None:
    sender = workflow.Sender(act.actor_type, act.actor_login, act.actor_id)
    correlation = f"scan:{repository.id}:{thread.number}:{label}:{_second(act.at)}"
    occurrence = Occurrence(
        source="scan",
        correlation_id=correlation,
        delivery_id=None,
        event="issues",
        action="labeled",
        thread=thread.number,
        is_pull_request=False,
        label=label,
        sender=sender,
        occurred_at=act.at,
    )
    seen = await look(outside, repository, thread.number, sender)
    async with outside.db.transaction(Actor("forge", sender.login or "-"), correlation_id=correlation) as tx:
        await hand_on(tx, occurrence, seen, clock=outside.clock)


def _second(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


async def _report_unknown(outside: Outside, repository: projects.Repository, thread: ForgeThread, label: str) -> None:
    async with outside.db.transaction() as tx:
        await incidents.report(
            tx,
            level="warning",
            source="intake.scan",
            code="label_event_missing",
            message=f"thread {thread.number} of {repository.full_name} has {label} but no event says who set it",
            project_id=repository.project_id,
            now=outside.clock.now(),
        )
