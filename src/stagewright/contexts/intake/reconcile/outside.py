"""Everything intake's passes reach."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.intake.ports import ForgeThreads
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


async def look(outside: Outside, repository: projects.Repository, thread: int, sender: workflow.Sender) -> Seen:
    """Read live what a decision depends on: the thread, the sender's standing, the policy. Fails closed."""
    policy = await outside.refresh_policy(repository)
    found = await outside.threads.thread(repository, thread)
    async with outside.db.reading() as reader:
        person = await identity.standing_of_sender(reader, sender.user_id, repository.project_id)
    permission = None
    if person.may_start and sender.login:
        permission = await outside.threads.permission(repository, sender.login)
    live = None
    if found is not None:
        live = workflow.LiveThread(
            number=found.number, is_pull_request=found.is_pull_request, open=found.open, labels=found.labels
        )
    return Seen(
        repository=repository,
        policy=policy,
        thread=live,
        standing=workflow.Standing(
            platform_user=person.platform_user,
            platform_role=person.platform_role,
            project_role=person.project_role,
            member=person.project_role is not None,
            may_start=person.may_start,
            forge_permission=permission,
        ),
        engines_available=await outside.engines_available(repository.project_id, repository.id),
    )
