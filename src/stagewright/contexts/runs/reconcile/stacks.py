"""The stack at the head of the default branch, read from the mirrors: what it declares, and what a prompt tells of it.

A stack may name other repositories of its project; they are read at the heads of their default branches.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.errors import SourceUnavailable
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import StagewrightError

T = TypeVar("T")


async def read_declared(
    outside: Outside, repository: projects.Repository, sha: str, policy: workflow.Policy
) -> deploys.Declared:
    """Check the stack of ``repository`` at ``sha`` and return what it declares."""
    return await _read(outside, repository, sha, policy, deploys.declare)


async def read_brief(
    outside: Outside, run: Run, repository: projects.Repository, sha: str, policy: workflow.Policy, *, budget: int
) -> deploys.StackBrief:
    """Return the documents of the run's role, at most ``budget`` bytes, and the units of the product."""
    told = partial(deploys.brief_of, role=run.role, issue=run.issue_number, budget=budget)
    return await _read(outside, repository, sha, policy, told)


async def _read(
    outside: Outside,
    repository: projects.Repository,
    sha: str,
    policy: workflow.Policy,
    work: Callable[[deploys.Repositories, deploys.Inputs], T],
) -> T:
    async with outside.db.reading() as reader:
        project = await projects.get_project(reader, repository.project_id)
        others = [item for item in await projects.list_repositories(reader, project.id) if item.id != repository.id]
    inputs = deploys.Inputs(
        platform=outside.stack_platform,
        project=deploys.Project(key=project.key, name=project.name),
        policy=words_of(policy),
    )
    async with _opened(outside, repository, sha, others) as repositories:
        return await asyncio.to_thread(work, repositories, inputs)


@asynccontextmanager
async def _opened(
    outside: Outside, repository: projects.Repository, sha: str, others: Iterable[projects.Repository]
) -> AsyncIterator[deploys.Repositories]:
    """Open the files of the repository and of those that its stack names; of all, where it has no stack itself."""
    own = deploys.alias_of(repository.full_name)
    async with AsyncExitStack() as opened:
        sources = {own: await opened.enter_async_context(outside.trees.tree(repository, sha))}
        unavailable: dict[str, str] = {}
        alone = deploys.Repositories(root=own, sources=dict(sources))
        named = await asyncio.to_thread(deploys.repositories_named, alone)
        for other in others:
            alias = deploys.alias_of(other.full_name)
            if alias in sources or (named is not None and alias not in named):
                continue
            try:
                sources[alias] = await opened.enter_async_context(await _tree(outside, other))
            except StagewrightError as error:
                unavailable[alias] = error.message
        whole = deploys.Repositories(root=own, sources=sources, unavailable=unavailable)
        yield await asyncio.to_thread(deploys.with_root, whole)


async def _tree(outside: Outside, other: projects.Repository) -> AbstractAsyncContextManager[deploys.FileSource]:
    head = (await outside.git.heads(other)).get(other.default_branch)
    if head is None:
        raise SourceUnavailable(f"the default branch {other.default_branch} of {other.full_name} does not exist")
    return outside.trees.tree(other, head)


def words_of(policy: workflow.Policy) -> deploys.PolicyWords:
    """Return what a stack may name of the policy."""
    return deploys.PolicyWords(
        roles=frozenset(policy.roles),
        modes={key: frozenset(mode.value for mode in kind.modes) for key, kind in policy.kinds.items()},
    )
