"""Everything intake's passes reach, and the live reads before a decision."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.intake.ports import ForgeThread, ForgeThreads
from stagewright.contexts.intake.usecases import Seen
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database

RefreshPolicy = Callable[[projects.Repository], Awaitable[workflow.Policy]]


@dataclass(frozen=True, slots=True)
class Outside:
    """The worker's hands for intake."""

    db: Database
    clock: Clock
    threads: ForgeThreads
    refresh_policy: RefreshPolicy
    engines_available: Callable[[UUID, UUID], Awaitable[frozenset[str]]]


async def look(
    outside: Outside,
    repository: projects.Repository,
    thread: int,
    sender: workflow.Sender,
    *,
    policy: workflow.Policy | None = None,
) -> Seen:
    """Read live what a decision depends on: the thread, the sender's standing, the policy. Fails closed."""
    async with outside.db.reading() as reader:
        person = await identity.standing_of_sender(reader, sender.user_id, repository.project_id)
    asked = sender.login if person.may_start else None
    found, permission, read, available = await asyncio.gather(
        outside.threads.thread(repository, thread),
        outside.threads.permission(repository, asked) if asked else _nothing(),
        outside.refresh_policy(repository) if policy is None else _nothing(),
        outside.engines_available(repository.project_id, repository.id),
        return_exceptions=True,
    )
    for ended in (found, permission, read, available):
        if isinstance(ended, BaseException):
            raise ended
    known = policy if policy is not None else read
    assert isinstance(known, workflow.Policy)
    assert isinstance(available, frozenset)
    return Seen(
        repository=repository,
        policy=known,
        thread=_live(found) if isinstance(found, ForgeThread) else None,
        standing=workflow.Standing(
            platform_user=person.platform_user,
            platform_role=person.platform_role,
            project_role=person.project_role,
            member=person.project_role is not None,
            may_start=person.may_start,
            forge_permission=permission if isinstance(permission, str) else None,
        ),
        engines_available=available,
    )


async def _nothing() -> None:
    return None


def _live(found: ForgeThread) -> workflow.LiveThread:
    return workflow.LiveThread(
        number=found.number, is_pull_request=found.is_pull_request, open=found.open, labels=found.labels
    )
