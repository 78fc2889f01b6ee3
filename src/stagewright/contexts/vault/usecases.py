"""Keep credentials sealed and resolve them along the chain repository → project → platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from stagewright.contexts.vault import rules, store
from stagewright.contexts.vault.errors import (
    CredentialEmpty,
    CredentialExpired,
    CredentialInvalid,
    CredentialMissing,
    CredentialUndecryptable,
)
from stagewright.contexts.vault.events import CredentialCleared, CredentialSet, CredentialStateChanged
from stagewright.contexts.vault.model import Credential, CredentialKind, CredentialScope, ResolvedCredential
from stagewright.kit.crypto import KeyUnknown, MacSigner, Sealer, Undecryptable
from stagewright.kit.db import Reader, Tx
from stagewright.kit.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A credential as a person gives it."""

    scope: CredentialScope
    purpose: str
    kind: CredentialKind
    secret: str = field(repr=False)
    project_id: UUID | None = None
    repository_id: UUID | None = None
    app_id: int | None = None
    installation_id: int | None = None
    base_url: str | None = None
    login: str | None = None
    login_id: int | None = None
    commit_name: str | None = None
    commit_email: str | None = None
    state: str = "unchecked"


def _context(credential_id: UUID) -> str:
    return f"credentials:{credential_id}"


async def put_credential(tx: Tx, new: NewCredential, *, sealer: Sealer, now: datetime) -> Credential:
    """Replace the credential of a level and purpose whole. An empty text is refused."""
    secret = new.secret.strip()
    if not secret:
        raise CredentialEmpty("the credential is empty; give its text on standard input or from a file")
    credential_id = uuid7()
    values: Mapping[str, object] = {
        "id": credential_id,
        "scope": new.scope.value,
        "project_id": new.project_id,
        "repository_id": new.repository_id,
        "purpose": new.purpose,
        "kind": new.kind.value,
        "app_id": new.app_id,
        "installation_id": new.installation_id,
        "base_url": new.base_url,
        "ciphertext": sealer.seal(secret.encode(), context=_context(credential_id)),
        "login": new.login,
        "login_id": new.login_id,
        "commit_name": new.commit_name,
        "commit_email": new.commit_email,
        "state": new.state,
    }
    saved = await store.replace(tx, values, now=now)
    tx.publish(CredentialSet(credential=saved, project_id=new.project_id))
    return saved


async def clear_repository(tx: Tx, repository_id: UUID, *, project_id: UUID) -> list[Credential]:
    """Delete the credentials of a repository's own level; those of its project and the platform stay."""
    cleared = await store.delete_of_repository(tx, repository_id)
    for credential in cleared:
        tx.publish(CredentialCleared(credential=credential, project_id=project_id))
    return cleared


async def purposes_of(reader: Reader, repository_id: UUID) -> list[str]:
    """Return what the repository has credentials of its own for."""
    return await store.list_purposes_of(reader, repository_id)


async def resolve(
    reader: Reader, *, purpose: str, project_id: UUID, repository_id: UUID | None, sealer: Sealer, now: datetime
) -> ResolvedCredential:
    """Return the credential of the nearest configured level, opened. A broken one is an answer, not a gap."""
    chain = await store.list_chain(reader, purpose=purpose, project_id=project_id, repository_id=repository_id)
    chosen = rules.choose(item.credential for item in chain)
    if chosen is None:
        raise CredentialMissing(
            f"no credential for {purpose}: add one with `stagewright repo add` or `stagewright credential set`"
        )
    if chosen.state == "invalid":
        raise CredentialInvalid(f"the {chosen.scope.value} credential for {purpose} was refused; replace it")
    if chosen.expires_at is not None and chosen.expires_at <= now:
        raise CredentialExpired(f"the {chosen.scope.value} credential for {purpose} has expired; replace it")
    sealed = next(item for item in chain if item.credential.id == chosen.id)
    try:
        secret = sealer.open(sealed.ciphertext, context=_context(chosen.id)).decode()
    except Undecryptable as error:
        told = f"the {chosen.scope.value} credential for {purpose} cannot be opened; store it anew"
        raise CredentialUndecryptable(told) from error
    return ResolvedCredential(chosen, secret)


async def login_of(reader: Reader, *, purpose: str, project_id: UUID, repository_id: UUID | None) -> str | None:
    """Return the login of the credential that would be used, None without one."""
    chain = await store.list_chain(reader, purpose=purpose, project_id=project_id, repository_id=repository_id)
    chosen = rules.choose(item.credential for item in chain)
    return chosen.login if chosen else None


async def list_credentials(reader: Reader) -> list[Credential]:
    """Return all credentials without their secrets."""
    return await store.list_all(reader)


@dataclass(frozen=True, slots=True)
class Described:
    """A credential and its fingerprint: equality can be shown, the secret cannot. None when it does not open."""

    credential: Credential
    fingerprint: str | None


async def describe_level(
    reader: Reader,
    scope: CredentialScope,
    project_id: UUID | None,
    *,
    purpose: str | None = None,
    sealer: Sealer,
    fingerprints: MacSigner,
) -> list[Described]:
    """Return the credentials stored on the platform's or a project's own level, by purpose."""
    rows = await store.list_level(reader, scope.value, project_id, purpose)
    return [Described(row.credential, _fingerprint(row, sealer, fingerprints)) for row in rows]


def _fingerprint(row: store.SealedCredential, sealer: Sealer, fingerprints: MacSigner) -> str | None:
    try:
        return fingerprints.tag(sealer.open(row.ciphertext, context=_context(row.credential.id))).hex()[:16]
    except (KeyUnknown, Undecryptable):
        return None


async def find_level(reader: Reader, scope: CredentialScope, project_id: UUID | None, purpose: str) -> Credential:
    """Return the credential stored on one level. Raises ``CredentialMissing``."""
    return (await _of_level(reader, scope, project_id, purpose)).credential


async def _of_level(
    reader: Reader, scope: CredentialScope, project_id: UUID | None, purpose: str
) -> store.SealedCredential:
    rows = await store.list_level(reader, scope.value, project_id, purpose)
    if not rows:
        raise CredentialMissing(f"no credential for {purpose} is stored here: `stagewright credential set` stores one")
    return rows[0]


async def open_level(
    reader: Reader, scope: CredentialScope, project_id: UUID | None, purpose: str, *, sealer: Sealer
) -> ResolvedCredential:
    """Return the credential stored on one level, opened, whatever its state. Raises ``CredentialMissing``."""
    found = await _of_level(reader, scope, project_id, purpose)
    try:
        secret = sealer.open(found.ciphertext, context=_context(found.credential.id)).decode()
    except (KeyUnknown, Undecryptable) as error:
        raise CredentialUndecryptable(f"the credential for {purpose} cannot be opened; store it anew") from error
    return ResolvedCredential(found.credential, secret)


async def note_check(tx: Tx, credential: Credential, state: str, *, now: datetime) -> Credential:
    """Keep what a check said of a credential. Raises ``CredentialMissing`` when it was replaced meanwhile."""
    checked = await store.set_checked(tx, credential.id, state, now)
    if checked is None:
        raise CredentialMissing(f"the credential for {credential.purpose} was replaced meanwhile: check it again")
    if checked.state != credential.state:
        tx.publish(CredentialStateChanged(credential=checked, project_id=checked.project_id))
    return checked


async def clear_level(
    tx: Tx, scope: CredentialScope, project_id: UUID | None, purpose: str, *, version: int
) -> Credential | None:
    """Delete the credential of the platform or a project; None when it is not the one with ``version`` any more."""
    cleared = await store.delete_of_level(tx, scope.value, project_id, purpose)
    if not any(item.version == version for item in cleared):
        return None
    for credential in cleared:
        tx.publish(CredentialCleared(credential=credential, project_id=project_id))
    return cleared[0]


async def list_secret_values(reader: Reader, *, sealer: Sealer) -> list[str]:
    """Return every stored secret in the clear, for redaction only. One that does not open is left out."""
    values: list[str] = []
    for item in await store.list_sealed(reader):
        try:
            text = sealer.open(item.ciphertext, context=_context(item.credential.id)).decode()
        except (KeyUnknown, Undecryptable):
            continue
        values += [text, *(line for line in text.splitlines() if len(line) >= 16 and "-----" not in line)]
    return values


async def secrets_stamp(reader: Reader) -> str:
    """Return a text that changes whenever a secret was stored or removed: when to feed redaction anew."""
    return await store.stamp(reader)


async def engines_with_credential(reader: Reader, *, project_id: UUID, repository_id: UUID | None) -> frozenset[str]:
    """Return the engines whose model credential is configured."""
    purposes = await store.list_model_purposes(reader, project_id=project_id, repository_id=repository_id)
    return frozenset(engine for purpose in purposes if (engine := rules.engine_of(purpose)))


async def note_state(tx: Tx, credential_id: UUID, state: str, *, now: datetime) -> None:
    """Keep what the provider said of a credential."""
    changed = await store.set_state(tx, credential_id, state, now)
    if changed is not None:
        tx.publish(CredentialStateChanged(credential=changed, project_id=changed.project_id))
