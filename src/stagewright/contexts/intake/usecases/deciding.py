"""Hand a decision on in one transaction: ledger, run request, effects, journal."""

from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.intake import store
from stagewright.contexts.intake.events import WebhookIgnored, WebhookReceived
from stagewright.contexts.intake.model import LedgerRow
from stagewright.contexts.intake.usecases.discussing import answer
from stagewright.contexts.intake.usecases.ending import clean_up
from stagewright.contexts.intake.usecases.following import follow_pulls
from stagewright.contexts.intake.usecases.refusing import refuse
from stagewright.contexts.intake.usecases.reviewing import (
    CHANGES_REQUESTED,
    issues_of_pull,
    reviewed,
    seen_link,
    tell_review,
)
from stagewright.contexts.intake.usecases.starting import start
from stagewright.contexts.intake.usecases.words import Occurrence, PullSeen, Seen, facts_of
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx

__all__ = ["REVIEWED", "Occurrence", "PullSeen", "Seen", "answered_otherwise", "hand_on", "ledger_key"]

OWN_EFFECT_WINDOW = timedelta(minutes=10)
PUT_ON, REVIEWED = "labeled", "review:changes_requested"
NOT_HANDLED = frozenset(
    {
        "issue_event_not_trigger_label",
        "event_not_used",
        "trigger_already_handled",
        "review_sender_not_permitted",  # it would hide the review of somebody else that was lost
        "comment_on_pull_request",
        "own_comment",
        "discussion_not_enabled",
    }
)


async def hand_on(tx: Tx, occurrence: Occurrence, seen: Seen, *, clock: Clock) -> workflow.Decision:
    """Decide about an act on a thread and write everything that follows from it."""
    repository = seen.repository
    await store.lock_thread(tx, repository.id, occurrence.thread)
    await follow_pulls(tx, repository, seen.pulls, now=clock.now())
    world = await world_of(tx, occurrence, seen, now=clock.now())
    decision = workflow.decide(occurrence.fact, world, seen.policy)
    tell_review(tx, occurrence, seen, world, decision)
    run_id = await _carry_out(tx, occurrence, seen, decision, clock=clock)
    key = ledger_key(occurrence.fact, seen.policy)
    if key is not None and _belongs_in_ledger(decision):
        row = _ledger_row(occurrence, seen, key, decision, run_id)
        await store.add_ledger(tx, row, now=clock.now())
        if row.reason != workflow.IgnoreReason.DEFERRED_ACTIVE_RUN:
            await store.settle_deferred(tx, row)
    return decision


def ledger_key(fact: workflow.ThreadFact, policy: workflow.Policy) -> str | None:
    """Return what the ledger knows an act by: the label's key (its own text where the policy has none), or the word
    for requests for changes, for a comment, or for a question put down; None for acts that it does not keep."""
    if isinstance(fact, workflow.CommentEvent):
        return f"comment:{fact.comment_id}"
    if isinstance(fact, workflow.ReviewEvent):
        return REVIEWED if (fact.action, fact.state) == ("submitted", CHANGES_REQUESTED) else None
    if not isinstance(fact, workflow.LabelEvent):
        return None
    key = workflow.label_key(fact.label, policy)
    if fact.action != PUT_ON:
        return f"{key}:removed" if key == workflow.NEED_INPUT and not fact.is_pull_request else None
    return key or fact.label


async def world_of(reader: Reader, occurrence: Occurrence, seen: Seen, *, now: datetime) -> workflow.World:
    """Return everything a decision about the act looks at, from the rows and from what was read live."""
    repository, thread, key = seen.repository, occurrence.thread, ledger_key(occurrence.fact, seen.policy)
    issue, links = await _issue_of(reader, occurrence, seen)
    subject = f"pr:{thread}" if issue is None else f"issue:{issue}"
    profile = await store.find_profile(reader, repository.id, issue) if issue is not None else None
    finished = await runs.finished_stages(reader, repository.id, issue) if issue is not None else []
    newest_first = tuple(_link(link, seen) for link in reversed(links))
    handled = await store.handled_at(reader, repository.id, thread, key) if key is not None else None
    work = await runs.find_active(reader, repository.id, "work", subject)
    need_input = workflow.label_text(workflow.NEED_INPUT, seen.policy)
    return workflow.World(
        bound=True,
        enabled=repository.state is projects.RepositoryState.ENABLED,
        bound_at=repository.bound_at,
        now=now,
        thread=seen.thread,
        standing=seen.standing,
        active_work_run=_active(work),
        project_repair=_active(await runs.find_active_repair(reader, repository.project_id)),
        talk_run=_active(await runs.find_active(reader, repository.id, "talk", subject)),
        review_run=_active(await runs.find_active(reader, repository.id, "review", f"pr:{thread}")),
        links=newest_first,
        handled_at=handled,
        reviewed=await reviewed(reader, occurrence, seen) if _about_review(occurrence, seen) else None,
        own_effect=await _is_own(reader, occurrence, repository),
        declared=seen.declared,
        engines_available=seen.engines_available,
        profile=workflow.StoredProfile(profile[0], workflow.ProfileSource(profile[1])) if profile else None,
        succeeded_stages=frozenset(finished),
        last_stage=finished[0] if finished else None,
        question=await _question(reader, work),
        platform_needs_input=await runs.is_platform_label(reader, repository.id, issue, need_input),
        accepted_result=workflow.result_accepted(finished, profile[0] if profile else None, newest_first, seen.policy),
    )


def _about_review(occurrence: Occurrence, seen: Seen) -> bool:
    fact = occurrence.fact
    return isinstance(fact, workflow.ReviewEvent) or workflow.asks_for_review(fact, seen.policy)


async def _issue_of(reader: Reader, occurrence: Occurrence, seen: Seen) -> tuple[int | None, list[runs.Link]]:
    """Return the Issue an act is about and its links, oldest first; of a pull request: the Issue it belongs to."""
    repository_id, thread = seen.repository.id, occurrence.thread
    if not occurrence.fact.is_pull_request:
        return thread, await runs.list_links(reader, repository_id, thread)
    pull = seen.pull(thread)
    issues = await issues_of_pull(reader, repository_id, thread, pull.closes if pull is not None else ())
    if len(issues) == 1:
        return issues[0], await runs.list_links(reader, repository_id, issues[0])
    link = await runs.find_link(reader, repository_id, thread)
    return None, [link] if link is not None else []


async def _is_own(reader: Reader, occurrence: Occurrence, repository: projects.Repository) -> bool:
    """Say whether the act is an effect of ours; counted from the act, for the scan may find it much later."""
    bot = await runs.bot_login(reader, repository)
    about = occurrence.label is not None or isinstance(occurrence.fact, workflow.CommentEvent)
    if not about or bot is None or (occurrence.sender.login or "").casefold() != bot.casefold():
        return False
    if occurrence.label is None:
        return True
    kind = "label.add" if occurrence.fact.action == PUT_ON else "label.remove"
    return await runs.is_own_label_act(
        reader,
        repository.id,
        kind=kind,
        thread=occurrence.thread,
        label=occurrence.label,
        since=occurrence.fact.occurred_at - OWN_EFFECT_WINDOW,
    )


async def _question(reader: Reader, run: runs.Run | None) -> workflow.Question | None:
    """Return what the Issue's work run asks in its report."""
    active = _active(run)
    wait = await runs.find_report_question(reader, run.id) if run is not None else None
    return workflow.Question(active, str(wait.id), wait.opened_at) if active is not None and wait is not None else None


def _active(run: runs.Run | None) -> workflow.ActiveRun | None:
    if run is None:
        return None
    return workflow.ActiveRun(
        id=str(run.id),
        number=run.number,
        kind=run.kind,
        label=run.trigger_label,
        pr_number=run.pr_number,
        since=run.occurred_at,
    )


def _link(link: runs.Link, seen: Seen) -> workflow.Link:
    return seen_link(link, seen.pull(link.pr_number))


async def _carry_out(
    tx: Tx, occurrence: Occurrence, seen: Seen, decision: workflow.Decision, *, clock: Clock
) -> UUID | None:
    """Do what was decided and journal it; return the id of the run that was started."""
    if isinstance(decision, workflow.Start):
        run = await start(tx, occurrence, seen, decision.request, clock=clock)
        tx.publish(WebhookReceived(**facts_of(occurrence, seen), run_id_started=run.id))
        return run.id
    if isinstance(decision, workflow.Answer):
        await answer(tx, occurrence, seen, decision, now=clock.now())
        tx.publish(WebhookReceived(**facts_of(occurrence, seen)))
        return UUID(decision.question.run.id)
    if isinstance(decision, workflow.Cleanup):
        await clean_up(tx, occurrence, seen, decision, clock=clock)
        tx.publish(WebhookReceived(**facts_of(occurrence, seen)))
        return None
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
    """Return the decision's stored word. An answer lets a run start again."""
    return "start" if isinstance(decision, workflow.Answer) else type(decision).__name__.lower()


def reason_of(decision: workflow.Decision) -> str | None:
    """Return the decision's reason, if it has one."""
    return str(getattr(decision, "reason", "")) or None


def _belongs_in_ledger(decision: workflow.Decision) -> bool:
    return not (isinstance(decision, workflow.Ignore) and decision.reason.value in NOT_HANDLED)


def _ledger_row(
    occurrence: Occurrence, seen: Seen, key: str, decision: workflow.Decision, run_id: UUID | None
) -> LedgerRow:
    return LedgerRow(
        repository_id=seen.repository.id,
        thread=occurrence.thread,
        label=key,
        occurred_at=occurrence.fact.occurred_at,
        source=occurrence.fact.source,
        decision=verdict_of(decision),
        reason=reason_of(decision),
        run_id=run_id,
        delivery_id=occurrence.delivery_id,
    )


def answered_otherwise(repository_id: UUID, thread: int, *, now: datetime) -> LedgerRow:
    """Return what stands for requests for changes that were put off and hold no more: the newest review says so."""
    return LedgerRow(
        repository_id=repository_id,
        thread=thread,
        label=REVIEWED,
        occurred_at=now,
        source="scan",
        decision="ignore",
        reason=workflow.IgnoreReason.REVIEW_RECORDED.value,
        run_id=None,
        delivery_id=None,
    )
