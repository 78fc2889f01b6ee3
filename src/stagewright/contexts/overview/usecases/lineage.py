"""Everything that belongs to one Issue: its path, runs, pull requests, documents, labels, and what may follow."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.contexts.overview.model import LineageRun, ProfileRow, ThreadRow
from stagewright.contexts.overview.views import lineage as rows
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader

ON_TRACK = frozenset({workflow.KindClass.FORWARD, workflow.KindClass.REVISE})
OPEN = ("in_review", "approved")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a lineage is of: an Issue, or a pull request that belongs to none. ``asked`` is the number one came with."""

    asked: int
    issue: int | None

    @property
    def number(self) -> int:
        """Return the thread's number."""
        return self.asked if self.issue is None else self.issue


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of a subject. ``links`` are oldest first."""

    subject: Subject
    thread: ThreadRow | None
    threads: Mapping[int, ThreadRow]
    found: Sequence[LineageRun]
    links: Sequence[runs.Link]
    profile: ProfileRow | None

    @property
    def seen_links(self) -> tuple[workflow.Link, ...]:
        """Return the links in the workflow's words, newest first."""
        return tuple(runs.seen_link(link, labels=self._labels(link.pr_number)) for link in reversed(self.links))

    def _labels(self, number: int) -> Sequence[str]:
        thread = self.threads.get(number)
        return thread.labels if thread is not None else ()

    @property
    def stored_profile(self) -> workflow.StoredProfile | None:
        """Return the launch profile in the workflow's words."""
        if self.profile is None:
            return None
        return workflow.StoredProfile(self.profile.profile, workflow.ProfileSource(self.profile.source))


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the rows say of one subject. ``blockers`` speak of ``track.wanted``; ``steps`` follow the run ``source``."""

    repository: projects.Repository
    project: projects.Project
    policy: workflow.Policy
    known: Known
    track: workflow.Track
    of_stage: Mapping[str, Sequence[LineageRun]]
    side: Sequence[LineageRun]
    documents: Sequence[runs.RunDocument]
    candidate: runs.Link | None
    blockers: Sequence[workflow.Refuse]
    source: LineageRun | None
    steps: Sequence[workflow.NextStep]


async def trace_issue(reader: Reader, repository: projects.Repository, number: int, *, now: datetime) -> Lineage | None:
    """Return the lineage of an Issue, or of the Issue a pull request belongs to; None where nothing is known of it."""
    known = await _known(reader, repository.id, number)
    if known.thread is None and not known.found and not known.links:
        return None
    policy = await workflow.policy_in_force(reader, repository.id)
    of_stage, side = _sorted(known.found, policy)
    became = {stage: _outcome(of) for stage, of in of_stage.items()}
    track = workflow.stage_track(known.profile.profile if known.profile else None, became, policy)
    candidate = workflow.candidate_of(known.seen_links, policy)
    source, steps = _steps(known, policy)
    blockers: Sequence[workflow.Refuse] = ()
    if track.wanted is not None and known.subject.issue is not None:
        world = await _world(reader, repository, known, policy, now=now)
        blockers = workflow.what_blocks(track.wanted, world, policy)
    return Lineage(
        repository=repository,
        project=await projects.get_project(reader, repository.project_id),
        policy=policy,
        known=known,
        track=track,
        of_stage=of_stage,
        side=side,
        documents=await runs.list_documents(reader, [run.id for run in known.found]),
        candidate=next((link for link in known.links if candidate and link.pr_number == candidate.pr_number), None),
        blockers=blockers,
        source=source,
        steps=steps,
    )


async def _known(reader: Reader, repository_id: UUID, number: int) -> Known:
    subject = await _subject(reader, repository_id, number)
    links = await _links(reader, repository_id, subject)
    threads = await rows.list_threads(reader, repository_id, [subject.number, *(link.pr_number for link in links)])
    return Known(
        subject=subject,
        thread=threads.get(subject.number),
        threads=threads,
        found=await rows.list_runs(reader, repository_id, issue=subject.issue, pull=subject.asked),
        links=links,
        profile=await rows.find_profile(reader, repository_id, subject.issue) if subject.issue is not None else None,
    )


async def _subject(reader: Reader, repository_id: UUID, number: int) -> Subject:
    """Follow a pull request to its Issue: by its link, else by the only Issue for which runs worked on it."""
    link = await runs.find_link(reader, repository_id, number)
    if link is not None:
        return Subject(number, link.issue_number)
    issues = await runs.issues_of_pull_request(reader, repository_id, number)
    if len(issues) == 1:
        return Subject(number, issues[0])
    known = (await rows.list_threads(reader, repository_id, [number])).get(number)
    return Subject(number, None if known is not None and known.is_pull_request else number)


async def _links(reader: Reader, repository_id: UUID, subject: Subject) -> list[runs.Link]:
    if subject.issue is not None:
        return await runs.list_links(reader, repository_id, subject.issue)
    link = await runs.find_link(reader, repository_id, subject.asked)
    return [link] if link is not None else []


def _sorted(
    found: Sequence[LineageRun], policy: workflow.Policy
) -> tuple[dict[str, list[LineageRun]], list[LineageRun]]:
    """Sort runs into those of the track's stages and those beside it. A stage that the policy lost stays a stage."""
    of_stage: dict[str, list[LineageRun]] = defaultdict(list)
    side: list[LineageRun] = []
    for run in found:
        kind = policy.kinds.get(run.kind)
        stage = policy.stages.get(run.stage or "")
        beside = kind.kind_class not in ON_TRACK if kind is not None else run.lane != "work"
        if run.stage is None or beside or (stage is not None and stage.side):
            side.append(run)
        else:
            of_stage[run.stage].append(run)
    return dict(of_stage), side


def _outcome(of: Sequence[LineageRun]) -> workflow.StageRuns:
    return workflow.StageRuns(
        active=any(not run.over for run in of), succeeded=any(run.status == "succeeded" for run in of)
    )


async def _world(
    reader: Reader, repository: projects.Repository, known: Known, policy: workflow.Policy, *, now: datetime
) -> workflow.World:
    """Return the world as the rows know it; the forge is not asked."""
    active = next((run for run in reversed(known.found) if run.lane == "work" and not run.over), None)
    thread, links = known.thread, known.seen_links
    need_input = workflow.label_text(workflow.NEED_INPUT, policy)
    work = [run for run in reversed(known.found) if run.lane == "work" and run.status == "succeeded"]
    finished = [run.stage for run in work if run.stage]
    stored = known.profile.profile if known.profile else None
    return workflow.World(
        bound=True,
        enabled=repository.state is projects.RepositoryState.ENABLED,
        bound_at=repository.bound_at,
        now=now,
        thread=workflow.LiveThread(
            number=known.subject.number,
            is_pull_request=False,
            open=thread is None or thread.state == "open",
            labels=thread.labels if thread is not None else (),
        ),
        standing=workflow.NOBODY,
        active_work_run=workflow.ActiveRun(str(active.id), active.number, active.kind, active.trigger_label)
        if active is not None
        else None,
        links=links,
        profile=known.stored_profile,
        succeeded_stages=frozenset(finished),
        platform_needs_input=await runs.is_platform_label(reader, repository.id, known.subject.issue, need_input),
        accepted_result=workflow.result_accepted(finished, stored, links, policy),
    )


def _steps(known: Known, policy: workflow.Policy) -> tuple[LineageRun | None, tuple[workflow.NextStep, ...]]:
    """Return the newest run that offers next steps, and the steps; none while a run of the Issue is at work."""
    if any(run.lane == "work" and not run.over for run in known.found):
        return None, ()
    for run in reversed(known.found):
        beside = known.subject.issue is not None and run.lane != "work"
        if beside or not run.over or run.kind not in policy.kinds:
            continue
        link = next((link for link in known.links if link.pr_number == run.pr_number), None)
        finished = workflow.FinishedRun(
            kind=run.kind,
            succeeded=run.status == "succeeded",
            has_open_link=link is not None and link.state in OPEN,
            profile=known.stored_profile,
            link_stage=link.stage if link is not None else None,
            escalation=run.escalation,
            trigger=run.trigger_label,
        )
        steps = workflow.next_steps(finished, policy)
        if steps:
            return run, steps
    return None, ()
