"""The door to a repository's labels: the catalogue, what differs on the forge, threads that differ from rows."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.overview.views import labels as views
from stagewright.contexts.overview.views.labels import LabelUse
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

routes = Routes(tag="repositories")
CallerDep = Annotated[Caller, Depends(caller)]


class CatalogueLabel(BaseModel):
    """A label of the catalogue and how the forge has it, as far as is known without asking.

    ``state`` is ``ok`` or the first of ``drift``; ``action`` what a synchronisation does: create, rename, update or
    none. ``aliases`` are other texts that count; ``changed_by`` is whoever changed it on the forge last, null for the
    platform. ``uses`` counts the acts of putting it on a thread that were decided.
    """

    key: str
    text: str
    color: str
    description: str
    label_class: workflow.LabelClass
    threads: list[str]
    aliases: list[str]
    known_text: str | None
    state: str
    drift: list[workflow.Drift]
    action: str
    changed_by: str | None
    changed_at: Instant | None
    uses: int
    last_used_at: Instant | None
    last_thread: int | None


class RepairItem(BaseModel):
    """A thread whose labels and our rows differ, and what the next scan will do.

    ``code``: ``trigger_without_run``, ``trigger_stayed`` (decided before, and left on), ``run_without_trigger``,
    ``run_on_closed_thread``, ``in_review_label_missing``, ``in_review_label_left``.
    """

    thread: int
    is_pull_request: bool
    url: str
    code: str
    label: str | None
    run_id: Id | None
    next_scan: workflow.NextScan


class LabelsView(BaseModel):
    """The labels of a repository. ``scanned_at``: when the last scan looked at its threads."""

    items: list[CatalogueLabel]
    repair: list[RepairItem]
    scanned_at: Instant | None
    next_cursor: None = None
    allowed_actions: list[AllowedAction]
    as_of: Instant


@routes.get("/projects/{project_id}/repositories/{repository_id}/labels", Permission.PROJECT_VIEW)
async def list_labels(project_id: UUID, repository_id: UUID, me: CallerDep, db: Db, clock: ClockDep) -> LabelsView:
    """List the labels that the repository's policy wants, and threads that differ from our rows. The forge is not
    asked."""
    async with db.reading() as reader:
        repository = await _visible(reader, project_id, repository_id, me)
        policy = await workflow.policy_in_force(reader, repository.id)
        states = await runs.label_states(reader, repository)
        uses = await views.list_uses(reader, repository.id)
        threads = await views.list_threads(reader, repository.id)
    return LabelsView(
        items=[_label(item, uses.get(item.definition.key), policy) for item in states],
        repair=[_repair(item, repository) for item in workflow.differences(threads, policy)],
        scanned_at=repository.scanned_at.isoformat() if repository.scanned_at else None,
        allowed_actions=[_sync_action(repository, me)],
        as_of=clock.now().isoformat(),
    )


async def _visible(reader: Reader, project_id: UUID, repository_id: UUID, me: Caller) -> projects.Repository:
    hidden = projects.RepositoryNotFound(f"there is no repository {repository_id}")
    me.admit(project_id, hidden)
    found = await projects.find_repository(reader, repository_id)
    if found is None or found.project_id != project_id:
        raise hidden
    return found


def _label(item: runs.LabelState, use: LabelUse | None, policy: workflow.Policy) -> CatalogueLabel:
    wanted, known = item.definition, item.known
    aliases = [*policy.labels.aliases.get(wanted.key, ()), *(known.aliases if known is not None else ())]
    return CatalogueLabel(
        key=wanted.key,
        text=wanted.text,
        color=wanted.color,
        description=wanted.description,
        label_class=wanted.label_class,
        threads=list(wanted.threads),
        aliases=list(dict.fromkeys(aliases)),
        known_text=item.known_text,
        state=item.state,
        drift=list(item.drift),
        action=item.action,
        changed_by=known.changed_by if known is not None else None,
        changed_at=known.changed_at.isoformat() if known is not None else None,
        uses=use.uses if use is not None else 0,
        last_used_at=use.last_used_at.isoformat() if use is not None else None,
        last_thread=use.last_thread if use is not None else None,
    )


def _repair(item: workflow.Difference, repository: projects.Repository) -> RepairItem:
    kind = "pull" if item.is_pull_request else "issues"
    return RepairItem(
        thread=item.thread,
        is_pull_request=item.is_pull_request,
        url=f"{repository.web_url}/{kind}/{item.thread}",
        code=item.code,
        label=item.label,
        run_id=item.run_id,
        next_scan=item.next_scan,
    )


def _sync_action(repository: projects.Repository, me: Caller) -> AllowedAction:
    allowed = me.may(Permission.REPOSITORY_MANAGE, repository.project_id)
    return AllowedAction(
        verb="sync_labels", mode="allow" if allowed else "deny", reason_code=None if allowed else "permission_denied"
    )
