"""Keep deliveries; hand a decision on in one transaction: facts, ledger, run request, effects, journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stagewright.contexts.intake import store
from stagewright.contexts.intake.events import WebhookIgnored, WebhookReceived
from stagewright.contexts.intake.model import LedgerRow, NewDelivery
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx

MAX_REMOVALS = 3
REMOVAL_WINDOW = timedelta(hours=1)
OWN_EFFECT_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One label act to decide about, whether a webhook told of it or the scan found it."""

    source: str
    correlation_id: str
    delivery_id: str | None
    event: str
    action: str
    thread: int
    is_pull_request: bool
    label: str
    sender: workflow.Sender
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read live before deciding."""

    repository: projects.Repository
    policy: workflow.Policy
    thread: workflow.LiveThread | None
    standing: workflow.Standing
    engines_available: frozenset[str]


async def keep_deliveries(tx: Tx, deliveries: Sequence[NewDelivery], *, now: datetime) -> frozenset[str]:
    """Insert deliveries together; return the ids that were new."""
    return await store.keep(tx, deliveries, now=now)


async def hand_on(tx: Tx, occurrence: Occurrence, seen: Seen, *, clock: Clock) -> workflow.Decision:
    """Decide about a label act and write everything that follows from it."""
    repository = seen.repository
    await store.lock_thread(tx, repository.id, occurrence.thread)
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
    await _write(tx, occurrence, seen, key, decision, world, clock=clock)
    return decision


async def _world(tx: Tx, occurrence: Occurrence, seen: Seen, key: str, *, now: datetime) -> workflow.World:
    repository, thread = seen.repository, occurrence.thread
    active = await runs.find_active(tx, repository.id, "work", f"issue:{thread}")
    talk = await runs.find_active(tx, repository.id, "talk", f"issue:{thread}")
    links = await runs.list_links(tx, repository.id, thread)
    profile = await store.find_profile(tx, repository.id, thread)
    return workflow.World(
        bound=True,
        enabled=repository.state is projects.RepositoryState.ENABLED,
        bound_at=repository.bound_at,
        now=now,
        thread=seen.thread,
        standing=seen.standing,
        active_work_run=_active(active),
        talk_run=_active(talk),
        links=tuple(_link(link) for link in reversed(links)),
        handled_at=await store.handled_at(tx, repository.id, thread, key),
        own_effect=await _is_own(tx, occurrence, repository, now),
        engines_available=seen.engines_available,
        profile=workflow.StoredProfile(profile[0], workflow.ProfileSource(profile[1])) if profile else None,
        succeeded_stages=await runs.succeeded_stages(tx, repository.id, thread),
        accepted_result=any(link.state in ("merged", "superseded", "approved") for link in links),
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


def _link(link: runs.Link) -> workflow.Link:
    return workflow.Link(
        stage=link.stage,
        branch=link.branch,
        state=link.state,
        in_this_repository=True,
        pr_number=link.pr_number,
        head_sha=link.head_sha,
    )


async def _write(
    tx: Tx,
    occurrence: Occurrence,
    seen: Seen,
    key: str,
    decision: workflow.Decision,
    world: workflow.World,
    *,
    clock: Clock,
) -> None:
    now = clock.now()
    run_id: UUID | None = None
    match decision:
        case workflow.Start(request=request):
            run = await runs.request_run(tx, _run_request(occurrence, seen, request, world), clock=clock)
            run_id = run.id
            await _keep_profile(tx, occurrence, seen, request, now=now)
            tx.publish(WebhookReceived(**_facts(occurrence, seen), run_id_started=run.id))
        case workflow.Refuse():
            await _refuse(tx, occurrence, seen, key, decision, now=now)
        case _:
            pass
    reason = str(getattr(decision, "reason", "")) or None
    verdict = type(decision).__name__.lower()
    if not isinstance(decision, workflow.Start):
        tx.publish(
            WebhookIgnored(
                **_facts(occurrence, seen),
                verdict=verdict,
                reason=reason or verdict,
                binding_resolved=True,
                conflicting_labels=getattr(decision, "conflicting", ()),
                suggested_labels=getattr(decision, "suggested", ()),
            )
        )
    if _belongs_in_ledger(occurrence, decision):
        row = LedgerRow(
            repository_id=seen.repository.id,
            thread=occurrence.thread,
            label=key,
            occurred_at=occurrence.occurred_at,
            source=occurrence.source,
            decision=verdict,
            reason=reason,
            run_id=run_id,
            delivery_id=occurrence.delivery_id,
        )
        await store.add_ledger(tx, row, now=now)


NOT_HANDLED = frozenset({"issue_event_not_trigger_label", "event_not_used", "trigger_already_handled"})


def _belongs_in_ledger(occurrence: Occurrence, decision: workflow.Decision) -> bool:
    if occurrence.action != "labeled":
        return False
    return not (isinstance(decision, workflow.Ignore) and decision.reason.value in NOT_HANDLED)


def _facts(occurrence: Occurrence, seen: Seen) -> dict[str, Any]:
    return {
        "project_id": seen.repository.project_id,
        "delivery_id": occurrence.delivery_id,
        "event": occurrence.event,
        "action": occurrence.action,
        "sender": occurrence.sender.login,
        "repository_id": seen.repository.id,
        "repository": seen.repository.full_name,
        "thread": occurrence.thread,
        "label": occurrence.label,
    }


def _run_request(
    occurrence: Occurrence, seen: Seen, request: workflow.StartRequest, world: workflow.World
) -> runs.RunRequest:
    choice = workflow.resolve_mode(request.kind, seen.policy, None, cluster=False)
    notes: list[str] = []
    mode, source = request.mode, "policy_stage"
    if isinstance(choice, workflow.ModeChoice):
        mode, source = choice.mode, choice.source
        if choice.fallback:
            notes.append(choice.fallback)
            source = choice.fallback
    if request.skipped:
        notes.append(f"skipped:{', '.join(request.skipped)}")
    target = request.target
    return runs.RunRequest(
        project_id=seen.repository.project_id,
        repository_id=seen.repository.id,
        lane=request.lane,
        subject=f"issue:{occurrence.thread}",
        issue_number=occurrence.thread,
        pr_number=target.pr_number if target else None,
        stage=request.stage,
        kind=request.kind,
        role=request.role or "dev",
        trigger_source=occurrence.source,
        trigger_label=request.label_key,
        requested_by_kind="forge",
        requested_by=occurrence.sender.login or "-",
        correlation_id=occurrence.correlation_id,
        occurred_at=occurrence.occurred_at,
        policy_hash=seen.policy.hash,
        launch_profile=request.profile.profile,
        mode=mode.value,
        runtime_source=source,
        env=workflow.target_environment(request.kind, mode, seen.policy) or "none",
        access_profile=workflow.access_profile(request.kind, mode, seen.policy),
        limit_seconds=request.limit_minutes * 60,
        locale=seen.policy.defaults.locale,
        branch=target.branch if target else None,
        notes=tuple(notes),
        world={
            "profile": {"profile": request.profile.profile, "source": request.profile.source.value},
            "accepted_result": world.accepted_result,
            "platform_needs_input": world.platform_needs_input,
        },
    )


async def _keep_profile(
    tx: Tx, occurrence: Occurrence, seen: Seen, request: workflow.StartRequest, *, now: datetime
) -> None:
    await store.set_profile(
        tx,
        seen.repository.id,
        occurrence.thread,
        profile=request.profile.profile,
        source=request.profile.source.value,
        stage=request.stage,
        by=occurrence.sender.login or "-",
        now=now,
    )


async def _refuse(
    tx: Tx, occurrence: Occurrence, seen: Seen, key: str, refusal: workflow.Refuse, *, now: datetime
) -> None:
    """One diagnostic comment per cause; the trigger label is taken off at most three times an hour."""
    repository = seen.repository
    sender = occurrence.sender.login or "-"
    if refusal.comment:
        project = await projects.get_project(tx, repository.project_id)
        conflict = {"label": occurrence.label, "labels": list(refusal.conflicting)} if refusal.conflicting else None
        about_sender = workflow.is_sender_reason(refusal.reason)
        labels = [] if about_sender else [occurrence.label, *refusal.conflicting]
        await runs.post_diagnostic(
            tx,
            repository_id=repository.id,
            thread=occurrence.thread,
            reason=refusal.reason,
            fingerprint=[*(label.casefold() for label in labels), sender],
            remedy=_remedy(refusal, project.locale),
            conflicting=refusal.conflicting,
            suggested=refusal.suggested,
            locale=project.locale,
            conflict=conflict,
            now=now,
        )
    removed = await store.count_removals(tx, repository.id, occurrence.thread, key, since=now - REMOVAL_WINDOW)
    if refusal.remove_label and removed < MAX_REMOVALS:
        await runs.change_labels(
            tx,
            repository.id,
            occurrence.thread,
            cause=f"refused:{occurrence.correlation_id}",
            remove=[occurrence.label],
            now=now,
        )
    if refusal.add_need_input:
        await runs.change_labels(
            tx,
            repository.id,
            occurrence.thread,
            cause=f"refused:{occurrence.correlation_id}",
            add=[workflow.label_text("need:input", seen.policy)],
            now=now,
        )


def _remedy(refusal: workflow.Refuse, locale: str) -> str:
    text = workflow.refusal_text(refusal.reason, locale, refusal.remedy.params)
    return f"{text.reason}\n\n{text.remedy}"
