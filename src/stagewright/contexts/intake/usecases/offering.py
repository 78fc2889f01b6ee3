"""What a person may do next on a thread: the matrix's cells after the newest run that ended there."""

from dataclasses import dataclass

from stagewright.contexts.intake import store
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The steps of a thread, the run they follow, and what is active meanwhile. ``issue`` is None where none is
    known; links to steps need one."""

    repository: projects.Repository
    policy: workflow.Policy
    issue: int | None
    pull_request: int | None
    source: runs.Run | None
    active: runs.Run | None
    profile: workflow.StoredProfile | None
    steps: tuple[workflow.NextStep, ...]


async def offered_steps(
    reader: Reader, repository: projects.Repository, number: int, *, is_pull_request: bool
) -> Offered:
    """Return the next steps of an Issue, or of a pull request and the Issue it belongs to."""
    policy = await workflow.policy_in_force(reader, repository.id)
    link = await runs.find_link(reader, repository.id, number)
    on_pull = is_pull_request or link is not None
    issue = (link.issue_number if link is not None else None) if on_pull else number
    source = await runs.find_newest_ended(reader, repository.id, issue=issue, pull_request=number if on_pull else None)
    if issue is None and source is not None:
        issue = source.issue_number
    stored = await store.find_profile(reader, repository.id, issue) if issue is not None else None
    profile = workflow.StoredProfile(stored[0], workflow.ProfileSource(stored[1])) if stored else None
    active = await runs.find_active(reader, repository.id, "work", f"issue:{issue}" if issue else f"pr:{number}")
    steps: tuple[workflow.NextStep, ...] = ()
    if source is not None and source.kind in policy.kinds:
        steps = workflow.next_steps(await runs.finished_run(reader, source, profile=profile), policy)
    pull_request = number if on_pull else (source.pr_number if source is not None else None)
    return Offered(
        repository=repository,
        policy=policy,
        issue=issue,
        pull_request=pull_request,
        source=source,
        active=active,
        profile=profile,
        steps=steps,
    )
