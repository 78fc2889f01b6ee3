"""Read everything a launch depends on, live, at once and outside any transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import LaunchRefused
from stagewright.contexts.runs.model import Link, Run
from stagewright.contexts.runs.ports import BotIdentity, ForgeComment, ForgeFeedback, ForgeIssue, ForgePullRequest
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.stacks import read_brief, read_declared
from stagewright.contexts.runs.reconcile.together import result
from stagewright.contexts.runs.rules.links import OPEN_STATES
from stagewright.contexts.runs.rules.talking import LANE
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import effects, progress
from stagewright.contexts.runs.usecases.assignment import room_for_documents
from stagewright.contexts.runs.usecases.linking import seen_link
from stagewright.contexts.runs.usecases.progress import Progress
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader

PROJECT_FILES = (".stagewright", "AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")
POLICY_FILE = ".stagewright/policy.yaml"
HEADS_FRESH = timedelta(seconds=2)
REVIEW = "review"
UNDER_REVIEW = "in_review"


@dataclass(frozen=True, slots=True)
class Known:
    """What our own rows say. ``links`` are the Issue's, newest first; ``finished`` its succeeded stages, newest first;
    ``asked_by_us``: ``need:input`` on the Issue is the platform's own."""

    repository: Repository
    links: Sequence[Link]
    link: Link | None
    taken: frozenset[str]
    finished: Sequence[str]
    asked_by_us: bool
    progress: Progress
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Live:
    """What the forge and the remote say now."""

    heads: Mapping[str, str]
    bot: BotIdentity
    issue: ForgeIssue | None
    comments: Sequence[ForgeComment]
    pull_request: ForgePullRequest | None
    feedback: ForgeFeedback


@dataclass(frozen=True, slots=True)
class Situation:
    """What a launch goes by: the thread, the policy in force, where the work begins."""

    known: Known
    live: Live
    policy: workflow.Policy
    files: Mapping[str, str]
    base_sha: str
    branch: str
    link_head_sha: str | None
    prior: Mapping[str, str]
    model: workflow.ModelChoice | None
    candidate: Link | None
    stack: deploys.StackBrief
    target_sha: str | None = None


async def refresh_policy(
    outside: Outside, repository: Repository, sha: str
) -> tuple[workflow.Policy, Mapping[str, str]]:
    """Read the project's files at the default branch's head; keep the policy and the stack's declarations."""
    files = await outside.git.read_files(repository, sha, PROJECT_FILES)
    if outside.policy_heads.get(repository.id) == sha:
        async with outside.db.reading() as reader:
            return await workflow.policy_in_force(reader, repository.id), files
    async with outside.db.transaction() as tx:
        policy = await workflow.keep_policy(
            tx, repository, text=files.get(POLICY_FILE), commit_sha=sha, now=outside.clock.now()
        )
    declared = await read_declared(outside, repository, sha, policy)
    async with outside.db.transaction() as tx:
        await deploys.keep_declared(tx, repository, declared, commit_sha=sha, now=outside.clock.now())
    outside.policy_heads[repository.id] = sha
    return policy, files


async def policy_now(outside: Outside, repository: Repository) -> workflow.Policy:
    """Return the policy of the default branch's head: asks the remote once, reads files only where the head moved."""
    heads = await _ask_heads(outside, repository)
    sha = heads.get(repository.default_branch)
    if sha is None or outside.policy_heads.get(repository.id) == sha:
        async with outside.db.reading() as reader:
            return await workflow.policy_in_force(reader, repository.id)
    policy, _ = await refresh_policy(outside, repository, sha)
    return policy


async def read_situation(outside: Outside, run: Run) -> Situation:
    """Read rows, then thread and remote together. Raises ``LaunchRefused`` where the run cannot start any more."""
    known = await _known(outside, run)
    available, live = await asyncio.gather(
        outside.engines_available(run.project_id, run.repository_id), _live(outside, run, known), return_exceptions=True
    )
    seen = result(live)
    default = known.repository.default_branch
    if default not in seen.heads:
        raise LaunchRefused("branch_not_found", f"the default branch {default} does not exist on the remote")
    policy, files = await refresh_policy(outside, known.repository, seen.heads[default])
    kind = workflow.kind_of(policy, run.kind)
    await _check_stack(outside, run, policy)
    accepted = await _is_accepted(outside, run, policy, known, seen)
    _check_gates(run, kind, policy, known, seen, accepted=accepted)
    branch, base_sha, link_head = _place(run, kind, policy, known, seen)
    return Situation(
        known=known,
        live=seen,
        policy=policy,
        files=files,
        base_sha=base_sha,
        branch=branch,
        link_head_sha=link_head,
        prior=_prior(run, known.links, seen.heads),
        model=_model(run, policy, seen, result(available)),
        candidate=_candidate(run, kind, policy, known, seen.heads),
        stack=await read_brief(
            outside, run, known.repository, seen.heads[default], policy, budget=room_for_documents(files)
        ),
        target_sha=_target(run, kind, seen),
    )


async def _known(outside: Outside, run: Run) -> Known:
    async with outside.db.reading() as reader:
        issue = run.issue_number
        policy = await workflow.policy_in_force(reader, run.repository_id)
        need_input = workflow.label_text(workflow.NEED_INPUT, policy)
        return Known(
            repository=await get_repository(reader, run.repository_id),
            links=(await link_rows.list_of_issue(reader, run.repository_id, issue))[::-1] if issue else [],
            link=await link_rows.find(reader, run.repository_id, run.pr_number) if run.pr_number else None,
            taken=await link_rows.taken_branches(reader, run.repository_id, ""),
            finished=await run_rows.finished_stages(reader, run.repository_id, issue) if issue else [],
            asked_by_us=await effects.is_platform_label(reader, run.repository_id, issue, need_input),
            progress=await progress.read(reader, run),
            heard_at=await _heard_at(reader, run),
        )


async def _heard_at(reader: Reader, run: Run) -> datetime | None:
    """Return when the run before this one on the pull request began: what was said before, that one was told."""
    link = await link_rows.find(reader, run.repository_id, run.pr_number) if run.pr_number else None
    if link is None or link.last_run == run.id or run.lane == REVIEW:
        return None  # a reviewer is told of every review, so as to repeat none
    return (await run_rows.get(reader, link.last_run)).started_at


async def _live(outside: Outside, run: Run, known: Known) -> Live:
    repository, forge = known.repository, outside.forge
    heads, bot, issue, comments, reviewed = await asyncio.gather(
        _heads_for(outside, run, repository),
        forge.bot(repository),
        forge.issue(repository, run.issue_number) if run.issue_number else _nothing(),
        forge.comments(repository, run.issue_number) if run.issue_number else _nothing(),
        _reviewed(outside, repository, run.pr_number) if run.pr_number else _nothing(),
        return_exceptions=True,
    )
    pull_request, remarks, feedback = result(reviewed) or (None, (), ForgeFeedback())
    return Live(
        heads=result(heads),
        bot=result(bot),
        issue=result(issue),
        comments=[*(result(comments) or ()), *remarks],
        pull_request=pull_request,
        feedback=_new(feedback, known.heard_at),
    )


async def _reviewed(
    outside: Outside, repository: Repository, number: int
) -> tuple[ForgePullRequest, Sequence[ForgeComment], ForgeFeedback]:
    """Read the pull request that is revised, with what was said about it."""
    pull_request, comments, feedback = await asyncio.gather(
        outside.forge.pull_request(repository, number),
        outside.forge.comments(repository, number),
        outside.forge.feedback(repository, number),
        return_exceptions=True,
    )
    return result(pull_request), result(comments), result(feedback)


def _new(feedback: ForgeFeedback, heard_at: datetime | None) -> ForgeFeedback:
    """Leave out reviews that an earlier run was told of; what stands at a line stays until the line is changed."""
    if heard_at is None:
        return feedback
    return replace(feedback, reviews=tuple(one for one in feedback.reviews if one.created_at > heard_at))


async def _heads_for(outside: Outside, run: Run, repository: Repository) -> Mapping[str, str]:
    """Return the remote's branches: what the decision to start saw is new enough for a first launch right after it.

    Work that stands on a branch, or examines one, asks anew. A branch that moved in between is noticed by the push,
    which names what it expects there.
    """
    seen = outside.heads_seen.get(repository.id)
    begins_anew = run.generation <= 1 and not (run.pr_number or run.branch or run.build_sha)
    if seen is not None and begins_anew and outside.clock.now() - seen[0] <= HEADS_FRESH:
        return seen[1]
    return await _ask_heads(outside, repository)


async def _ask_heads(outside: Outside, repository: Repository) -> Mapping[str, str]:
    at = outside.clock.now()
    heads = await outside.git.heads(repository)
    outside.heads_seen[repository.id] = (at, heads)
    return heads


async def _nothing() -> None:
    return None


async def _is_accepted(outside: Outside, run: Run, policy: workflow.Policy, known: Known, live: Live) -> bool:
    """Say whether the result before this run was accepted. Only where a label holds the run back is more read for it:
    the labels of the pull requests that our rows show in review."""
    if run.trigger_source == workflow.TriggerSource.CONSOLE:
        return True
    links = [seen_link(link) for link in known.links]
    if workflow.result_accepted(known.finished, run.launch_profile, links, policy):
        return True
    if live.issue is None or workflow.IN_REVIEW not in workflow.label_keys(live.issue.labels, policy):
        return False
    for number, link in enumerate(known.links):
        if link.state == UNDER_REVIEW:
            pull = await outside.forge.pull_request(known.repository, link.pr_number)
            links[number] = seen_link(link, labels=pull.labels)
    return workflow.result_accepted(known.finished, run.launch_profile, links, policy)


def _check_gates(
    run: Run, kind: workflow.Kind, policy: workflow.Policy, known: Known, live: Live, *, accepted: bool
) -> None:
    if kind.kind_class is workflow.KindClass.REVIEW:
        _check_gates_of_review(run, kind, policy, live)
        return
    issue = live.issue
    if issue is not None and not issue.open and not kind.on_closed_issue:
        raise LaunchRefused("issue_closed", _said(workflow.refusal_text("issue_closed", run.locale)))
    missing: tuple[str, ...] = ()
    if kind.stage is not None and run.launch_profile is not None:
        missing = workflow.missing_stages(kind.stage, run.launch_profile, frozenset(known.finished), policy)
    view = workflow.GateView(
        labels=issue.labels if issue else (),
        target_labels=live.pull_request.labels if live.pull_request else (),
        platform_needs_input=known.asked_by_us,
        accepted=accepted,
        missing_stages=missing,
    )
    hit = workflow.check_gates(kind, view, policy)
    if hit is not None:
        reviewed = next((link.pr_number for link in known.links if link.state == UNDER_REVIEW), None)
        params = workflow.gate_params(hit, policy, reviewed)
        raise LaunchRefused(hit.reason.value, _said(workflow.refusal_text(hit.reason.value, run.locale, params)))


def _check_gates_of_review(run: Run, kind: workflow.Kind, policy: workflow.Policy, live: Live) -> None:
    """A review is held back by what is on the pull request; the Issue may be as it likes."""
    labels = live.pull_request.labels if live.pull_request is not None else ()
    hit = workflow.check_gates(kind, workflow.GateView(labels=labels), policy)
    if hit is not None:
        params = workflow.gate_params(hit, policy, None)
        raise LaunchRefused(hit.reason.value, _said(workflow.refusal_text(hit.reason.value, run.locale, params)))


def _said(text: workflow.RefusalText) -> str:
    return f"{text.reason} {text.remedy}"


def _place(
    run: Run, kind: workflow.Kind, policy: workflow.Policy, known: Known, live: Live
) -> tuple[str, str, str | None]:
    """Return branch, base and the link's head. A revise begins at the branch's head, new work at the pinned base; a
    review stays with the head it began to read.

    After ``branch_moved`` every work begins at what stands on its branch now.
    """
    pull_request, heads = live.pull_request, live.heads
    if pull_request is not None:
        _check_revisable(pull_request, heads)
        head = heads[pull_request.head_branch]
        if kind.kind_class is workflow.KindClass.REVIEW:
            return pull_request.head_branch, run.base_sha or head, None
        return pull_request.head_branch, head, head
    default = heads[known.repository.default_branch]
    base = default if run.lane == LANE else run.base_sha or default
    if run.branch is not None:
        there = heads.get(run.branch)
        if run.world.attempt_reason == "branch_moved" and there is not None:
            return run.branch, there, there
        return run.branch, base, None
    occupied = known.taken | frozenset(heads)
    branch = workflow.branch_name(policy, kind.key, issue=run.issue_number, run_id=str(run.id), taken=occupied)
    return branch, base, None


def _target(run: Run, kind: workflow.Kind, live: Live) -> str | None:
    """Return where a reviewed pull request asks to go, as it was when the review began."""
    if kind.kind_class is not workflow.KindClass.REVIEW or live.pull_request is None:
        return None
    target = run.world.target_sha or live.heads.get(live.pull_request.base_branch)
    if target is None:
        raise LaunchRefused("branch_not_found", f"the branch {live.pull_request.base_branch} does not exist any more")
    return target


def _check_revisable(pull_request: ForgePullRequest, heads: Mapping[str, str]) -> None:
    if pull_request.state != "open":
        raise LaunchRefused("pr_not_found", f"pull request #{pull_request.number} is not open any more")
    if not pull_request.head_in_repository:
        raise LaunchRefused("pull_request_from_fork", "the pull request's branch is in another repository")
    if pull_request.head_branch not in heads:
        raise LaunchRefused("branch_not_found", f"the branch {pull_request.head_branch} does not exist any more")


def _candidate(
    run: Run, kind: workflow.Kind, policy: workflow.Policy, known: Known, heads: Mapping[str, str]
) -> Link | None:
    """Return what a late stage examines, at the head its branch has now; None for stages that need none."""
    if not kind.needs_candidate:
        return None
    there = {link.pr_number: link for link in known.links if link.branch in heads}
    found = workflow.candidate_of([seen_link(link) for link in there.values()], policy)
    if found is None:
        code = "issue_trigger_candidate_not_found"
        raise LaunchRefused(code, workflow.refusal_text(code, run.locale).reason)
    return replace(there[found.pr_number], head_sha=heads[found.branch])


def _prior(run: Run, links: Sequence[Link], heads: Mapping[str, str]) -> dict[str, str]:
    return {
        link.stage: heads[link.branch]
        for link in reversed(links)
        if link.state in OPEN_STATES
        and link.branch in heads
        and link.stage != run.stage
        and link.pr_number != run.pr_number
    }


async def _check_stack(outside: Outside, run: Run, policy: workflow.Policy) -> None:
    """Refuse a run that the stack refuses: it is not valid, or asks for a mode that the policy does not allow."""
    async with outside.db.reading() as reader:
        declared = await deploys.declared_runtime(reader, run.repository_id)
    choice = workflow.resolve_mode(run.kind, policy, declared, cluster=False)
    if isinstance(choice, workflow.LaunchRefusal):
        raise LaunchRefused(choice.code, _said(workflow.launch_text(choice, run.locale)))


def _model(run: Run, policy: workflow.Policy, live: Live, available: frozenset[str]) -> workflow.ModelChoice | None:
    if run.model is not None:
        return None
    world = run.world
    question = workflow.ModelQuestion(
        kind=run.kind,
        role=run.role,
        pr_labels=live.pull_request.labels if live.pull_request else (),
        issue_labels=live.issue.labels if live.issue else (),
        sticky=workflow.StickyProfile(world.sticky_model, world.sticky_reasoning) if world.sticky_model else None,
        engines_available=available,
    )
    choice = workflow.resolve_model(question, policy)
    if isinstance(choice, workflow.LaunchRefusal):
        raise LaunchRefused(choice.code, _said(workflow.launch_text(choice, run.locale)))
    return choice
