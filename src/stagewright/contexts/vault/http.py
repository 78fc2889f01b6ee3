"""The door for people to credentials: what is stored, and storing them. Secrets come in and never go out."""

from dataclasses import dataclass
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field, SecretStr, model_validator

from stagewright.contexts.identity.api import Caller, FreshLoginRequired, Permission
from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api
from stagewright.contexts.vault.api import CredentialKind, CredentialScope
from stagewright.contexts.vault.rules import what_clearing_does
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import MacSigner, Sealer
from stagewright.kit.db import Database, Tx
from stagewright.kit.errors import FieldProblem, Invalid, Unauthenticated
from stagewright.kit.http import Page, RequestBody, VersionMismatch, etag, expected_version
from stagewright.kit.http.confirm import Confirmations, Preview, check_name
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant
from stagewright.kit.settings import url

GITHUB = "https://api.github.com"
routes = Routes(tag="credentials")
CallerDep = Annotated[Caller, Depends(caller)]
Purpose = Annotated[str, Path(pattern=r"^(management|bot|model:[a-z][a-z0-9-]{0,31})$")]


@dataclass(frozen=True, slots=True)
class Parts:
    """What seals credentials, makes their fingerprints, and asks a forge whether they count."""

    sealer: Sealer
    fingerprints: MacSigner
    directory: projects.ForgeDirectory


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.vault
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


class CredentialView(BaseModel):
    """A stored credential: that it is there, what it is and since when, never its secret."""

    id: Id
    scope: CredentialScope
    project_id: Id | None
    purpose: str
    kind: CredentialKind
    fingerprint: str | None
    app_id: int | None
    installation_id: int | None
    base_url: str | None
    login: str | None
    state: str
    version: int
    created_at: Instant
    checked_at: Instant | None

    @classmethod
    def of(cls, described: api.Described) -> "CredentialView":
        """Show ``described``."""
        item = described.credential
        return cls(
            id=str(item.id),
            scope=item.scope,
            project_id=str(item.project_id) if item.project_id else None,
            purpose=item.purpose,
            kind=item.kind,
            fingerprint=described.fingerprint,
            app_id=item.app_id,
            installation_id=item.installation_id,
            base_url=item.base_url,
            login=item.login,
            state=item.state,
            version=item.version,
            created_at=item.created_at.isoformat(),
            checked_at=item.checked_at.isoformat() if item.checked_at else None,
        )


class ClearForm(RequestBody):
    """The token of the preview, and the credential's purpose as the person typed it."""

    confirm_token: str | None = Field(default=None, max_length=2048)
    confirm_name: str | None = Field(default=None, max_length=100)


class ClearedView(BaseModel):
    """A credential that is not stored any more."""

    id: Id
    scope: CredentialScope
    project_id: Id | None
    purpose: str


class CredentialForm(RequestBody):
    """A whole credential. ``secret`` is a model provider's key, a token, or an App's private key."""

    kind: CredentialKind
    secret: SecretStr = Field(max_length=64 * 1024)
    base_url: str | None = Field(default=None, max_length=500)
    app_id: int | None = Field(default=None, ge=1)
    installation_id: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.base_url is not None:
            url(self.base_url)
        if (self.kind is CredentialKind.GITHUB_APP) != (self.app_id is not None):
            raise ValueError("a github_app has an app_id, other kinds have none")
        return self


@dataclass(frozen=True, slots=True)
class Level:
    """Where a credential is stored: on the platform, or on one project."""

    scope: CredentialScope
    project_id: UUID | None


PLATFORM = Level(CredentialScope.PLATFORM, None)
PreviewQuery = Annotated[bool, Query(description="show what would be lost, and get the token that confirms it")]


@routes.get("/platform/credentials", Permission.CONFIG_PLATFORM)
async def list_platform_credentials(me: CallerDep, db: Db, clock: ClockDep, parts: PartsDep) -> Page[CredentialView]:
    """List the platform's credentials."""
    return await _list(db, clock, PLATFORM, parts)


@routes.get("/platform/credentials/{purpose}", Permission.CONFIG_PLATFORM)
async def get_platform_credential(
    purpose: Purpose, me: CallerDep, db: Db, parts: PartsDep, response: Response
) -> CredentialView:
    """Show the platform's credential for a purpose."""
    return _tagged(await _get(db, PLATFORM, purpose, parts), response)


@routes.put("/platform/credentials/{purpose}", Permission.CONFIG_PLATFORM)
async def put_platform_credential(
    purpose: Purpose, form: CredentialForm, me: CallerDep, db: Db, clock: ClockDep, parts: PartsDep
) -> CredentialView:
    """Store the platform's credential for a purpose, in place of the one before."""
    return await _put(db, clock, me, PLATFORM, purpose, form, parts)


@routes.delete("/platform/credentials/{purpose}", Permission.CONFIG_PLATFORM, response_model=ClearedView | Preview)
async def delete_platform_credential(
    purpose: Purpose,
    request: Request,
    me: CallerDep,
    db: Db,
    confirmations: ConfirmationsDep,
    form: ClearForm | None = None,
    preview: PreviewQuery = False,
) -> ClearedView | Preview:
    """Delete the platform's credential. Needs ``If-Match``, the preview's token, the name and a fresh sign-in."""
    return await _clear(Clearing(db, me, request, confirmations, PLATFORM, purpose), form or ClearForm(), preview)


@routes.post("/platform/credentials/{purpose}:check", Permission.CONFIG_PLATFORM, response_model=CredentialView)
async def check_platform_credential(
    purpose: Purpose, me: CallerDep, once: OnceDep, clock: ClockDep, parts: PartsDep
) -> Response:
    """Ask the forge whether the platform's credential counts, and keep the answer."""
    return await _check(once, clock, PLATFORM, purpose, parts)


@routes.get("/projects/{project_id}/credentials", Permission.CREDENTIALS_READ)
async def list_project_credentials(
    project_id: UUID, me: CallerDep, db: Db, clock: ClockDep, parts: PartsDep
) -> Page[CredentialView]:
    """List the project's own credentials."""
    return await _list(db, clock, await _level(db, project_id, me), parts)


@routes.get("/projects/{project_id}/credentials/{purpose}", Permission.CREDENTIALS_READ)
async def get_project_credential(
    project_id: UUID, purpose: Purpose, me: CallerDep, db: Db, parts: PartsDep, response: Response
) -> CredentialView:
    """Show the project's own credential for a purpose."""
    return _tagged(await _get(db, await _level(db, project_id, me), purpose, parts), response)


@routes.put("/projects/{project_id}/credentials/{purpose}", Permission.CREDENTIALS_MANAGE)
async def put_project_credential(
    project_id: UUID, purpose: Purpose, form: CredentialForm, me: CallerDep, db: Db, clock: ClockDep, parts: PartsDep
) -> CredentialView:
    """Store the project's credential for a purpose, in place of the one before."""
    return await _put(db, clock, me, await _level(db, project_id, me), purpose, form, parts)


@routes.delete(
    "/projects/{project_id}/credentials/{purpose}", Permission.CREDENTIALS_MANAGE, response_model=ClearedView | Preview
)
async def delete_project_credential(
    project_id: UUID,
    purpose: Purpose,
    request: Request,
    me: CallerDep,
    db: Db,
    confirmations: ConfirmationsDep,
    form: ClearForm | None = None,
    preview: PreviewQuery = False,
) -> ClearedView | Preview:
    """Delete the project's credential. Needs ``If-Match``, the preview's token, the name and a fresh sign-in."""
    level = await _level(db, project_id, me)
    return await _clear(Clearing(db, me, request, confirmations, level, purpose), form or ClearForm(), preview)


@routes.post(
    "/projects/{project_id}/credentials/{purpose}:check", Permission.CREDENTIALS_MANAGE, response_model=CredentialView
)
async def check_project_credential(
    project_id: UUID, purpose: Purpose, me: CallerDep, once: OnceDep, clock: ClockDep, parts: PartsDep
) -> Response:
    """Ask the forge whether the project's credential counts, and keep the answer."""
    return await _check(once, clock, await _level(once.parts.db, project_id, me), purpose, parts)


def _tagged(view: CredentialView, response: Response) -> CredentialView:
    response.headers["ETag"] = etag(view.version)
    return view


async def _level(db: Database, project_id: UUID, me: Caller) -> Level:
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    async with db.reading() as reader:
        await projects.get_project(reader, project_id)
    return Level(CredentialScope.PROJECT, project_id)


async def _list(db: Database, clock: Clock, level: Level, parts: Parts) -> Page[CredentialView]:
    async with db.reading() as reader:
        found = await api.describe_level(
            reader, level.scope, level.project_id, sealer=parts.sealer, fingerprints=parts.fingerprints
        )
    return Page(items=[CredentialView.of(item) for item in found], next_cursor=None, as_of=clock.now())


async def _get(db: Database, level: Level, purpose: str, parts: Parts) -> CredentialView:
    async with db.reading() as reader:
        found = await api.describe_level(
            reader,
            level.scope,
            level.project_id,
            purpose=purpose,
            sealer=parts.sealer,
            fingerprints=parts.fingerprints,
        )
    if not found:
        raise api.CredentialMissing(
            f"no credential for {purpose} is stored here: add one with `stagewright credential set {purpose} --stdin`"
        )
    return CredentialView.of(found[0])


async def _put(
    db: Database, clock: Clock, me: Caller, level: Level, purpose: str, form: CredentialForm, parts: Parts
) -> CredentialView:
    model = purpose.startswith("model:")
    if model != (form.kind is CredentialKind.API_KEY):
        allowed = "api_key" if model else "token or github_app"
        problem = FieldProblem("/kind", "choice", f"a credential for {purpose} is of kind {allowed}")
        raise Invalid("the credential does not fit its purpose", problems=(problem,))
    wanted = api.NewCredential(
        scope=level.scope,
        project_id=level.project_id,
        purpose=purpose,
        kind=form.kind,
        secret=form.secret.get_secret_value(),
        base_url=form.base_url,
        app_id=form.app_id,
        installation_id=form.installation_id,
    )
    async with db.transaction(me.actor) as tx:
        await api.put_credential(tx, wanted, sealer=parts.sealer, now=clock.now())
    return await _get(db, level, purpose, parts)


@dataclass(frozen=True, slots=True)
class Clearing:
    """A request to delete a stored credential."""

    db: Database
    me: Caller
    request: Request
    confirmations: Confirmations
    level: Level
    purpose: str


async def _clear(wish: Clearing, form: ClearForm, preview: bool) -> ClearedView | Preview:
    level, purpose = wish.level, wish.purpose
    place = f"{level.project_id or level.scope.value}/{purpose}"
    subject = {"user": str(wish.me.user.id), "verb": "credential.delete", "resource": place}
    does = what_clearing_does(purpose)
    async with wish.db.reading() as reader:
        found = await api.find_level(reader, level.scope, level.project_id, purpose)
    if preview:
        return wish.confirmations.preview(subject, found.version, does, name=purpose)
    if not wish.me.principal.fresh:
        raise FreshLoginRequired("this needs a sign-in or an API token younger than one hour")
    version = expected_version(wish.request)
    if found.version != version:
        raise VersionMismatch("the credential was replaced since you read it: read it again")
    wish.confirmations.check(form.confirm_token, subject, version, does)
    check_name(form.confirm_name, purpose)
    async with wish.db.transaction(wish.me.actor, correlation_id=str(wish.request.state.request_id)) as tx:
        gone = await api.clear_level(tx, level.scope, level.project_id, purpose, version=version)
        if gone is None:
            raise VersionMismatch("the credential was replaced since you read it: read it again")
    project_id = str(gone.project_id) if gone.project_id else None
    return ClearedView(id=str(gone.id), scope=gone.scope, project_id=project_id, purpose=gone.purpose)


async def _check(once: OnceDep, clock: Clock, level: Level, purpose: str, parts: Parts) -> Response:
    """Ask before the transaction. No answer of the forge leaves the credential as it is."""
    db = once.parts.db
    async with db.reading() as reader:
        found = await api.open_level(reader, level.scope, level.project_id, purpose, sealer=parts.sealer)
        bound = await projects.list_enabled(reader)
    forges = {item.api_url for item in bound if level.project_id in (None, item.project_id)}
    state = "valid"
    try:
        for api_url in sorted(forges) or [GITHUB]:
            await _ask(parts.directory, api_url, found)
    except Unauthenticated:
        state = "invalid"

    async def act(tx: Tx) -> Answer:
        await api.note_check(tx, found.credential, state, now=clock.now())
        described = await api.describe_level(
            tx,
            level.scope,
            level.project_id,
            purpose=purpose,
            sealer=parts.sealer,
            fingerprints=parts.fingerprints,
        )
        return Answer(CredentialView.of(described[0]), 200)

    return await once.run(act)


async def _ask(directory: projects.ForgeDirectory, api_url: str, found: api.ResolvedCredential) -> None:
    credential = found.credential
    if credential.kind is CredentialKind.TOKEN:
        await directory.account(api_url, found.secret)
        return
    if credential.app_id is None or credential.installation_id is None:
        what = "a provider's key" if credential.kind is CredentialKind.API_KEY else "an App without an installation"
        raise api.CredentialNotCheckable(f"{what} is not asked about beforehand: its first use shows whether it counts")
    await directory.installation_token(api_url, credential.app_id, found.secret, credential.installation_id)
