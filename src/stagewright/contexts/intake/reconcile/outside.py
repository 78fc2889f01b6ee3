"""Everything intake's passes reach, and the live reads before a decision: thread, sender, linked pull requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.intake.ports import ForgeRemark, ForgeReview, ForgeThread, ForgeThreads, Stacks
from stagewright.contexts.intake.usecases import PullSeen, Seen, issues_of_pull
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database

APPROVED, CHANGES_REQUESTED = "approved", "changes_requested"
VERDICTS = frozenset({APPROVED, CHANGES_REQUESTED, "dismissed"})
JUST_NOW = timedelta(hours=1)
OPEN_LINKS = frozenset({"in_review", "approved"})
RefreshPolicy = Callable[[projects.Repository], Awaitable[workflow.Policy]]


@dataclass(frozen=True, slots=True)
class Outside:
    """The worker's hands for intake."""

    db: Database
    clock: Clock
    threads: ForgeThreads
    refresh_policy: RefreshPolicy
    engines_available: Callable[[UUID, UUID], Awaitable[frozenset[str]]]
    stacks: Stacks


async def look(
    outside: Outside,
    repository: projects.Repository,
    fact: workflow.ThreadFact,
    *,
    policy: workflow.Policy | None = None,
) -> Seen:
    """Read live what a decision depends on: the thread, the sender's standing, the policy. Fails closed.

    Where an act asks for work or ends an Issue, the Issue's open pull requests too: a lost delivery of theirs does
    not matter.
    """
    found, standing, read, available = await asyncio.gather(
        outside.threads.thread(repository, fact.thread),
        standing_of(outside, repository, fact.sender, strangers=isinstance(fact, workflow.EndEvent)),
        outside.refresh_policy(repository) if policy is None else _nothing(),
        outside.engines_available(repository.project_id, repository.id),
        return_exceptions=True,
    )
    for ended in (found, standing, read, available):
        if isinstance(ended, BaseException):
            raise ended
    known = policy if policy is not None else read
    assert isinstance(known, workflow.Policy)
    assert isinstance(standing, workflow.Standing)
    assert isinstance(available, frozenset)
    return Seen(
        repository=repository,
        policy=known,
        thread=_live(found) if isinstance(found, ForgeThread) else None,
        standing=standing,
        engines_available=available,
        declared=await outside.stacks.runtime(repository),
        cluster=outside.stacks.cluster,
        **await _beside(outside, repository, fact, known),
    )


async def _beside(
    outside: Outside, repository: projects.Repository, fact: workflow.ThreadFact, policy: workflow.Policy
) -> dict[str, Any]:
    """Read what else a decision looks at: an Issue's open pull requests; of a review, given or asked for, its own
    and the Issue."""
    if _puts_question_down(fact, policy):
        return {"remarks": await _remarks_since_asked(outside, repository, fact.thread)}
    if not isinstance(fact, workflow.ReviewEvent) and not workflow.asks_for_review(fact, policy):
        return {"pulls": await _pulls_of(outside, repository, fact) if _needs_pulls(fact, policy) else ()}
    pulls = await look_at_pulls(outside, repository, [fact.thread])
    async with outside.db.reading() as reader:
        issues = await issues_of_pull(reader, repository.id, fact.thread, pulls[0].closes if pulls else ())
    if len(issues) != 1:
        return {"pulls": pulls}
    found = await outside.threads.thread(repository, issues[0])
    return {"pulls": pulls, "issue": _live(found) if found is not None else None}


def _puts_question_down(fact: workflow.ThreadFact, policy: workflow.Policy) -> bool:
    if not isinstance(fact, workflow.LabelEvent) or fact.is_pull_request or fact.action != "unlabeled":
        return False
    return workflow.label_key(fact.label, policy) == workflow.NEED_INPUT


async def _remarks_since_asked(
    outside: Outside, repository: projects.Repository, issue: int
) -> tuple[ForgeRemark, ...]:
    """Return what permitted people wrote since the Issue's run asked; nothing where none asks."""
    async with outside.db.reading() as reader:
        run = await runs.find_active(reader, repository.id, "work", f"issue:{issue}")
        wait = await runs.find_report_question(reader, run.id) if run is not None else None
        bot = await runs.bot_login(reader, repository)
    if wait is None:
        return ()
    since = wait.opened_at.replace(microsecond=0)  # the forge tells whole seconds
    return await permitted_remarks(outside, repository, issue, since, bot)


async def permitted_remarks(
    outside: Outside, repository: projects.Repository, number: int, since: datetime, bot: str | None
) -> tuple[ForgeRemark, ...]:
    """Return the comments since then whose authors may start runs, oldest first; the platform's own are none."""
    permitted: dict[str | None, bool] = {}
    kept = []
    for remark in await outside.threads.remarks(repository, number, since):
        who = remark.author_login
        if bot is not None and (who or "").casefold() == bot.casefold():
            continue
        if who not in permitted:
            sender = workflow.Sender(remark.author_type, who, remark.author_id)
            standing = await standing_of(outside, repository, sender)
            permitted[who] = workflow.guard_sender(sender, standing) is None
        if permitted[who]:
            kept.append(remark)
    return tuple(kept)


def _needs_pulls(fact: workflow.ThreadFact, policy: workflow.Policy) -> bool:
    if isinstance(fact, workflow.CommentEvent):
        return False
    if isinstance(fact, workflow.LabelEvent):
        return fact.action == "labeled" and workflow.is_trigger_text(fact.label, policy)
    return not fact.is_pull_request


async def _pulls_of(
    outside: Outside, repository: projects.Repository, fact: workflow.ThreadFact
) -> tuple[PullSeen, ...]:
    """Read the open pull requests of the Issue, and those merged about the time of the act: it may follow from that."""
    async with outside.db.reading() as reader:
        links = await runs.list_links(reader, repository.id, fact.thread)
    just_merged = [link for link in links if link.merged_at and abs(fact.occurred_at - link.merged_at) <= JUST_NOW]
    known = [link for link in links if link.state in OPEN_LINKS] + just_merged
    return await look_at_pulls(outside, repository, [link.pr_number for link in known])


async def standing_of(
    outside: Outside, repository: projects.Repository, sender: workflow.Sender, *, strangers: bool = False
) -> workflow.Standing:
    """Return what the sender may do here; the forge is asked about those who may start runs with us, and about
    ``strangers`` only where its permission alone can decide: at a merge."""
    async with outside.db.reading() as reader:
        person = await identity.standing_of_sender(reader, sender.user_id, repository.project_id)
    asked = sender.login if person.may_start or strangers else None
    return workflow.Standing(
        platform_user=person.platform_user,
        platform_role=person.platform_role,
        project_role=person.project_role,
        member=person.project_role is not None,
        may_start=person.may_start,
        forge_permission=await outside.threads.permission(repository, asked) if asked else None,
    )


async def look_at_pulls(
    outside: Outside, repository: projects.Repository, numbers: Sequence[int]
) -> tuple[PullSeen, ...]:
    """Read linked pull requests as they are now, an open one with its reviews; one that is gone is left out."""
    seen: list[PullSeen] = []
    for number in numbers:
        pull = await outside.threads.pull(repository, number)
        if pull is None:
            continue
        verdict = await _verdict(outside, repository, number) if pull.open else None
        facts = runs.PullRequestFacts(
            open=pull.open,
            merged=pull.merged,
            head_sha=pull.head_sha,
            approved=verdict is not None and verdict.state == APPROVED if pull.open else None,
            merged_at=pull.merged_at,
            reviewed_at=verdict.at if verdict is not None else None,
        )
        seen.append(
            PullSeen(
                number=number,
                facts=facts,
                in_repository=pull.in_repository,
                labels=pull.labels,
                seen_at=pull.updated_at,
                branch=pull.branch,
                base_branch=pull.base_branch,
                url=pull.url,
                closes=pull.closes,
                asks=_asks_for_changes(verdict, number) if verdict is not None else None,
            )
        )
    return tuple(seen)


async def _verdict(outside: Outside, repository: projects.Repository, number: int) -> ForgeReview | None:
    """Return the newest review by a permitted person; a comment is no verdict."""
    reviews = await outside.threads.reviews(repository, number)
    for review in reversed([item for item in reviews if item.state in VERDICTS]):
        if await _may_review(outside, repository, review):
            return review
    return None


def _asks_for_changes(review: ForgeReview, number: int) -> workflow.ReviewEvent | None:
    if review.state != CHANGES_REQUESTED:
        return None
    return workflow.ReviewEvent(
        event="pull_request_review",
        action="submitted",
        thread=number,
        is_pull_request=True,
        sender=_author(review),
        occurred_at=review.at,
        source=workflow.TriggerSource.SCAN,
        state=review.state,
    )


def _author(review: ForgeReview) -> workflow.Sender:
    return workflow.Sender(review.author_type, review.author_login, review.author_id)


async def _may_review(outside: Outside, repository: projects.Repository, review: ForgeReview) -> bool:
    sender = _author(review)
    return workflow.guard_sender(sender, await standing_of(outside, repository, sender)) is None


async def _nothing() -> None:
    return None


def _live(found: ForgeThread) -> workflow.LiveThread:
    return workflow.LiveThread(
        number=found.number, is_pull_request=found.is_pull_request, open=found.open, labels=found.labels
    )
