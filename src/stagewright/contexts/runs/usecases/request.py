"""Ask for a run: one transaction with the decision that wants it."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import RepositoryNotBound, RunAlreadyActive
from stagewright.contexts.runs.model import Run, RunWorld
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import effects, moves
from stagewright.kit.clock import Clock
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Everything that is known when a run is wanted. ``world`` keeps what the decision saw, for the launch."""

    project_id: UUID
    repository_id: UUID
    lane: str
    subject: str
    issue_number: int | None
    pr_number: int | None
    stage: str | None
    kind: str
    role: str
    trigger_source: str
    trigger_label: str | None
    requested_by_kind: str
    requested_by: str
    correlation_id: str
    occurred_at: datetime
    policy_hash: str
    launch_profile: str | None
    mode: str
    runtime_source: str
    env: str
    access_profile: str
    limit_seconds: int
    locale: str
    branch: str | None = None
    build_sha: str | None = None
    revises_run_id: UUID | None = None
    notes: tuple[str, ...] = ()
    world: RunWorld = field(default_factory=RunWorld)

    @property
    def thread(self) -> int | None:
        """Return the thread of the status comment: the pull request for reviews of one, the Issue otherwise."""
        if self.trigger_source == "pull_request_review" or self.lane == "review":
            return self.pr_number
        return self.issue_number if self.issue_number is not None else self.pr_number


async def request_run(tx: Tx, request: RunRequest, *, clock: Clock) -> Run:
    """Queue a run. The worker launches it; this only writes down that it should.

    Idempotent by correlation id. Raises ``RunAlreadyActive`` when the lane and subject have a live run,
    ``RepositoryNotBound`` when the repository was unbound just now.
    """
    now = clock.now()
    run = await run_rows.insert(tx, asdict(request), run_id=uuid7(), now=now)
    if run is None:
        known = await run_rows.find_by_correlation(tx, request.correlation_id)
        if known is not None:
            return known
        raise RunAlreadyActive(f"{request.subject} already has an active run in lane {request.lane}")
    # After the insert: it waits for an unbinding that is under way, and one that comes later waits for us.
    if await projects.find_repository(tx, request.repository_id) is None:
        raise RepositoryNotBound("the repository is bound no more: `stagewright repo add` binds it again")
    await moves.tell(tx, events.RunQueued, run)
    if request.thread is not None:
        await comment_rows.make_status(tx, run.id, run.repository_id, request.thread)
        await effects.resolve_diagnostics(tx, run, request.thread, now=now)
    if run.issue_number is not None:
        await effects.add_reaction(tx, run, "eyes", now=now)
    return run
