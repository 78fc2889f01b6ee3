"""The door for people to projects, their repositories and their members."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission, ProjectRole
from stagewright.contexts.projects import store, usecases
from stagewright.contexts.projects.errors import ProjectNotFound, RepositoryNotFound
from stagewright.contexts.projects.events import project_frame, repository_frame
from stagewright.contexts.projects.model import Binding, Project, Repository, RepositoryState
from stagewright.contexts.projects.rules import what_turning_does
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import FieldProblem, Invalid
from stagewright.kit.http import Limit, Page, RequestBody, VersionMismatch, etag, expected_version
from stagewright.kit.http.confirm import Preview
from stagewright.kit.http.once import Answer, KeyedOnce, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

routes = Routes(tag="projects")
CallerDep = Annotated[Caller, Depends(caller)]
VersionDep = Annotated[int, Depends(expected_version)]
ACTIONS = {
    "edit": Permission.PROJECT_EDIT,
    "bind_repository": Permission.REPOSITORY_MANAGE,
    "manage_members": Permission.MEMBER_MANAGE,
    "manage_credentials": Permission.CREDENTIALS_MANAGE,
}
REPOSITORY_VERBS = ("sync_labels", "change", "rotate_webhook_secret", "unbind")
REPOSITORY_ACTIONS = dict.fromkeys(REPOSITORY_VERBS, Permission.REPOSITORY_MANAGE)


class ProjectView(BaseModel):
    """A project and what the caller may do with it."""

    id: Id
    key: str
    name: str
    locale: str
    weight: int
    version: int
    created_at: Instant
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, project: Project, me: Caller) -> "ProjectView":
        """Show ``project`` to ``me``."""
        return cls(**project_frame(project), allowed_actions=project_actions(project.id, me))


class RepositoryView(BaseModel):
    """A bound repository. Its webhook secrets are never shown again."""

    id: Id
    project_id: Id
    full_name: str
    web_url: str
    api_url: str
    default_branch: str
    binding: Binding
    state: RepositoryState
    health: str
    version: int
    bound_at: Instant
    unbound_at: Instant | None
    scanned_at: Instant | None
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, repository: Repository, me: Caller) -> "RepositoryView":
        """Show ``repository`` to ``me``."""
        scanned = repository.scanned_at.isoformat() if repository.scanned_at else None
        actions = repository_actions(repository.project_id, me)
        return cls(**repository_frame(repository), scanned_at=scanned, allowed_actions=actions)


class MemberView(BaseModel):
    """A member of a project, and what the caller may do with them."""

    project_id: Id
    user_id: Id
    role: ProjectRole
    version: int
    email: str
    display_name: str
    github_login: str | None
    state: str
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, member: identity.Member, members: Collection[identity.Member], me: Caller) -> "MemberView":
        """Show ``member``, one of the project's ``members``, to ``me``."""
        verbs = identity.member_verbs(me.principal, members, member)
        return cls(
            project_id=str(member.project_id),
            user_id=str(member.user_id),
            role=member.role,
            version=member.version,
            email=member.email,
            display_name=member.display_name,
            github_login=member.github_login,
            state=member.state,
            allowed_actions=[
                AllowedAction(verb=verb, mode="deny" if why else "allow", reason_code=why)
                for verb, why in verbs.items()
            ],
        )


class ProjectForm(RequestBody):
    """A new project."""

    key: str = Field(max_length=39, description="lower-case letters, digits and hyphens; never changes")
    name: str
    locale: str = "en"


class ProjectPatch(RequestBody):
    """What to change of a project; what is absent stays."""

    name: str = Field(default="", max_length=100)
    locale: str = ""
    weight: int = Field(default=0, ge=1, le=100)


class RepositoryPatch(RequestBody):
    """What to change of a repository, why, and the token of the preview."""

    state: RepositoryState | None = None
    reason: str | None = Field(default=None, max_length=500)
    confirm_token: str | None = Field(default=None, max_length=2048)


class MemberForm(RequestBody):
    """Whom to make a member: an existing user, by e-mail or id."""

    email: str | None = Field(default=None, max_length=254)
    user_id: UUID | None = None
    role: ProjectRole

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.user_id is None):
            raise ValueError("give either email or user_id")
        return self


def project_actions(project_id: UUID, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with the project."""
    return _actions(project_id, me, ACTIONS)


def repository_actions(project_id: UUID, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with a repository of the project."""
    return _actions(project_id, me, REPOSITORY_ACTIONS)


def _actions(project_id: UUID, me: Caller, actions: Mapping[str, Permission]) -> list[AllowedAction]:
    return [
        AllowedAction(verb=verb, mode="allow")
        if me.may(permission, project_id)
        else AllowedAction(verb=verb, mode="deny", reason_code="permission_denied")
        for verb, permission in actions.items()
    ]


async def _project(reader: Reader, project_id: UUID, me: Caller) -> Project:
    me.admit(project_id, ProjectNotFound(f"there is no project {project_id}"))
    return await store.get_project(reader, project_id)


@routes.get("/projects", Permission.PROJECT_VIEW)
async def list_projects(
    me: CallerDep, db: Db, clock: ClockDep, cursors: CursorsDep, limit: Limit = 50, cursor: str | None = None
) -> Page[ProjectView]:
    """List the projects the caller may see, by key."""
    paging = Paging(cursors, limit, cursor, "key", {})
    async with db.reading() as reader:
        found = await store.list_projects(reader)
    seen = me.projects
    visible = [project for project in found if seen is None or project.id in seen]
    return paging.slice(visible, lambda item: (item.key,), lambda item: ProjectView.of(item, me), as_of=clock.now())


@routes.post("/projects", Permission.PROJECT_CREATE, keyed=True, status_code=201, response_model=ProjectView)
async def create_project(form: ProjectForm, me: CallerDep, once: KeyedOnce, clock: ClockDep) -> Response:
    """Create a project."""

    async def act(tx: Tx) -> Answer:
        made = await usecases.create_project(tx, key=form.key, name=form.name, locale=form.locale, now=clock.now())
        headers = {"Location": f"/api/v1/projects/{made.id}", "ETag": etag(made.version)}
        return Answer(ProjectView.of(made, me), 201, headers)

    return await once.run(act)


@routes.get("/projects/{project_id}", Permission.PROJECT_VIEW)
async def get_project(project_id: UUID, me: CallerDep, db: Db, response: Response) -> ProjectView:
    """Show a project."""
    async with db.reading() as reader:
        project = await _project(reader, project_id, me)
    response.headers["ETag"] = etag(project.version)
    return ProjectView.of(project, me)


@routes.patch("/projects/{project_id}", Permission.PROJECT_EDIT)
async def change_project(
    project_id: UUID, form: ProjectPatch, me: CallerDep, db: Db, version: VersionDep, response: Response
) -> ProjectView:
    """Change a project if nobody did since the version in ``If-Match``."""
    async with db.transaction(me.actor) as tx:
        project = await _project(tx, project_id, me)
        if project.version != version:
            raise VersionMismatch("the project was changed since you read it: read it again")
        changed = await usecases.change_project(
            tx, project, version=version, name=form.name or None, locale=form.locale or None, weight=form.weight or None
        )
    response.headers["ETag"] = etag(changed.version)
    return ProjectView.of(changed, me)


@routes.get("/projects/{project_id}/repositories", Permission.PROJECT_VIEW)
async def list_repositories(
    project_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
    full_name: str | None = None,
) -> Page[RepositoryView]:
    """List the project's repositories by name."""
    paging = Paging(cursors, limit, cursor, "full_name", {"project": project_id, "full_name": full_name})
    async with db.reading() as reader:
        await _project(reader, project_id, me)
        found = await store.list_repositories(reader, project_id)
    if full_name is not None:
        found = [item for item in found if item.full_name.casefold() == full_name.casefold()]
    return paging.slice(
        found, lambda item: (item.full_name, item.id), lambda item: RepositoryView.of(item, me), as_of=clock.now()
    )


@routes.get("/projects/{project_id}/repositories/{repository_id}", Permission.PROJECT_VIEW)
async def get_repository(
    project_id: UUID, repository_id: UUID, me: CallerDep, db: Db, response: Response
) -> RepositoryView:
    """Show a repository of the project."""
    async with db.reading() as reader:
        repository = await _repository(reader, project_id, repository_id, me)
    response.headers["ETag"] = etag(repository.version)
    return RepositoryView.of(repository, me)


async def _repository(reader: Reader, project_id: UUID, repository_id: UUID, me: Caller) -> Repository:
    hidden = RepositoryNotFound(f"there is no repository {repository_id}")
    me.admit(project_id, hidden)
    repository = await store.find_repository(reader, repository_id)
    if repository is None or repository.project_id != project_id:
        raise hidden
    return repository


@routes.patch(
    "/projects/{project_id}/repositories/{repository_id}",
    Permission.REPOSITORY_MANAGE,
    response_model=RepositoryView | Preview,
)
async def change_repository(
    project_id: UUID,
    repository_id: UUID,
    form: RepositoryPatch,
    request: Request,
    me: CallerDep,
    db: Db,
    confirmations: ConfirmationsDep,
    response: Response,
    preview: Annotated[bool, Query(description="show what would stop, and get the token that confirms it")] = False,
) -> RepositoryView | Preview:
    """Enable or disable a repository. Needs ``If-Match`` and the token of the preview.

    Its name and default branch are the forge's: they follow its deliveries and need no change here.
    """
    if form.state is None:
        problem = FieldProblem("/state", "required", "give the state: enabled or disabled")
        raise Invalid("nothing to change was given", problems=(problem,))
    subject = {"user": str(me.user.id), "verb": f"repository.{form.state.value}", "resource": str(repository_id)}
    if preview:
        async with db.reading() as reader:
            repository = await _repository(reader, project_id, repository_id, me)
        does = what_turning_does(repository.full_name, form.state)
        return confirmations.preview(subject, repository.version, does)
    version = expected_version(request)
    async with db.transaction(me.actor, correlation_id=str(request.state.request_id)) as tx:
        await _repository(tx, project_id, repository_id, me)
        locked = await store.lock_bound(tx, repository_id)
        if locked is None or locked.version != version:
            raise VersionMismatch("the repository was changed since you read it: read it again")
        shown = what_turning_does(locked.full_name, form.state)
        confirmations.check(form.confirm_token, subject, locked.version, shown)
        changed = await usecases.turn_repository(tx, locked, form.state, reason=form.reason)
    response.headers["ETag"] = etag(changed.version)
    return RepositoryView.of(changed, me)


@routes.get("/projects/{project_id}/members", Permission.PROJECT_VIEW)
async def list_members(
    project_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
    sort: Literal["email"] = "email",
) -> Page[MemberView]:
    """List the project's members."""
    paging = Paging(cursors, limit, cursor, sort, {"project": project_id})
    async with db.reading() as reader:
        await _project(reader, project_id, me)
        found = await identity.list_members(reader, project_id)
    return paging.slice(
        found,
        lambda item: (item.email, item.user_id),
        lambda item: MemberView.of(item, found, me),
        as_of=clock.now(),
    )


@routes.post("/projects/{project_id}/members", Permission.MEMBER_MANAGE, status_code=201, response_model=MemberView)
async def add_member(project_id: UUID, form: MemberForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Make an existing user a member of the project."""

    async def act(tx: Tx) -> Answer:
        await _project(tx, project_id, me)
        made = await identity.add_member(
            tx, project_id, email=form.email, user_id=form.user_id, role=form.role, now=clock.now()
        )
        members = await identity.list_members(tx, project_id)
        return Answer(MemberView.of(made, members, me), 201, {"Location": f"/api/v1/projects/{project_id}/members"})

    return await once.run(act)
