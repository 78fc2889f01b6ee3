"""What the lineage of an Issue looks like to a client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.overview.model import LineageRun
from stagewright.contexts.overview.rules import thread_url
from stagewright.contexts.overview.usecases.lineage import Lineage
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

MOST_DOCUMENTS = 300


class LineageRepository(BaseModel):
    """The repository of the Issue."""

    id: Id
    full_name: str
    web_url: str
    project_id: Id
    project: str


class LineageLabel(BaseModel):
    """A label on the Issue. ``key`` and ``label_class`` are null for labels that mean nothing to the platform."""

    text: str
    key: str | None
    label_class: str | None
    color: str | None


class LineageProfile(BaseModel):
    """The launch profile and its path. ``provisional``: nobody chose it yet; ``source`` null: none is stored yet."""

    profile: str
    source: str | None
    provisional: bool
    path: list[str]
    updated_by: str | None
    updated_at: Instant | None


class LineageRequester(BaseModel):
    """Who asked for a run; ``name`` is a login, or the name of a person without one."""

    kind: str
    id: str
    name: str


class LineageRunView(BaseModel):
    """A run of the Issue. ``elapsed_seconds``: from its request to its end, or to now."""

    id: Id
    number: str
    kind: str
    stage: str | None
    role: str
    lane: str
    status: str
    failure_class: str | None
    code: str | None
    waits_for: str | None
    trigger_source: str
    trigger_label: str | None
    requested_by: LineageRequester
    revises_run_id: Id | None
    pr_number: int | None
    branch: str | None
    base_sha: str | None
    mode: str
    model: str | None
    active_seconds: int
    elapsed_seconds: int
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    status_comment_url: str | None
    version: int


class LineagePull(BaseModel):
    """A pull request of the Issue. ``run_id`` opened it, ``last_run_id`` changed it last."""

    pr_number: int
    url: str
    stage: str
    state: str
    branch: str
    base_branch: str
    head_sha: str
    foreign_push: bool
    origin: str
    labels: list[str]
    run_id: Id
    last_run_id: Id


class LineageDocument(BaseModel):
    """A path that a run of the stage published, as its newest such run left it.

    ``declared``: the agent named it as an artifact. ``url`` shows it at that commit; null for a deleted one.
    """

    path: str
    status: Literal["added", "modified", "deleted"]
    declared: bool
    run_id: Id
    run_number: str
    pr_number: int
    commit_sha: str
    url: str | None
    published_at: Instant


class LineageStage(BaseModel):
    """One stage of the track. ``artifacts``: what the policy expects; ``documents``: what there is."""

    stage: str
    label: str
    name: str
    state: workflow.StageState
    on_path: bool
    artifacts: list[str]
    runs: list[LineageRunView]
    pulls: list[LineagePull]
    documents: list[LineageDocument]
    documents_truncated: bool
    active_seconds: int
    started_at: Instant | None
    finished_at: Instant | None


class LineageCandidate(BaseModel):
    """What late stages examine: a pull request pinned to its head. ``environment``: none exists yet."""

    pr_number: int
    url: str
    stage: str
    state: str
    branch: str
    head_sha: str
    environment: str | None


class LineageBlocker(BaseModel):
    """Why the wanted stage cannot start now: the reason's code, the sentences for it, and what to do."""

    reason: str
    text: str
    remedy: str
    params: dict[str, str]
    conflicting_labels: list[str]
    suggested_labels: list[str]


class LineageStep(BaseModel):
    """One step a person may take next. ``path`` opens its confirmation in the console."""

    group: workflow.StepGroup
    action_kind: str
    target_label: str
    label: str
    display_variant: str
    recommended: bool
    profile: str | None
    text: str
    path: str | None


class LineageView(BaseModel):
    """An Issue's way, or that of a pull request without one. ``asked_number`` is the number it was asked by.

    ``wanted_stage``: the next stage of the path, or the one that stopped; ``blocked_by`` says what keeps it from
    starting. ``next_steps`` follow the run ``next_steps_of``. ``seen_at``: when the forge's word on state and labels
    is from.
    """

    repository: LineageRepository
    number: int
    asked_number: int
    is_pull_request: bool
    url: str | None
    topic: str
    state: Literal["open", "closed"] | None
    labels: list[LineageLabel]
    seen_at: Instant | None
    profile: LineageProfile
    track: list[LineageStage]
    side_runs: list[LineageRunView]
    other_pulls: list[LineagePull]
    candidate: LineageCandidate | None
    wanted_stage: str | None
    blocked_by: list[LineageBlocker]
    next_steps: list[LineageStep]
    next_steps_of: Id | None
    allowed_actions: list[AllowedAction]
    as_of: Instant


def lineage_view(traced: Lineage, me: Caller, *, now: datetime) -> LineageView:
    """Show ``traced`` to ``me``, in their language."""
    repository, known, subject = traced.repository, traced.known, traced.known.subject
    thread, is_pull = known.thread, subject.issue is None
    shown = {stage.stage for stage in traced.track.stages}
    return LineageView(
        repository=LineageRepository(
            id=str(repository.id),
            full_name=repository.full_name,
            web_url=repository.web_url,
            project_id=str(repository.project_id),
            project=traced.project.key,
        ),
        number=subject.number,
        asked_number=subject.asked,
        is_pull_request=is_pull,
        url=thread_url(repository.web_url, subject.issue, subject.number),
        topic=f"issue:{repository.full_name}#{subject.number}",
        state=None if thread is None else "open" if thread.state == "open" else "closed",
        labels=_labels(thread.labels if thread is not None else (), traced.policy),
        seen_at=thread.seen_at.isoformat() if thread is not None else None,
        profile=_profile(traced),
        track=[_stage(stage, traced, me, now) for stage in traced.track.stages],
        side_runs=[_run(run, now) for run in traced.side],
        other_pulls=[_pull(link, traced) for link in known.links if link.stage not in shown],
        candidate=_candidate(traced.candidate),
        wanted_stage=traced.track.wanted if not is_pull else None,
        blocked_by=[_blocker(item, me.user.locale) for item in traced.blockers],
        next_steps=[_step(step, traced, me) for step in traced.steps],
        next_steps_of=str(traced.source.id) if traced.source is not None else None,
        allowed_actions=[_next_step_action(traced, me)],
        as_of=now.isoformat(),
    )


def _labels(texts: Sequence[str], policy: workflow.Policy) -> list[LineageLabel]:
    found = []
    for text in texts:
        key = workflow.label_key(text, policy)
        entry = policy.catalogue.get(key or "")
        found.append(
            LineageLabel(
                text=text,
                key=entry.key if entry else None,
                label_class=entry.label_class.value if entry else None,
                color=entry.color if entry else None,
            )
        )
    return found


def _profile(traced: Lineage) -> LineageProfile:
    row, profiles = traced.known.profile, traced.policy.profiles
    name = row.profile if row is not None and row.profile in profiles.paths else profiles.default
    stored = traced.known.stored_profile
    return LineageProfile(
        profile=name,
        source=row.source if row is not None else None,
        provisional=stored is None or stored.provisional,
        path=list(profiles.paths[name]),
        updated_by=row.updated_by if row is not None else None,
        updated_at=row.updated_at.isoformat() if row is not None else None,
    )


def _stage(stage: workflow.TrackStage, traced: Lineage, me: Caller, now: datetime) -> LineageStage:
    policy, of = traced.policy, traced.of_stage.get(stage.stage, ())
    known, key = policy.stages.get(stage.stage), workflow.stage_label(stage.stage)
    documents = _documents(of, traced)
    ends = [run.finished_at for run in of if run.finished_at is not None]
    over = bool(of) and all(run.over for run in of)
    return LineageStage(
        stage=stage.stage,
        label=workflow.label_text(key, policy),
        name=known.name.of(me.user.locale) if known is not None else stage.stage,
        state=stage.state,
        on_path=stage.on_path,
        artifacts=list(known.artifacts) if known is not None else [],
        runs=[_run(run, now) for run in of],
        pulls=[_pull(link, traced) for link in traced.known.links if link.stage == stage.stage],
        documents=documents[:MOST_DOCUMENTS],
        documents_truncated=len(documents) > MOST_DOCUMENTS,
        active_seconds=sum(run.active_seconds for run in of),
        started_at=of[0].created_at.isoformat() if of else None,
        finished_at=max(ends).isoformat() if over and ends else None,
    )


def _run(run: LineageRun, now: datetime) -> LineageRunView:
    plain = ("kind", "stage", "role", "lane", "status", "failure_class", "code", "waits_for", "trigger_source")
    more = ("trigger_label", "pr_number", "branch", "base_sha", "mode", "model", "active_seconds", "version")
    return LineageRunView(
        **{name: getattr(run, name) for name in (*plain, *more)},
        id=str(run.id),
        number=runs.shown_number(run.number),
        requested_by=LineageRequester(kind=run.requested_by_kind, id=run.requested_by, name=run.requester_name),
        revises_run_id=str(run.revises_run_id) if run.revises_run_id else None,
        elapsed_seconds=max(0, int(((run.finished_at or now) - run.created_at).total_seconds())),
        created_at=run.created_at.isoformat(),
        started_at=run.started_at.isoformat() if run.started_at else None,
        finished_at=run.finished_at.isoformat() if run.finished_at else None,
        status_comment_url=run.comment_url,
    )


def _pull(link: runs.Link, traced: Lineage) -> LineagePull:
    thread = traced.known.threads.get(link.pr_number)
    return LineagePull(
        pr_number=link.pr_number,
        url=link.url,
        stage=link.stage,
        state=link.state,
        branch=link.branch,
        base_branch=link.base_branch,
        head_sha=link.head_sha,
        foreign_push=link.foreign_push,
        origin=link.origin,
        labels=list(thread.labels) if thread is not None else [],
        run_id=str(link.created_by_run),
        last_run_id=str(link.last_run),
    )


STATUS: dict[str, Literal["added", "modified", "deleted"]] = {"A": "added", "D": "deleted"}


def _documents(of: Sequence[LineageRun], traced: Lineage) -> list[LineageDocument]:
    """Return each path once, as the newest run of the stage left it; what the agent named comes first."""
    numbers = {run.id: runs.shown_number(run.number) for run in of}
    newest = {item.path: item for item in traced.documents if item.run_id in numbers}
    base = f"{traced.repository.web_url}/blob"
    return [
        LineageDocument(
            path=item.path,
            status=STATUS.get(item.status, "modified"),
            declared=item.declared,
            run_id=str(item.run_id),
            run_number=numbers[item.run_id],
            pr_number=item.pr_number,
            commit_sha=item.commit_sha,
            url=None if item.status == "D" else f"{base}/{item.commit_sha}/{quote(item.path)}",
            published_at=item.published_at.isoformat(),
        )
        for item in sorted(newest.values(), key=lambda item: (not item.declared, item.path))
    ]


def _candidate(link: runs.Link | None) -> LineageCandidate | None:
    if link is None:
        return None
    return LineageCandidate(
        pr_number=link.pr_number,
        url=link.url,
        stage=link.stage,
        state=link.state,
        branch=link.branch,
        head_sha=link.head_sha,
        environment=None,
    )


def _blocker(item: workflow.Refuse, locale: str) -> LineageBlocker:
    said = workflow.refusal_text(item.reason, locale, item.remedy.params)
    return LineageBlocker(
        reason=str(item.reason),
        text=said.reason,
        remedy=said.remedy,
        params=dict(item.remedy.params),
        conflicting_labels=list(item.conflicting),
        suggested_labels=list(item.suggested),
    )


def _step(step: workflow.NextStep, traced: Lineage, me: Caller) -> LineageStep:
    run, issue = traced.source, traced.known.subject.issue
    path = None
    if run is not None:
        path = workflow.deep_link(
            "/",
            step,
            repository=traced.repository.full_name,
            issue=issue,
            pull_request=run.pr_number,
            run_id=str(run.id),
        )
    return LineageStep(
        group=step.group,
        action_kind=step.action_kind,
        target_label=step.target,
        label=workflow.label_text(step.target, traced.policy),
        display_variant=step.variant,
        recommended=step.recommended,
        profile=step.profile,
        text=workflow.step_text(step, me.user.locale, traced.policy),
        path=path,
    )


def _next_step_action(traced: Lineage, me: Caller) -> AllowedAction:
    reason = None
    if not me.may(Permission.RUN_START, traced.repository.project_id):
        reason = "permission_denied"
    elif not traced.steps:
        reason = "no_next_steps"
    return AllowedAction(verb="next_step", mode="deny" if reason else "allow", reason_code=reason)
