"""Hand a decision on in one transaction: ledger, run request, effects, journal."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.intake import store
from stagewright.contexts.intake.events import WebhookIgnored, WebhookReceived
from stagewright.contexts.intake.model import LedgerRow
from stagewright.contexts.intake.usecases.following import follow_pulls
from stagewright.contexts.intake.usecases.refusing import NEED_INPUT, refuse
from stagewright.contexts.intake.usecases.starting import start
from stagewright.contexts.intake.usecases.words import Occurrence, PullSeen, Seen, facts_of
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx

__all__ = ["Occurrence", "PullSeen", "Seen", "hand_on"]

OWN_EFFECT_WINDOW = timedelta(minutes=10)
UNDER_REVIEW = "in_review"
NOT_HANDLED = frozenset({"issue_event_not_trigger_label", "event_not_used", "trigger_already_handled"})


async def hand_on(tx: Tx, occurrence: Occurrence, seen: Seen, *, clock: Clock) -> workflow.Decision:
    """Decide about a label act and write everything that follows from it."""
    repository = seen.repository
    await store.lock_thread(tx, repository.id, occurrence.thread)
    await follow_pulls(tx, repository, seen.pulls, now=clock.now())
    key = workflow.label_key(occurrence.label, seen.policy) or occurrence.label
    world = await _world(tx, occurrence, seen, key, now=clock.now())
    fact = workflow.LabelEvent(
        event=occurrence.event,
        action=occurrence.action,
        repository_named_ok=True,
        thread=occurrence.thread,
        is_pull_request=occurrence.is_pull_request,
        label=occurrence.label,
        sender=occurrence.sender,
        occurred_at=occurrence.occurred_at,
        source=occurrence.source,
    )
    decision = workflow.decide(fact, world, seen.policy)
    run_id = await _carry_out(tx, occurrence, seen, decision, world, clock=clock)
    if _belongs_in_ledger(occurrence, decision):
        await store.add_ledger(tx, _ledger_row(occurrence, seen, key, decision, run_id), now=clock.now())
    return decision


async def _world(tx: Tx, occurrence: Occurrence, seen: Seen, key: str, *, now: datetime) -> workflow.World:
    repository, thread = seen.repository, occurrence.thread
    active = await runs.find_active(tx, repository.id, "work", f"issue:{thread}")
    talk = await runs.find_active(tx, repository.id, "talk", f"issue:{thread}")
    links = await runs.list_links(tx, repository.id, thread)
    profile = await store.find_profile(tx, repository.id, thread)
    need_input = workflow.label_text(NEED_INPUT, seen.policy)
    return workflow.World(
        bound=True,
        enabled=repository.state is projects.RepositoryState.ENABLED,
        bound_at=repository.bound_at,
        now=now,
        thread=seen.thread,
        standing=seen.standing,
        active_work_run=_active(active),
        talk_run=_active(talk),
        links=tuple(_link(link, seen.pulls) for link in reversed(links)),
        handled_at=await store.handled_at(tx, repository.id, thread, key),
        own_effect=await _is_own(tx, occurrence, repository, now),
        engines_available=seen.engines_available,
        profile=workflow.StoredProfile(profile[0], workflow.ProfileSource(profile[1])) if profile else None,
        succeeded_stages=await runs.succeeded_stages(tx, repository.id, thread),
        platform_needs_input=await runs.is_platform_label(tx, repository.id, thread, need_input),
        accepted_result=bool(links) and links[-1].state != UNDER_REVIEW,
    )


async def _is_own(reader: Reader, occurrence: Occurrence, repository: projects.Repository, now: datetime) -> bool:
    bot = await runs.bot_login(reader, repository)
    if bot is None or (occurrence.sender.login or "").casefold() != bot.casefold():
        return False
    kind = "label.add" if occurrence.action == "labeled" else "label.remove"
    return await runs.is_own_label_act(
        reader,
        repository.id,
        kind=kind,
        thread=occurrence.thread,
        label=occurrence.label,
        since=now - OWN_EFFECT_WINDOW,
    )


def _active(run: runs.Run | None) -> workflow.ActiveRun | None:
    if run is None:
        return None
    return workflow.ActiveRun(id=str(run.id), number=run.number, kind=run.kind, label=run.trigger_label)


def _link(link: runs.Link, pulls: Sequence[PullSeen]) -> workflow.Link:
    pull = next((item for item in pulls if item.number == link.pr_number), None)
    return workflow.Link(
        stage=link.stage,
        branch=link.branch,
        state=link.state,
        in_this_repository=pull is None or pull.in_repository,
        pr_number=link.pr_number,
        head_sha=link.head_sha,
        labels=pull.labels if pull is not None else (),
    )


async def _carry_out(
    tx: Tx, occurrence: Occurrence, seen: Seen, decision: workflow.Decision, world: workflow.World, *, clock: Clock
) -> UUID | None:
    """Do what was decided and journal it; return the id of the run that was started."""
    if isinstance(decision, workflow.Start):
        run = await start(tx, occurrence, seen, decision.request, world, clock=clock)
        tx.publish(WebhookReceived(**facts_of(occurrence, seen), run_id_started=run.id))
        return run.id
    if isinstance(decision, workflow.Refuse):
        await refuse(tx, occurrence, seen, decision, now=clock.now())
    tx.publish(
        WebhookIgnored(
            **facts_of(occurrence, seen),
            verdict=verdict_of(decision),
            reason=reason_of(decision) or verdict_of(decision),
            binding_resolved=True,
            conflicting_labels=getattr(decision, "conflicting", ()),
            suggested_labels=getattr(decision, "suggested", ()),
        )
    )
    return None


def verdict_of(decision: workflow.Decision) -> str:
    """Return the decision's stored word."""
    return type(decision).__name__.lower()


def reason_of(decision: workflow.Decision) -> str | None:
    """Return the decision's reason, if it has one."""
    return str(getattr(decision, "reason", "")) or None


def _belongs_in_ledger(occurrence: Occurrence, decision: workflow.Decision) -> bool:
    if occurrence.action != "labeled":
        return False
    return not (isinstance(decision, workflow.Ignore) and decision.reason.value in NOT_HANDLED)


def _ledger_row(
    occurrence: Occurrence, seen: Seen, key: str, decision: workflow.Decision, run_id: UUID | None
) -> LedgerRow:
    return LedgerRow(
        repository_id=seen.repository.id,
        thread=occurrence.thread,
        label=key,
        occurred_at=occurrence.occurred_at,
        source=occurrence.source,
        decision=verdict_of(decision),
        reason=reason_of(decision),
        run_id=run_id,
        delivery_id=occurrence.delivery_id,
    )
