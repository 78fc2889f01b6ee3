"""Binding repositories and their labels. The forge is read before the transaction, with the credential just given."""

from dataclasses import dataclass
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field, SecretStr, model_validator

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission, PlatformRole
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.http.shapes import CallerDep
from stagewright.contexts.runs.usecases import binding
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import Denied, FieldProblem, Invalid, Unauthenticated, Unavailable
from stagewright.kit.http import RequestBody
from stagewright.kit.http.once import Answer, KeyedOnce
from stagewright.kit.http.routes import ClockDep, Routes
from stagewright.kit.http.shapes import Id
from stagewright.kit.settings import Listen, url

GITHUB = "https://api.github.com"
OUT_OF_REACH = "forge.address_refused"  # told by the forge's adapter
routes = Routes(tag="repositories")


@dataclass(frozen=True, slots=True)
class Parts:
    """What binding needs: the forge, the seals, where webhooks come in, and whether plain loopback forges count."""

    directory: projects.ForgeDirectory
    sealers: binding.Sealers
    public_url: str
    loopback_forges: bool


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.repositories
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


class AppForm(RequestBody):
    """A GitHub App that is installed on the repository."""

    app_id: int = Field(ge=1)
    installation_id: int = Field(ge=1)
    private_key: SecretStr = Field(max_length=16 * 1024)


class RepositoryForm(RequestBody):
    """The repository to bind and how to reach it: a token, or an App."""

    full_name: str = Field(min_length=3, max_length=200, description="owner/name")
    api_url: str = Field(default=GITHUB, max_length=500)
    token: SecretStr | None = Field(default=None, max_length=1024)
    app: AppForm | None = None
    owner_login: str | None = Field(default=None, max_length=100, description="the forge login of the platform's owner")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.token is None) == (self.app is None):
            raise ValueError("give either token or app")
        return self


class BoundView(BaseModel):
    """A repository just bound. The webhook's secret is shown this once."""

    id: Id
    project_id: Id
    full_name: str
    web_url: str
    api_url: str
    default_branch: str
    binding: projects.Binding
    state: projects.RepositoryState
    health: str
    version: int
    webhook_url: str
    webhook_secret: str
    webhook_events: list[str]
    labels: int


class LabelView(BaseModel):
    """A label of the catalogue, and how the forge has it as far as is known without asking."""

    key: str
    text: str
    color: str
    description: str
    label_class: str
    threads: list[str]
    known_text: str | None
    state: str
    drift: list[workflow.Drift]
    action: str

    @classmethod
    def of(cls, item: binding.LabelState) -> "LabelView":
        """Show ``item``."""
        wanted = item.definition
        return cls(
            key=wanted.key,
            text=wanted.text,
            color=wanted.color,
            description=wanted.description,
            label_class=wanted.label_class.value,
            threads=list(wanted.threads),
            known_text=item.known_text,
            state=item.state,
            drift=list(item.drift),
            action=item.action,
        )


class LabelSync(BaseModel):
    """What a synchronisation would do, or asked the worker to do."""

    dry_run: bool
    labels: list[LabelView]


EVENTS = ["issues", "issue_comment", "pull_request", "pull_request_review", "push", "label", "repository"]


@routes.post(
    "/projects/{project_id}/repositories",
    Permission.REPOSITORY_MANAGE,
    keyed=True,
    status_code=201,
    response_model=BoundView,
)
async def bind_repository(
    project_id: UUID, form: RepositoryForm, me: CallerDep, once: KeyedOnce, clock: ClockDep, parts: PartsDep
) -> Response:
    """Bind a repository: read it with the given credential, keep the credential, ask for its labels.

    ``owner_login`` is looked up with the credential and pinned first, also when the repository is bound already (409).
    """
    async with once.parts.db.reading() as reader:
        await _project(reader, project_id, me)
    stored = await once.replay()
    if stored is not None:
        return stored
    api_url = _checked_url(form.api_url, parts)
    found, access, owner = await _read(form, api_url, me, parts)
    if owner is not None:  # on its own: it counts also for a repository that is bound already
        async with once.parts.db.transaction(me.actor) as tx:
            await identity.pin_owner(tx, me.user, github_id=owner.id, login=owner.login)

    async def act(tx: Tx) -> Answer:
        project = await _project(tx, project_id, me)
        bound = await binding.connect_repository(
            tx,
            project,
            found,
            api_url=api_url,
            access=access,
            sealers=parts.sealers,
            now=clock.now(),
        )
        labels = await binding.label_states(tx, bound.repository)
        place = f"/api/v1/projects/{project_id}/repositories/{bound.repository.id}"
        return Answer(_bound_view(bound, parts, len(labels)), 201, {"Location": place})

    return await once.run(act)


async def _project(reader: Reader, project_id: UUID, me: Caller) -> projects.Project:
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    return await projects.get_project(reader, project_id)


def _checked_url(given: str, parts: Parts) -> str:
    """Return the forge's address. Plain http is for a practice forge on this machine only."""
    try:
        address = url(given)
    except ValueError as error:
        raise _bad_url(str(error)) from error
    host = address.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0].strip("[]")
    if address.startswith("http://") and not (parts.loopback_forges and Listen(host, 0).loopback):
        raise _bad_url("use https; plain http is for a practice forge on this machine only")
    return address


def _bad_url(message: str) -> Invalid:
    return Invalid("the forge's address cannot be used", problems=(FieldProblem("/api_url", "address", message),))


async def _read(
    form: RepositoryForm, api_url: str, me: Caller, parts: Parts
) -> tuple[projects.ForgeRepository, binding.ForgeAccess, projects.ForgeAccount | None]:
    """Read the repository, the account and the owner's number with the credential of the form."""
    if form.owner_login is not None and me.user.role is not PlatformRole.OWNER:
        raise Denied("only the platform's owner says which forge account is the owner's", grantor="owner")
    directory = parts.directory
    place = "/token" if form.token else "/app/private_key"
    try:
        if form.app is not None:
            key = form.app.private_key.get_secret_value()
            token = await directory.installation_token(api_url, form.app.app_id, key, form.app.installation_id)
            access = binding.ForgeAccess(
                kind=vault.CredentialKind.GITHUB_APP,
                secret=key,
                app_id=form.app.app_id,
                installation_id=form.app.installation_id,
            )
        else:
            assert form.token is not None
            token = form.token.get_secret_value().strip()
            account = await directory.account(api_url, token)
            access = binding.ForgeAccess(kind=vault.CredentialKind.TOKEN, secret=token, account=account)
        found = await directory.repository(api_url, token, form.full_name)
        owner = await directory.user(api_url, token, form.owner_login) if form.owner_login else None
    except Unauthenticated as error:
        # The caller is signed in here: it is the forge that refuses what the request brings along.
        problem = FieldProblem(place, "refused", "the forge does not take this credential; make a new one")
        raise Invalid("the forge refuses the credential", problems=(problem,), code="credential.refused") from error
    except Unavailable as error:
        if error.stable_code != OUT_OF_REACH:
            raise
        raise _bad_url(
            "the host has no public address; the operator names others in STAGEWRIGHT_FORGE_HOSTS"
        ) from error
    return found, access, owner


def _bound_view(bound: projects.Bound, parts: Parts, labels: int) -> BoundView:
    repository = bound.repository
    return BoundView(
        id=str(repository.id),
        project_id=str(repository.project_id),
        full_name=repository.full_name,
        web_url=repository.web_url,
        api_url=repository.api_url,
        default_branch=repository.default_branch,
        binding=repository.binding,
        state=repository.state,
        health=repository.health,
        version=repository.version,
        webhook_url=webhook_url(repository, parts),
        webhook_secret=bound.webhook_secret,
        webhook_events=EVENTS,
        labels=labels,
    )


def webhook_url(repository: projects.Repository, parts: Parts) -> str:
    """Return where the forge sends the repository's deliveries: an own address, or the one of its GitHub App."""
    hook = f"{parts.public_url}/api/v1/webhooks/github"
    return f"{hook}/{repository.id}" if repository.binding is projects.Binding.TOKEN else hook


@routes.post(
    "/projects/{project_id}/repositories/{repository_id}:sync-labels",
    Permission.REPOSITORY_MANAGE,
    keyed=True,
    status_code=202,
    response_model=LabelSync,
    responses={200: {"model": LabelSync, "description": "what would be done; nothing was applied"}},
)
async def sync_labels(
    project_id: UUID,
    repository_id: UUID,
    me: CallerDep,
    once: KeyedOnce,
    clock: ClockDep,
    dry_run: Annotated[bool, Query(description="show what would be done; nothing is applied")] = False,
) -> Response:
    """Let the worker create, mend and rename the repository's labels. None is ever deleted."""

    async def act(tx: Tx) -> Answer:
        repository = await visible_repository(tx, project_id, repository_id, me)
        if dry_run:
            states = await binding.label_states(tx, repository)
        else:
            states = await binding.define_labels(tx, repository, now=clock.now())
        view = LabelSync(dry_run=dry_run, labels=[LabelView.of(item) for item in states])
        return Answer(view, 200 if dry_run else 202)

    return await once.run(act)


async def visible_repository(reader: Reader, project_id: UUID, repository_id: UUID, me: Caller) -> projects.Repository:
    """Return the project's bound repository, or raise what the object rule asks for."""
    me.admit(project_id, hidden_repository(repository_id))
    found = await projects.find_repository(reader, repository_id)
    if found is None or found.project_id != project_id:
        raise hidden_repository(repository_id)
    return found


def hidden_repository(repository_id: UUID) -> projects.RepositoryNotFound:
    """Return the error of an unknown repository."""
    return projects.RepositoryNotFound(f"there is no repository {repository_id}")
