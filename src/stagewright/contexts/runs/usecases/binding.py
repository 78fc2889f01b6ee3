"""Bind a repository: its row, its credentials and the wish for its labels, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.rules import unbinding
from stagewright.contexts.runs.rules.frames import shown_number
from stagewright.contexts.runs.store import bindings as rows
from stagewright.contexts.runs.usecases import effects
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.consequences import Consequences
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Reader, Tx

MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeAccess:
    """How a person lets the platform reach a repository: a token, or a GitHub App with its private key."""

    kind: vault.CredentialKind
    secret: str = field(repr=False)
    app_id: int | None = None
    installation_id: int | None = None
    account: projects.ForgeAccount | None = None

    @property
    def binding(self) -> projects.Binding:
        """Return how the repository is bound with this."""
        app = self.kind is vault.CredentialKind.GITHUB_APP
        return projects.Binding.GITHUB_APP if app else projects.Binding.TOKEN


@dataclass(frozen=True, slots=True)
class Sealers:
    """What seals the two kinds of secrets."""

    credentials: Sealer
    webhook_secrets: Sealer


@dataclass(frozen=True, slots=True)
class LabelState:
    """One label of the catalogue, and how the forge has it as far as the rows know."""

    definition: workflow.LabelDefinition
    known: projects.KnownLabel | None

    @property
    def known_text(self) -> str | None:
        """Return the text it has there, None when it is not there."""
        return self.known.text if self.known is not None and self.known.present else None

    @property
    def drift(self) -> tuple[workflow.Drift, ...]:
        """Return how it differs from what the policy wants. What is not known of it counts as right."""
        known, wanted = self.known, self.definition
        if known is None or not known.present:
            return workflow.label_drift(wanted, None)
        color = wanted.color if known.color is None else known.color
        description = wanted.description if known.description is None else known.description
        return workflow.label_drift(wanted, workflow.RepositoryLabel(known.text, color, description))

    @property
    def state(self) -> str:
        """Return ``ok``, or the first difference: ``missing``, ``renamed``, ``recoloured``, ``redescribed``."""
        return self.drift[0].value if self.drift else "ok"

    @property
    def action(self) -> str:
        """Return what a synchronisation does: ``create``, ``rename``, ``update``, or ``none`` but looking at it."""
        actions = {"missing": "create", "renamed": "rename", "ok": "none"}
        return actions.get(self.state, "update")


async def connect_repository(
    tx: Tx,
    project: projects.Project,
    found: projects.ForgeRepository,
    *,
    api_url: str,
    access: ForgeAccess,
    sealers: Sealers,
    now: datetime,
) -> projects.Bound:
    """Bind what the forge showed, keep the credential for both purposes, and reserve the label bootstrap."""
    bound = await projects.bind_repository(
        tx,
        project,
        found,
        api_url=api_url,
        binding=access.binding,
        sealer=sealers.webhook_secrets,
        now=now,
        secrets=await _app_secrets(tx, access, sealers),
    )
    for purpose in (vault.MANAGEMENT, vault.BOT):
        await vault.put_credential(
            tx, _credential(bound.repository.id, purpose, access, found), sealer=sealers.credentials, now=now
        )
    await define_labels(tx, bound.repository, now=now)
    return bound


async def _app_secrets(tx: Tx, access: ForgeAccess, sealers: Sealers) -> Sequence[str]:
    """A GitHub App has one webhook: its repositories share its secrets."""
    if access.app_id is None:
        return ()
    other = await vault.find_app_repository(tx, access.app_id)
    if other is None:
        return ()
    await projects.lock_bound(tx, other)  # a rotation under way would leave the new repository behind
    return await projects.open_app_secrets(tx, sealer=sealers.webhook_secrets, of=other)


def _credential(
    repository_id: UUID, purpose: str, access: ForgeAccess, found: projects.ForgeRepository
) -> vault.NewCredential:
    account = access.account
    return vault.NewCredential(
        scope=vault.CredentialScope.REPOSITORY,
        repository_id=repository_id,
        purpose=purpose,
        kind=access.kind,
        secret=access.secret,
        app_id=access.app_id,
        installation_id=access.installation_id,
        login=account.login if account else None,
        login_id=account.id if account else None,
        commit_name=(account.name or account.login) if account else None,
        commit_email=account.email if account else None,
        state="valid",
    )


async def webhook_siblings(reader: Reader, repository: projects.Repository) -> list[projects.Repository]:
    """Return the bound repositories that share the repository's webhook: itself, or all of its GitHub App, by id."""
    if repository.binding is projects.Binding.TOKEN:
        return [repository]
    bound = [item for item in await vault.list_credentials(reader) if item.repository_id and item.app_id]
    apps = {item.app_id for item in bound if item.repository_id == repository.id}
    sharing = {item.repository_id for item in bound if item.app_id in apps and item.repository_id}
    found = [await projects.find_repository(reader, repository_id) for repository_id in sorted(sharing)]
    return [item for item in found if item is not None]


async def rotate_webhook_secret(
    tx: Tx,
    repository_id: UUID,
    *,
    sealer: Sealer,
    agreed: Callable[[projects.Repository, Sequence[projects.Repository]], None],
) -> tuple[str, projects.Repository] | None:
    """Give a repository's webhook a new secret, shown once; None when the repository is not bound.

    ``agreed`` has a look at the repository and at all that share its webhook. The secret before counts until the next
    rotation, so the forge can be told in between.
    """
    known = await projects.find_repository(tx, repository_id)
    if known is None:
        return None
    locked = [await projects.lock_bound(tx, item.id) for item in await webhook_siblings(tx, known)]
    sharing = [item for item in locked if item is not None]
    own = [item for item in sharing if item.id == repository_id]
    if not own:
        return None
    agreed(own[0], sharing)
    first = await _counting(tx, own[0])
    ordered = sorted(sharing, key=lambda item: (item.id != first, item.id))
    secret, changed = await projects.rotate_webhook_secret(tx, ordered, sealer=sealer)
    return secret, next(item for item in changed if item.id == repository_id)


async def _counting(reader: Reader, repository: projects.Repository) -> UUID:
    """Return the repository whose secrets count for the webhook of ``repository``."""
    for item in await vault.list_credentials(reader):
        if item.repository_id == repository.id and item.app_id is not None:
            return await vault.find_app_repository(reader, item.app_id) or repository.id
    return repository.id


async def label_states(reader: Reader, repository: projects.Repository) -> list[LabelState]:
    """Return the labels that the repository's policy wants, with what the rows know of the forge."""
    policy = await workflow.policy_in_force(reader, repository.id)
    known = {item.key: item for item in await projects.list_labels(reader, repository.id)}
    return [LabelState(item, known.get(item.key)) for item in workflow.label_catalogue(policy)]


async def define_labels(tx: Tx, repository: projects.Repository, *, now: datetime) -> list[LabelState]:
    """Reserve one act per label of the catalogue; the worker creates, mends or renames what the forge needs."""
    states = await label_states(tx, repository)
    for item in states:
        wanted = item.definition
        await effects.define_label(
            tx,
            repository.id,
            key=wanted.key,
            text=wanted.text,
            color=wanted.color,
            description=wanted.description,
            was=item.known_text if item.state == "renamed" else None,
            now=now,
        )
    await projects.expect_labels(tx, repository.id, await rows.list_unfinished_labels(tx, repository.id))
    return states


async def what_unbinding_does(reader: Reader, repository: projects.Repository) -> Consequences:
    """Return the three lists of the preview. Raise ``RepositoryBusy`` while runs are active: cancel them first."""
    active = await rows.list_active(reader, repository.id)
    if active:
        names = ", ".join(shown_number(run.number) for run in active[:MOST_NAMED])
        more = f" and {len(active) - MOST_NAMED} more" if len(active) > MOST_NAMED else ""
        raise projects.RepositoryBusy(
            f"{repository.full_name} has active runs: {names}{more}; let them end, or cancel them first",
            runs=[str(run.id) for run in active[:MOST_NAMED]],
        )
    known = await rows.get_rest(reader, repository.id)
    purposes = await vault.purposes_of(reader, repository.id)
    return unbinding.what_unbinding_does(
        repository.full_name, purposes=purposes, runs=known.runs, open_acts=known.open_acts
    )


async def disconnect_repository(
    tx: Tx,
    repository_id: UUID,
    *,
    now: datetime,
    agreed: Callable[[projects.Repository, Consequences], None],
    reason: str | None,
) -> projects.Repository | None:
    """Unbind a repository after ``agreed`` had a look at what that does; None when it is not bound.

    Its runs stay with all they left. Acts on the forge that are still to be done are given up, its credentials and
    webhook secrets go; nothing is changed on the forge.
    """
    repository = await projects.lock_bound(tx, repository_id)
    if repository is None:
        return None
    agreed(repository, await what_unbinding_does(tx, repository))
    await rows.give_up_acts(tx, repository.id, now=now)
    await vault.clear_repository(tx, repository.id, project_id=repository.project_id)
    return await projects.unbind_repository(tx, repository, now=now, reason=reason)
