"""The door to trying a policy: what another text would change, and how kept deliveries would be decided by it."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.intake import views
from stagewright.contexts.intake.usecases.replaying import Outcome, Replayed, replay_deliveries
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader
from stagewright.kit.errors import FieldProblem, Invalid
from stagewright.kit.http import RequestBody
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant

POLICY_LIMIT = 256 * 1024
MOST_CHANGES = 1000
MOST_ROWS = 200
routes = Routes(tag="policy")
CallerDep = Annotated[Caller, Depends(caller)]
Chosen = Annotated[UUID | None, Query(description="of which repository, when the project has several")]


class PolicyText(RequestBody):
    """The text of a project's policy file (YAML)."""

    text: str = Field(max_length=POLICY_LIMIT)


class PolicyTrial(PolicyText):
    """The text, and from how many days back deliveries are decided again."""

    days: int = Field(default=30, ge=1, le=90)


class ChangeView(BaseModel):
    """One difference between two policies."""

    area: str
    subject: str
    kind: workflow.ChangeKind
    field: str | None
    before: str | None
    after: str | None


class ForeseenView(BaseModel):
    """What the change means for something that is going on; ``met`` are some of the runs, issues or pull requests."""

    code: str
    subject: str
    count: int
    met: list[int]


class PolicyDiff(BaseModel):
    """What a policy's text would change. Equal hashes: nothing, however it is written."""

    repository_id: Id
    before_hash: str
    after_hash: str
    changes: list[ChangeView]
    truncated: bool
    warnings: list[ForeseenView]


class OutcomeView(BaseModel):
    """A decision."""

    verdict: str
    reason: str | None
    kind: str | None
    mode: str | None
    profile: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> "OutcomeView":
        """Show ``outcome``."""
        return cls(**{name: getattr(outcome, name) for name in cls.model_fields})


class ReplayedView(BaseModel):
    """A delivery that the text would decide otherwise, or that the present policy does not decide as recorded.

    ``assumed`` names what no row tells of that moment.
    """

    delivery_id: str
    received_at: Instant
    event: str
    action: str | None
    thread: int | None
    label: str | None
    sender: str | None
    recorded: OutcomeView
    present: OutcomeView
    proposed: OutcomeView
    changed: bool
    reproduced: bool
    assumed: list[str]


class PolicyTest(BaseModel):
    """What became of kept deliveries. ``rows`` are those that change or are not reproduced, the newest first.

    ``forgotten`` have no body any more, ``unaffected`` are about no thread, ``more``: older ones were left out.
    """

    repository_id: Id
    before_hash: str
    after_hash: str
    since: Instant
    replayed: int
    changed: int
    not_reproduced: int
    forgotten: int
    unaffected: int
    more: bool
    rows: list[ReplayedView]
    truncated: bool


@routes.post("/projects/{project_id}/policy:diff", Permission.PROJECT_VIEW)
async def diff_policy(
    project_id: UUID, form: PolicyText, me: CallerDep, db: Db, repository: Chosen = None
) -> PolicyDiff:
    """Show what a policy file would change against the policy in force, and what it meets that is going on. Nothing
    is stored."""
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    proposed = workflow.effective_policy(form.text)
    async with db.reading() as reader:
        chosen = await _chosen(reader, project_id, repository)
        present = await workflow.policy_in_force(reader, chosen.id)
        going_on = workflow.GoingOn(
            runs=await views.list_open_runs(reader, chosen.id),
            profiles=await views.list_open_profiles(reader, chosen.id),
            links=await views.list_open_links(reader, chosen.id),
            labels=await views.list_open_labels(reader, chosen.id),
        )
    changes = workflow.compare_policies(present, proposed)
    return PolicyDiff(
        repository_id=str(chosen.id),
        before_hash=present.hash,
        after_hash=proposed.hash,
        changes=[
            ChangeView(**{name: getattr(item, name) for name in ChangeView.model_fields})
            for item in changes[:MOST_CHANGES]
        ],
        truncated=len(changes) > MOST_CHANGES,
        warnings=[
            ForeseenView(code=item.code, subject=item.subject, count=item.count, met=list(item.met))
            for item in workflow.foresee(present, proposed, going_on)
        ],
    )


@routes.post("/projects/{project_id}/policy:test", Permission.PROJECT_VIEW)
async def try_policy(
    project_id: UUID, form: PolicyTrial, me: CallerDep, db: Db, clock: ClockDep, repository: Chosen = None
) -> PolicyTest:
    """Decide kept deliveries again, by the policy in force and by another text, over the same world. Nothing is
    stored or started."""
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    proposed = workflow.effective_policy(form.text)
    since = clock.now() - timedelta(days=form.days)
    async with db.reading() as reader:
        chosen = await _chosen(reader, project_id, repository)
        present = await workflow.policy_in_force(reader, chosen.id)
        done = await replay_deliveries(reader, chosen, present=present, proposed=proposed, since=since)
    shown = [item for item in done.decided if item.changed or not item.reproduced]
    return PolicyTest(
        repository_id=str(chosen.id),
        before_hash=present.hash,
        after_hash=proposed.hash,
        since=since.isoformat(),
        replayed=len(done.decided),
        changed=sum(item.changed for item in done.decided),
        not_reproduced=sum(not item.reproduced for item in done.decided),
        forgotten=done.forgotten,
        unaffected=done.unaffected,
        more=done.more,
        rows=[_row(item) for item in shown[:MOST_ROWS]],
        truncated=len(shown) > MOST_ROWS,
    )


def _row(item: Replayed) -> ReplayedView:
    kept = item.delivery
    return ReplayedView(
        delivery_id=kept.delivery_id,
        received_at=kept.received_at.isoformat(),
        event=kept.event,
        action=kept.action,
        thread=kept.thread,
        label=item.label,
        sender=item.sender,
        recorded=OutcomeView.of(Outcome(kept.verdict, kept.reason)),
        present=OutcomeView.of(item.present),
        proposed=OutcomeView.of(item.proposed),
        changed=item.changed,
        reproduced=item.reproduced,
        assumed=list(item.assumed),
    )


async def _chosen(reader: Reader, project_id: UUID, wanted: UUID | None) -> projects.Repository:
    """Return the repository meant: the named one, or the project's only one."""
    bound = await projects.list_repositories(reader, project_id)
    found = bound if wanted is None else [item for item in bound if item.id == wanted]
    if wanted is not None and not found:
        raise projects.RepositoryNotFound(f"there is no repository {wanted}")
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{item.id} ({item.full_name})" for item in bound[:20]) or "none; bind one"
    problem = FieldProblem("/query/repository", "required", f"name one of the project's repositories: {names}")
    raise Invalid("name the repository whose policy you want to try", problems=(problem,))
