"""Read everything a launch depends on, live and outside any transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import LaunchRefused
from stagewright.contexts.runs.model import Link, Run
from stagewright.contexts.runs.ports import ForgeComment, ForgeIssue, ForgePullRequest
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.workflow import api as workflow

PROJECT_FILES = (".stagewright", "AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")
POLICY_FILE = ".stagewright/policy.yaml"
PROMPTS = ".stagewright/prompts/"
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")


@dataclass(frozen=True, slots=True)
class Situation:
    """What was read: the thread, the remote's branches, the policy in force, the run's link."""

    repository: Repository
    policy: workflow.Policy
    issue: ForgeIssue | None
    comments: Sequence[ForgeComment]
    pull_request: ForgePullRequest | None
    link: Link | None
    heads: Mapping[str, str]
    base_sha: str
    branch: str
    link_head_sha: str | None
    prior: Mapping[str, str]
    files: Mapping[str, str]
    model: workflow.ModelChoice | None
    answers: Sequence[tuple[str, str, str, str]] = field(default_factory=tuple)


async def refresh_policy(
    outside: Outside, repository: Repository, sha: str
) -> tuple[workflow.Policy, Mapping[str, str]]:
    """Read the project's files at the default branch's head and keep the policy found there."""
    files = await outside.git.read_files(repository, sha, PROJECT_FILES)
    async with outside.db.transaction() as tx:
        policy = await workflow.keep_policy(
            tx, repository, text=files.get(POLICY_FILE), commit_sha=sha, now=outside.clock.now()
        )
    return policy, files


async def read_situation(outside: Outside, run: Run) -> Situation:
    """Read the live thread and the remote. Raises ``LaunchRefused`` where the run cannot start any more."""
    async with outside.db.reading() as reader:
        repository = await get_repository(reader, run.repository_id)
        links = await link_rows.list_open(reader, run.repository_id, run.issue_number) if run.issue_number else []
        taken = await link_rows.taken_branches(reader, run.repository_id, "")
        answers = await _answers(reader, run)
        available = await outside.engines_available(run.project_id, run.repository_id)
        succeeded = (
            await run_rows.succeeded_stages(reader, run.repository_id, run.issue_number)
            if run.issue_number
            else frozenset[str]()
        )
    heads = await outside.git.heads(repository)
    default = repository.default_branch
    if default not in heads:
        raise LaunchRefused("branch_not_found", f"the default branch {default} does not exist on the remote")
    policy, files = await refresh_policy(outside, repository, heads[default])
    kind = workflow.kind_of(policy, run.kind)
    issue = await outside.forge.issue(repository, run.issue_number) if run.issue_number else None
    link = _link_of(run, links)
    pull_request = await _pull_request(outside, repository, run, link)
    _check_gates(run, kind, policy, issue, pull_request, succeeded)
    branch, base_sha, link_head = _branch(run, kind, policy, heads, default, pull_request, taken)
    comments = await outside.forge.comments(repository, issue.number) if issue else []
    return Situation(
        repository=repository,
        policy=policy,
        issue=issue,
        comments=comments,
        pull_request=pull_request,
        link=link,
        heads=heads,
        base_sha=base_sha,
        branch=branch,
        link_head_sha=link_head,
        prior=_prior(run, links, heads),
        files=files,
        model=_model(run, policy, issue, pull_request, available),
        answers=answers,
    )


async def _answers(reader: object, run: Run) -> Sequence[tuple[str, str, str, str]]:
    newest = await attempt_rows.find_newest(reader, run.id)  # type: ignore[arg-type]
    if newest is None:
        return ()
    closed = await wait_rows.list_closed_since(reader, run.id, newest.reserved_at)  # type: ignore[arg-type]
    return tuple((str(wait.id), wait.kind.value, wait.resolution or "", wait.resolution_text or "") for wait in closed)


def _link_of(run: Run, links: Sequence[Link]) -> Link | None:
    if run.pr_number is None:
        return None
    return next((link for link in links if link.pr_number == run.pr_number), None)


async def _pull_request(
    outside: Outside, repository: Repository, run: Run, link: Link | None
) -> ForgePullRequest | None:
    number = link.pr_number if link else run.pr_number
    return await outside.forge.pull_request(repository, number) if number else None


def _check_gates(
    run: Run,
    kind: workflow.Kind,
    policy: workflow.Policy,
    issue: ForgeIssue | None,
    pull_request: ForgePullRequest | None,
    succeeded: frozenset[str],
) -> None:
    if issue is not None and not issue.open and not kind.on_closed_issue:
        raise LaunchRefused("issue_closed", "the Issue was closed after the run was requested")
    view = workflow.GateView(
        labels=issue.labels if issue else (),
        target_labels=pull_request.labels if pull_request else (),
        platform_needs_input=bool(run.world.get("platform_needs_input")),
        accepted=bool(run.world.get("accepted_result")),
        missing_stages=tuple(run.world.get("missing_stages", ())),
    )
    hit = workflow.check_gates(kind, view, policy)
    if hit is not None:
        labels = ", ".join(workflow.label_text(key, policy) for key in hit.labels) or ", ".join(hit.stages)
        raise LaunchRefused(hit.reason.value, f"held back by {labels}")


def _branch(
    run: Run,
    kind: workflow.Kind,
    policy: workflow.Policy,
    heads: Mapping[str, str],
    default: str,
    pull_request: ForgePullRequest | None,
    taken: frozenset[str],
) -> tuple[str, str, str | None]:
    if pull_request is not None:
        if pull_request.state != "open":
            raise LaunchRefused("pr_not_found", f"pull request #{pull_request.number} is not open any more")
        if not pull_request.head_in_repository:
            raise LaunchRefused("pull_request_from_fork", "the pull request's branch is in another repository")
        head = heads.get(pull_request.head_branch)
        if head is None:
            raise LaunchRefused("branch_not_found", f"the branch {pull_request.head_branch} does not exist any more")
        return pull_request.head_branch, run.base_sha or head, head
    base = run.base_sha or heads[default]
    if run.branch is not None:
        return run.branch, base, None
    occupied = taken | frozenset(heads)
    branch = workflow.branch_name(policy, kind.key, issue=run.issue_number, run_id=str(run.id), taken=occupied)
    return branch, base, None


def _prior(run: Run, links: Sequence[Link], heads: Mapping[str, str]) -> dict[str, str]:
    return {
        link.stage: heads[link.branch]
        for link in links
        if link.branch in heads and link.stage != run.stage and link.pr_number != run.pr_number
    }


def _model(
    run: Run,
    policy: workflow.Policy,
    issue: ForgeIssue | None,
    pull_request: ForgePullRequest | None,
    available: frozenset[str],
) -> workflow.ModelChoice | None:
    if run.model is not None:
        return None
    sticky = run.world.get("sticky")
    question = workflow.ModelQuestion(
        kind=run.kind,
        role=run.role,
        pr_labels=pull_request.labels if pull_request else (),
        issue_labels=issue.labels if issue else (),
        sticky=workflow.StickyProfile(sticky["model"], sticky.get("reasoning")) if sticky else None,
        engines_available=available,
    )
    choice = workflow.resolve_model(question, policy)
    if isinstance(choice, workflow.LaunchRefusal):
        named = ", ".join(choice.labels) or ", ".join(f"{key}: {value}" for key, value in choice.params.items())
        where = f" on the {choice.scope.replace('_', ' ')}" if choice.scope else ""
        raise LaunchRefused(choice.code, f"{named}{where}")
    return choice
