"""A label that starts something: the run request, and the Issue's launch profile."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.intake import store
from stagewright.contexts.intake.events import StageEscalated
from stagewright.contexts.intake.usecases.discussing import talk
from stagewright.contexts.intake.usecases.words import Occurrence, Seen
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx

TALK, WORK_BEGINS = "talk", "run_label_detected"
BY_REVIEW = "pull_request_review"
WORK, REVIEW = "work", "review"
NOT_ON_PATH = "stage_not_on_profile_path"


async def start(
    tx: Tx,
    occurrence: Occurrence,
    seen: Seen,
    request: workflow.StartRequest,
    *,
    clock: Clock,
) -> runs.Run:
    """Request the run and write the Issue's profile. What is said in a discussion joins its run; work ends it first."""
    if request.lane == TALK:
        return await talk(tx, occurrence, seen, partial(_request, tx, occurrence, seen, request, clock=clock))
    if request.ends_talk_run is not None:
        await runs.end_talk(tx, UUID(request.ends_talk_run), WORK_BEGINS, clock=clock)
    return await _begin(tx, occurrence, seen, request, clock=clock)


async def _request(
    tx: Tx,
    occurrence: Occurrence,
    seen: Seen,
    request: workflow.StartRequest,
    *,
    clock: Clock,
) -> runs.Run:
    locale = await locale_of(tx, seen)
    wanted = run_request(occurrence, seen, request, locale=locale)
    initiator = await _initiator(tx, occurrence)
    wanted = replace(wanted, world=replace(wanted.world, initiator=str(initiator) if initiator else None))
    return await runs.request_run(tx, wanted, clock=clock)


async def _initiator(reader: Reader, occurrence: Occurrence) -> UUID | None:
    """Return the user of ours who asks; an account of the forge is known by its number, for logins change."""
    if occurrence.person is not None or occurrence.sender.user_id is None:
        return occurrence.person
    user = await identity.find_by_github_id(reader, occurrence.sender.user_id)
    return user.id if user is not None else None


async def _begin(
    tx: Tx,
    occurrence: Occurrence,
    seen: Seen,
    request: workflow.StartRequest,
    *,
    clock: Clock,
) -> runs.Run:
    run = await _request(tx, occurrence, seen, request, clock=clock)
    await _adopt(tx, run, occurrence, seen, request, now=clock.now())
    if request.issue is not None and request.lane == WORK:
        await _keep_profile(tx, occurrence, seen, request, request.issue, now=clock.now())
    if request.escalated_from is not None:
        tx.publish(
            StageEscalated(
                project_id=run.project_id,
                run_id=run.id,
                repository_id=run.repository_id,
                thread=occurrence.thread,
                before=request.escalated_from,
                after=request.profile.profile,
                reasons=(NOT_ON_PATH,),
                trigger_label=workflow.label_text(request.label_key, seen.policy),
            )
        )
    return run


async def _adopt(
    tx: Tx, run: runs.Run, occurrence: Occurrence, seen: Seen, request: workflow.StartRequest, *, now: datetime
) -> None:
    """Link a pull request that somebody else opened to the run that revises it."""
    pull = seen.pull(occurrence.thread)
    if isinstance(occurrence.fact, workflow.ReviewEvent) and request.target is not None and pull is not None:
        await runs.adopt_pull_request(
            tx,
            run,
            number=pull.number,
            stage=request.target.stage,
            branch=pull.branch,
            base_branch=pull.base_branch,
            head_sha=request.target.head_sha,
            url=pull.url,
            now=now,
        )


def run_request(occurrence: Occurrence, seen: Seen, request: workflow.StartRequest, *, locale: str) -> runs.RunRequest:
    """Return what is asked of runs."""
    mode, source, notes = _mode(seen, request)
    if request.skipped:
        notes.append(f"skipped:{', '.join(request.skipped)}")
    target, candidate = request.target, request.candidate
    return runs.RunRequest(
        project_id=seen.repository.project_id,
        repository_id=seen.repository.id,
        lane=request.lane,
        subject=_subject(occurrence, request),
        issue_number=request.issue,
        pr_number=target.pr_number if target else None,
        stage=request.stage,
        kind=request.kind,
        role=request.role or "dev",
        trigger_source=BY_REVIEW if isinstance(occurrence.fact, workflow.ReviewEvent) else occurrence.fact.source,
        trigger_label=request.label_key,
        requested_by_kind=occurrence.requester[0],
        requested_by=occurrence.requester[1],
        correlation_id=occurrence.correlation_id,
        occurred_at=occurrence.fact.occurred_at,
        policy_hash=seen.policy.hash,
        launch_profile=request.profile.profile,
        mode=mode.value,
        runtime_source=source,
        env=workflow.target_environment(request.kind, mode, seen.policy) or "none",
        access_profile=workflow.access_profile(request.kind, mode, seen.policy),
        limit_seconds=request.limit_minutes * 60,
        locale=locale,
        branch=target.branch if target else None,
        build_sha=candidate.head_sha if candidate else None,
        notes=tuple(notes),
        world=runs.RunWorld(
            candidate_pr=candidate.pr_number if candidate else None,
            profile=request.profile.profile,
            profile_source=request.profile.source.value,
        ),
    )


def _subject(occurrence: Occurrence, request: workflow.StartRequest) -> str:
    """Return what at most one run at a time is about: the Issue; the pull request in a review, or without an Issue."""
    of_pull = request.lane == REVIEW or request.issue is None
    return f"pr:{occurrence.thread}" if of_pull else f"issue:{request.issue}"


async def locale_of(reader: Reader, seen: Seen) -> str:
    """Return the project's language; its policy file may say another one than the built-in policy."""
    chosen = seen.policy.defaults.locale
    if chosen != workflow.builtin_policy().defaults.locale:
        return chosen
    return (await projects.get_project(reader, seen.repository.project_id)).locale


def _mode(seen: Seen, request: workflow.StartRequest) -> tuple[workflow.Mode, str, list[str]]:
    """Return the mode, where it comes from, and the note about a fallback."""
    choice = workflow.resolve_mode(request.kind, seen.policy, seen.declared, cluster=seen.cluster)
    if not isinstance(choice, workflow.ModeChoice):
        return request.mode, "policy_stage", []
    if choice.fallback:
        return choice.mode, choice.fallback, [choice.fallback]
    return choice.mode, choice.source, []


async def _keep_profile(
    tx: Tx, occurrence: Occurrence, seen: Seen, request: workflow.StartRequest, issue: int, *, now: datetime
) -> None:
    await store.set_profile(
        tx,
        seen.repository.id,
        issue,
        profile=request.profile.profile,
        source=request.profile.source.value,
        stage=request.stage,
        by=occurrence.requester[1],
        now=now,
    )
