"""Rows of ``credentials``: secrets are sealed with the row's id as context."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.vault.model import Credential
from stagewright.kit.db import Reader, Row, Tx, record

to_credential = record(Credential)


@dataclass(frozen=True, slots=True)
class SealedCredential:
    """A credential with its ciphertext."""

    credential: Credential
    ciphertext: bytes = field(repr=False)


def _to_sealed(row: Row) -> SealedCredential:
    return SealedCredential(to_credential(row), bytes(row["ciphertext"]))


CHAIN = """
select * from credentials where purpose = %(purpose)s
  and (scope = 'platform' or (scope = 'project' and project_id = %(project_id)s)
       or (scope = 'repository' and repository_id = %(repository_id)s))
"""
ENGINES = """
select distinct purpose from credentials where purpose like 'model:%%' and state <> 'invalid'
  and (scope = 'platform' or (scope = 'project' and project_id = %(project_id)s)
       or (scope = 'repository' and repository_id = %(repository_id)s))
"""
LOCK_PLACE = """
select pg_advisory_xact_lock(hashtextextended(
    concat_ws(':', 'credential', %(scope)s::text, %(project_id)s::text, %(repository_id)s::text, %(purpose)s::text), 0))
"""
DELETE_SAME = """
delete from credentials
where scope = %(scope)s and purpose = %(purpose)s and project_id is not distinct from %(project_id)s
  and repository_id is not distinct from %(repository_id)s
returning version
"""
INSERT = """
insert into credentials (id, scope, project_id, repository_id, purpose, kind, app_id, installation_id, base_url,
    ciphertext, login, login_id, commit_name, commit_email, state, version, created_at)
values (%(id)s, %(scope)s, %(project_id)s, %(repository_id)s, %(purpose)s, %(kind)s, %(app_id)s,
    %(installation_id)s, %(base_url)s, %(ciphertext)s, %(login)s, %(login_id)s, %(commit_name)s, %(commit_email)s,
    %(state)s, %(version)s, %(now)s)
returning *
"""
PURPOSES_OF = "select distinct purpose from credentials where repository_id = %(repository_id)s order by purpose"
DELETE_OF_REPOSITORY = "delete from credentials where repository_id = %(repository_id)s returning *"
LIST = "select * from credentials order by scope, purpose"
STATE = """
update credentials set state = %(state)s, checked_at = %(now)s where id = %(id)s and state <> %(state)s returning *
"""
CHECKED = "update credentials set state = %(state)s, checked_at = %(now)s where id = %(id)s returning *"
DELETE_LEVEL = """
delete from credentials
where scope = %(scope)s and purpose = %(purpose)s and project_id is not distinct from %(project_id)s
  and repository_id is null
returning *
"""
ALL_SEALED = "select * from credentials"
LEVEL = """
select * from credentials
where scope = %(scope)s and project_id is not distinct from %(project_id)s
  and (%(purpose)s::text is null or purpose = %(purpose)s)
order by purpose, kind
"""
APP_REPOSITORY = """
select repository_id from credentials
where kind = 'github_app' and app_id = %(app_id)s and repository_id is not null
order by created_at limit 1
"""
STAMP = "select concat_ws('/', count(*), sum(version), max(created_at)) from credentials"


async def list_chain(
    reader: Reader, *, purpose: str, project_id: UUID, repository_id: UUID | None
) -> list[SealedCredential]:
    """Return every level's credential for the purpose."""
    return await reader.all(_to_sealed, CHAIN, purpose=purpose, project_id=project_id, repository_id=repository_id)


async def list_model_purposes(reader: Reader, *, project_id: UUID, repository_id: UUID | None) -> list[str]:
    """Return the ``model:<engine>`` purposes that have a usable credential."""
    return await reader.all(
        lambda row: str(row["purpose"]), ENGINES, project_id=project_id, repository_id=repository_id
    )


async def replace(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> Credential:
    """Replace the credential of the level and purpose whole. Of two at once, the later one stays.

    The lock comes first: the index alone would refuse the second, and would let two kinds of credential stand.
    """
    place = {name: values[name] for name in ("scope", "purpose", "project_id", "repository_id")}
    await tx.execute(LOCK_PLACE, **place)
    versions = await tx.all(lambda row: int(row["version"]), DELETE_SAME, **place)
    saved = await tx.find(
        to_credential, INSERT, **(dict(values) | {"version": max(versions, default=0) + 1, "now": now})
    )
    assert saved is not None
    return saved


async def list_purposes_of(reader: Reader, repository_id: UUID) -> list[str]:
    """Return the purposes of the repository's own credentials."""
    return await reader.all(lambda row: str(row["purpose"]), PURPOSES_OF, repository_id=repository_id)


async def delete_of_repository(tx: Tx, repository_id: UUID) -> list[Credential]:
    """Delete every credential of the repository's own level."""
    return await tx.all(to_credential, DELETE_OF_REPOSITORY, repository_id=repository_id)


async def list_all(reader: Reader) -> list[Credential]:
    """Return all credentials without their secrets."""
    return await reader.all(to_credential, LIST)


async def list_sealed(reader: Reader) -> list[SealedCredential]:
    """Return all credentials with their ciphertexts: what redaction is fed with."""
    return await reader.all(_to_sealed, ALL_SEALED)


async def set_state(tx: Tx, credential_id: UUID, state: str, now: datetime) -> Credential | None:
    """Note what the provider said; None when nothing changed."""
    return await tx.find(to_credential, STATE, id=credential_id, state=state, now=now)


async def stamp(reader: Reader) -> str:
    """Return a text that changes whenever a secret was stored or removed."""
    return str(await reader.value(STAMP))


async def set_checked(tx: Tx, credential_id: UUID, state: str, now: datetime) -> Credential | None:
    """Note what a check said and when; None when the credential is gone."""
    return await tx.find(to_credential, CHECKED, id=credential_id, state=state, now=now)


async def delete_of_level(tx: Tx, scope: str, project_id: UUID | None, purpose: str) -> list[Credential]:
    """Delete the credential of the platform or of one project for a purpose."""
    place = {"scope": scope, "project_id": project_id, "repository_id": None, "purpose": purpose}
    await tx.execute(LOCK_PLACE, **place)
    return await tx.all(to_credential, DELETE_LEVEL, **place)


async def list_level(
    reader: Reader, scope: str, project_id: UUID | None, purpose: str | None
) -> list[SealedCredential]:
    """Return the credentials of the platform or of one project."""
    return await reader.all(_to_sealed, LEVEL, scope=scope, project_id=project_id, purpose=purpose)


async def find_app_repository(reader: Reader, app_id: int) -> UUID | None:
    """Return a repository that is bound through the GitHub App."""
    found: UUID | None = await reader.value(APP_REPOSITORY, app_id=app_id)
    return found
