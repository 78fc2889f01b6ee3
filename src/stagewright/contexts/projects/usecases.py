"""Create projects and bind repositories to them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from stagewright.contexts.projects import store
from stagewright.contexts.projects.errors import (
    ProjectChanged,
    ProjectInvalid,
    ProjectKeyTaken,
    RepositoryAlreadyBound,
    RepositoryNotFound,
)
from stagewright.contexts.projects.events import (
    LabelDrifted,
    LabelsSynced,
    ProjectChangedEvent,
    ProjectCreated,
    RepositoryBound,
    RepositoryChanged,
    RepositoryUnbound,
)
from stagewright.contexts.projects.model import (
    Binding,
    ForgeRepository,
    KnownLabel,
    Project,
    Repository,
    RepositoryState,
)
from stagewright.kit.crypto import KeyUnknown, Sealer, Undecryptable, new_secret
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.ids import uuid7

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
LOCALES = ("en", "ru")


async def create_project(tx: Tx, *, key: str, name: str, locale: str, now: datetime) -> Project:
    """Create a project. Raises ``ProjectInvalid`` or ``ProjectKeyTaken``."""
    problems = []
    if not KEY.fullmatch(key):
        problems.append(
            FieldProblem("/key", "pattern", "use 1 to 39 lower-case letters, digits and hyphens, not starting with -")
        )
    problems += _text_problems(name, locale)
    if problems:
        raise ProjectInvalid("the project cannot be created", problems=tuple(problems))
    project = await store.insert_project(tx, project_id=uuid7(), key=key, name=name, locale=locale, now=now)
    if project is None:
        raise ProjectKeyTaken(f"there is a project {key} already; choose another key", key=key)
    tx.publish(ProjectCreated(project=project))
    return project


def _text_problems(name: str, locale: str) -> list[FieldProblem]:
    problems = []
    if not 1 <= len(name.strip()) <= 100:
        problems.append(FieldProblem("/name", "length", "use 1 to 100 characters"))
    if locale not in LOCALES:
        problems.append(FieldProblem("/locale", "choice", f"use one of {', '.join(LOCALES)}"))
    return problems


async def change_project(
    tx: Tx, project: Project, *, version: int, name: str | None, locale: str | None, weight: int | None
) -> Project:
    """Change a project if nobody did since ``version``."""
    wanted = (name or project.name, locale or project.locale, project.weight if weight is None else weight)
    problems = _text_problems(wanted[0], wanted[1])
    if not 1 <= wanted[2] <= 100:
        problems.append(FieldProblem("/weight", "range", "use a whole number from 1 to 100"))
    if problems:
        raise ProjectInvalid("the project cannot be changed", problems=tuple(problems))
    changed = await store.update_project(
        tx, project.id, name=wanted[0], locale=wanted[1], weight=wanted[2], version=version
    )
    if changed is None:
        raise ProjectChanged("the project was changed by another meanwhile; read it again")
    tx.publish(ProjectChangedEvent(project=changed))
    return changed


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound repository and its first webhook secret, shown once."""

    repository: Repository
    webhook_secret: str = field(repr=False)


async def bind_repository(
    tx: Tx,
    project: Project,
    found: ForgeRepository,
    *,
    api_url: str,
    binding: Binding,
    sealer: Sealer,
    now: datetime,
    secrets: Sequence[str] = (),
) -> Bound:
    """Bind what the forge showed to ``project``, with a webhook secret; a second one comes with its rotation.

    ``secrets`` are those of the GitHub App, when another repository is bound through it already.
    """
    repository_id = uuid7()
    secrets = list(secrets) or [new_secret()]
    repository = await store.insert_repository(
        tx,
        {
            "id": repository_id,
            "project_id": project.id,
            "api_url": api_url.rstrip("/"),
            "web_url": found.web_url,
            "clone_url": found.clone_url,
            "full_name": found.full_name,
            "forge_repository_id": found.id,
            "default_branch": found.default_branch,
            "binding": binding.value,
            "webhook_secrets": seal_secrets(sealer, repository_id, secrets),
            "now": now,
        },
    )
    if repository is None:
        raise RepositoryAlreadyBound(f"{found.full_name} is bound already: `stagewright repo remove` ends that binding")
    tx.publish(RepositoryBound(repository=repository))
    return Bound(repository, secrets[0])


async def rotate_webhook_secret(
    tx: Tx, repositories: Sequence[Repository], *, sealer: Sealer
) -> tuple[str, list[Repository]]:
    """Give ``repositories``, which share their webhook, a new secret; the one before it counts until the next rotation.

    They are locked. Return the secret, to be shown once, and the repositories as they are now.
    """
    before = await store.get_sealed_secrets(tx, repositories[0].id)
    current = json.loads(sealer.open(before, context=_context(repositories[0].id)))[0]
    secret, changed = new_secret(), []
    for repository in repositories:
        sealed = seal_secrets(sealer, repository.id, [secret, current])
        after = await store.set_secrets(tx, repository.id, sealed)
        if after is None:
            raise RepositoryNotFound(f"there is no repository {repository.id}")
        tx.publish(RepositoryChanged(repository=after, extra={"changed": ["webhook_secret"]}))
        changed.append(after)
    return secret, changed


async def turn_repository(
    tx: Tx, repository: Repository, state: RepositoryState, *, reason: str | None = None
) -> Repository:
    """Enable or disable a repository: while it is disabled nothing of it starts a run."""
    if repository.state is state:
        return repository
    after = await store.set_state(tx, repository.id, state.value)
    if after is None:
        raise RepositoryNotFound(f"there is no repository {repository.id}")
    extra = {"changed": ["state"], **({"reason": reason} if reason else {})}
    tx.publish(RepositoryChanged(repository=after, extra=extra))
    return after


async def unbind_repository(tx: Tx, repository: Repository, *, now: datetime, reason: str | None = None) -> Repository:
    """End the binding: nothing of the repository is listened to any more. What refers to it stays."""
    unbound = await store.unbind(tx, repository.id, now=now)
    if unbound is None:
        raise RepositoryNotFound(f"there is no repository {repository.id}")
    tx.publish(RepositoryUnbound(repository=unbound, extra={"reason": reason} if reason else None))
    return unbound


async def note_health(tx: Tx, repository_id: UUID, health: str) -> None:
    """Note how the binding is, as told: ``ok``, ``archived``, ``deleted``, ``suspended``, ``uninstalled``."""
    after = await store.set_health(tx, repository_id, health)
    if after is not None:
        tx.publish(RepositoryChanged(repository=after, extra={"changed": ["health"]}))


async def note_label_done(tx: Tx, label: KnownLabel) -> None:
    """Note how the forge has a managed label after our act; the last one awaited completes the bootstrap."""
    complete = await store.set_label_done(tx, label.repository_id, label.key)
    await store.keep_label(tx, label)
    if complete is not None:
        there = [known for known in await store.list_labels(tx, label.repository_id) if known.present]
        tx.publish(LabelsSynced(repository=complete, extra={"labels": len(there)}))


def tell_drift(tx: Tx, repository: Repository, *, key: str, drift: Sequence[str], by: str) -> None:
    """Journal that ``by`` changed a managed label on the forge."""
    tx.publish(LabelDrifted(repository=repository, extra={"label": key, "drift": list(drift), "by": by}))


def seal_secrets(sealer: Sealer, repository_id: UUID, secrets: Sequence[str]) -> bytes:
    """Seal the live webhook secrets of a repository."""
    return sealer.seal(json.dumps(list(secrets)).encode(), context=_context(repository_id))


async def open_webhook_secrets(reader: Reader, repository_id: UUID, *, sealer: Sealer) -> tuple[bytes, ...]:
    """Return the live webhook secrets of a repository bound with a token; none for an unknown one."""
    sealed = await store.find_sealed_secrets(reader, repository_id)
    if sealed is None:
        return ()
    secrets = json.loads(sealer.open(sealed, context=_context(repository_id)))
    return tuple(str(secret).encode() for secret in secrets)


async def open_app_secrets(reader: Reader, *, sealer: Sealer, of: UUID | None = None) -> tuple[str, ...]:
    """Return the live webhook secrets of the GitHub Apps, or of the one that repository ``of`` is bound through."""
    found: dict[str, None] = {}
    for repository_id, sealed in await store.list_app_secrets(reader):
        if of is None or of == repository_id:
            found |= dict.fromkeys(json.loads(sealer.open(sealed, context=_context(repository_id))))
    return tuple(found)


async def list_webhook_secrets(reader: Reader, *, sealer: Sealer) -> list[str]:
    """Return every live webhook secret in the clear, for redaction only. What does not open is left out."""
    values: list[str] = []
    for repository_id, sealed in await store.list_sealed_secrets(reader):
        try:
            values += json.loads(sealer.open(sealed, context=_context(repository_id)))
        except (KeyUnknown, Undecryptable):
            continue
    return values


def _context(repository_id: UUID) -> str:
    return f"repositories:{repository_id}:webhook_secrets"
