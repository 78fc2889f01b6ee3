"""The stack at the head of the default branch, read from the mirrors: what it declares, and what a prompt tells of it.

A stack may name other repositories of its project; they are read at the heads of their default branches.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.projects import api as projects
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
    inputs = deploys.Inputs(
        platform=outside.stack_platform,
        project=deploys.Project(key=project.key, name=project.name),
        policy=words_of(policy),
    )
    async with _opened(outside, project, repository, sha) as repositories:
        return await asyncio.to_thread(work, repositories, inputs)


@asynccontextmanager
async def _opened(
    outside: Outside, project: projects.Project, repository: projects.Repository, sha: str
) -> AsyncIterator[deploys.Repositories]:
    """Open the files of the repository at ``sha`` and those of the project's other ones, each at its pin."""
    own = deploys.alias_of(repository.full_name)
    async with outside.db.reading() as reader:
        bound = await projects.list_repositories(reader, project.id)
    others = {deploys.alias_of(item.full_name): item for item in bound if item.id != repository.id}
    others.pop(own, None)
    async with AsyncExitStack() as opened:

        async def opens(alias: str, commit: str) -> deploys.FileSource:
            of = repository if alias == own else others[alias]
            return await opened.enter_async_context(outside.trees.tree(of, commit))

        sources = {own: await opens(own, sha)}
        heads = dict(
            zip(others, await asyncio.gather(*(_heads(outside, item) for item in others.values())), strict=True)
        )
        for alias, head in heads.items():
            if isinstance(head, deploys.Heads) and head.default_branch in head.refs:
                sources[alias] = await opens(alias, head.refs[head.default_branch])
        found = await asyncio.to_thread(deploys.compose, project.key, own, sources, heads)
        for alias, commit in found.moved.items():
            sources[alias] = await opens(alias, commit)
        yield found.repositories(sources)


async def _heads(outside: Outside, other: projects.Repository) -> deploys.Heads | str:
    """Return the branches of another repository, or why it cannot be reached."""
    try:
        return deploys.Heads(default_branch=other.default_branch, refs=await outside.git.heads(other))
    except StagewrightError as error:
        return error.message


def words_of(policy: workflow.Policy) -> deploys.PolicyWords:
    """Return what a stack may name of the policy."""
    return deploys.PolicyWords(
        roles=frozenset(policy.roles),
        modes={key: frozenset(mode.value for mode in kind.modes) for key, kind in policy.kinds.items()},
    )
