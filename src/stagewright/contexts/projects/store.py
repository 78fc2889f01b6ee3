"""Rows of ``projects`` and ``repositories``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.projects.errors import ProjectNotFound, RepositoryNotFound
from stagewright.contexts.projects.model import KnownLabel, Project, Repository
from stagewright.kit.db import Reader, Row, Tx, record

to_project = record(Project)
to_repository = record(Repository)
to_label = record(KnownLabel)

INSERT_PROJECT = """
insert into projects (id, key, name, locale, created_at) values (%(id)s, %(key)s, %(name)s, %(locale)s, %(now)s)
on conflict (key) do nothing
returning *
"""
UPDATE_PROJECT = """
update projects set name = %(name)s, locale = %(locale)s, weight = %(weight)s, version = version + 1
where id = %(id)s and version = %(version)s
returning *
"""
PROJECT = "select * from projects where id = %(id)s"
PROJECT_BY_KEY = "select * from projects where key = %(key)s"
PROJECTS = "select * from projects order by key"
INSERT_REPOSITORY = """
insert into repositories (id, project_id, api_url, web_url, clone_url, full_name, forge_repository_id,
    default_branch, binding, webhook_secrets, bound_at)
values (%(id)s, %(project_id)s, %(api_url)s, %(web_url)s, %(clone_url)s, %(full_name)s, %(forge_repository_id)s,
    %(default_branch)s, %(binding)s, %(webhook_secrets)s, %(now)s)
on conflict (api_url, forge_repository_id) where unbound_at is null do nothing
returning *
"""
REPOSITORY = "select * from repositories where id = %(id)s"
LOCK_BOUND = "select * from repositories where id = %(id)s and unbound_at is null for update"
REPOSITORIES = """
select * from repositories where project_id = %(project_id)s and unbound_at is null order by full_name
"""
ENABLED = """
select * from repositories where state = 'enabled' and unbound_at is null order by scanned_at nulls first
"""
BY_NAME = "select * from repositories where lower(full_name) = lower(%(full_name)s) and unbound_at is null"
BY_FORGE_ID = """
select * from repositories
where forge_repository_id = %(forge_id)s and binding = %(binding)s and unbound_at is null
"""
SECRETS = """
select webhook_secrets from repositories where id = %(id)s and binding = 'token' and unbound_at is null
"""
BOUND_SECRETS = "select webhook_secrets from repositories where id = %(id)s and unbound_at is null"
APP_SECRETS = """
select id, webhook_secrets from repositories where binding = 'github_app' and unbound_at is null order by bound_at
"""
ALL_SECRETS = "select id, webhook_secrets from repositories where unbound_at is null"
SECRETS_STAMP = "select concat_ws('/', count(*), sum(version), max(bound_at)) from repositories"
SCANNED = """
update repositories set scan_cursor = %(cursor)s, scan_etag = %(etag)s, scanned_at = %(now)s,
    fully_scanned_at = case when %(full)s then %(now)s else fully_scanned_at end
where id = %(id)s
"""
FACTS = """
update repositories set full_name = %(full_name)s, default_branch = %(default_branch)s
where id = %(id)s and (full_name, default_branch) is distinct from (%(full_name)s, %(default_branch)s)
"""
LABEL_DONE = """
with before as (select id, %(key)s = any(labels_pending) as wanted from repositories where id = %(id)s for update)
update repositories r set labels_pending = array_remove(labels_pending, %(key)s)
from before where r.id = before.id
returning r.*, before.wanted and cardinality(r.labels_pending) = 0 as complete
"""
HEALTH = """
update repositories set health = %(health)s where id = %(id)s and unbound_at is null and health <> %(health)s
returning *
"""
# What was learnt later counts; aliases only become more.
KEEP_LABEL = """
insert into repository_labels as l (repository_id, key, present, text, color, description, aliases, changed_by,
    changed_at)
values (%(repository_id)s, %(key)s, %(present)s, %(text)s, %(color)s, %(description)s, %(aliases)s, %(changed_by)s,
    %(changed_at)s)
on conflict (repository_id, key) do update set present = excluded.present, text = excluded.text,
    color = excluded.color, description = excluded.description, changed_by = excluded.changed_by,
    changed_at = excluded.changed_at,
    aliases = array(select distinct unnest(l.aliases || excluded.aliases) order by 1)
where l.changed_at <= excluded.changed_at
"""
LABELS = "select * from repository_labels where repository_id = %(id)s order by key"
EXPECT_LABELS = "update repositories set labels_pending = %(keys)s where id = %(id)s"
UNBIND = """
update repositories set unbound_at = %(now)s, webhook_secrets = '', labels_pending = '{}', version = version + 1
where id = %(id)s and unbound_at is null
returning *
"""
SET_SECRETS = """
update repositories set webhook_secrets = %(sealed)s, version = version + 1
where id = %(id)s and unbound_at is null
returning *
"""
SET_STATE = """
update repositories set state = %(state)s, version = version + 1
where id = %(id)s and unbound_at is null
returning *
"""


async def insert_project(
    tx: Tx, *, project_id: UUID, key: str, name: str, locale: str, now: datetime
) -> Project | None:
    """Insert a project; None when the key is taken."""
    return await tx.find(to_project, INSERT_PROJECT, id=project_id, key=key, name=name, locale=locale, now=now)


async def update_project(
    tx: Tx, project_id: UUID, *, name: str, locale: str, weight: int, version: int
) -> Project | None:
    """Write the project if its version is still ``version``."""
    return await tx.find(
        to_project, UPDATE_PROJECT, id=project_id, name=name, locale=locale, weight=weight, version=version
    )


async def get_project(reader: Reader, project_id: UUID) -> Project:
    """Return the project, or raise ``ProjectNotFound``."""
    project = await reader.find(to_project, PROJECT, id=project_id)
    if project is None:
        raise ProjectNotFound(f"there is no project {project_id}")
    return project


async def find_project(reader: Reader, key: str) -> Project | None:
    """Return the project with the key."""
    return await reader.find(to_project, PROJECT_BY_KEY, key=key)


async def list_projects(reader: Reader) -> list[Project]:
    """Return all projects by key."""
    return await reader.all(to_project, PROJECTS)


async def insert_repository(tx: Tx, values: Mapping[str, Any]) -> Repository | None:
    """Bind a repository; None when it is bound already."""
    return await tx.find(to_repository, INSERT_REPOSITORY, **values)


async def get_repository(reader: Reader, repository_id: UUID) -> Repository:
    """Return the repository, bound or not any more, or raise ``RepositoryNotFound``."""
    repository = await reader.find(to_repository, REPOSITORY, id=repository_id)
    if repository is None:
        raise RepositoryNotFound(f"there is no repository {repository_id}")
    return repository


async def find_repository(reader: Reader, repository_id: UUID) -> Repository | None:
    """Return the repository, None for an unknown one and for one that is not bound any more."""
    found = await reader.find(to_repository, REPOSITORY, id=repository_id)
    return found if found and found.unbound_at is None else None


async def lock_bound(tx: Tx, repository_id: UUID) -> Repository | None:
    """Lock a bound repository: no run of it is inserted until the transaction ends."""
    return await tx.find(to_repository, LOCK_BOUND, id=repository_id)


async def list_repositories(reader: Reader, project_id: UUID) -> list[Repository]:
    """Return the project's repositories by name."""
    return await reader.all(to_repository, REPOSITORIES, project_id=project_id)


async def list_enabled(reader: Reader) -> list[Repository]:
    """Return every enabled repository, the one scanned longest ago first."""
    return await reader.all(to_repository, ENABLED)


async def list_by_name(reader: Reader, full_name: str) -> list[Repository]:
    """Return repositories called ``full_name`` on any forge."""
    return await reader.all(to_repository, BY_NAME, full_name=full_name)


async def find_by_forge_id(reader: Reader, forge_id: int, binding: str) -> Repository | None:
    """Return the repository with the forge's number, bound in this way."""
    return await reader.find(to_repository, BY_FORGE_ID, forge_id=forge_id, binding=binding)


async def find_sealed_secrets(reader: Reader, repository_id: UUID) -> bytes | None:
    """Return the sealed webhook secrets of a repository bound with a token."""
    value = await reader.value(SECRETS, id=repository_id)
    return None if value is None else bytes(value)


async def get_sealed_secrets(reader: Reader, repository_id: UUID) -> bytes:
    """Return the sealed webhook secrets of a bound repository, however it is bound, or raise ``RepositoryNotFound``."""
    value = await reader.value(BOUND_SECRETS, id=repository_id)
    if value is None:
        raise RepositoryNotFound(f"there is no repository {repository_id}")
    return bytes(value)


async def list_sealed_secrets(reader: Reader) -> list[tuple[UUID, bytes]]:
    """Return every repository's id and sealed webhook secrets: what redaction is fed with."""
    return await reader.all(lambda row: (row["id"], bytes(row["webhook_secrets"])), ALL_SECRETS)


async def list_app_secrets(reader: Reader) -> list[tuple[UUID, bytes]]:
    """Return id and sealed webhook secrets of the repositories bound through a GitHub App."""
    return await reader.all(lambda row: (row["id"], bytes(row["webhook_secrets"])), APP_SECRETS)


async def secrets_stamp(reader: Reader) -> str:
    """Return a text that changes whenever a repository was bound or its secrets were replaced."""
    return str(await reader.value(SECRETS_STAMP))


async def set_secrets(tx: Tx, repository_id: UUID, sealed: bytes) -> Repository | None:
    """Replace the sealed webhook secrets; None when the repository is not bound any more."""
    return await tx.find(to_repository, SET_SECRETS, id=repository_id, sealed=sealed)


async def set_state(tx: Tx, repository_id: UUID, state: str) -> Repository | None:
    """Enable or disable a repository; None when it is not bound any more."""
    return await tx.find(to_repository, SET_STATE, id=repository_id, state=state)


async def set_scanned(
    tx: Tx, repository_id: UUID, *, cursor: datetime, etag: str | None, full: bool, now: datetime
) -> None:
    """Note how far the scan has looked."""
    await tx.execute(SCANNED, id=repository_id, cursor=cursor, etag=etag, full=full, now=now)


async def set_facts(tx: Tx, repository_id: UUID, *, full_name: str, default_branch: str) -> bool:
    """Keep the repository's present name and default branch; say whether something changed."""
    changed = await tx.execute(FACTS, id=repository_id, full_name=full_name, default_branch=default_branch)
    return changed > 0


async def set_health(tx: Tx, repository_id: UUID, health: str) -> Repository | None:
    """Write how the binding is; None when it is so already."""
    return await tx.find(to_repository, HEALTH, id=repository_id, health=health)


async def set_label_done(tx: Tx, repository_id: UUID, key: str) -> Repository | None:
    """Note that a label is not awaited any more. Return the repository when it was the last one.

    Locks the repository: before any row that refers to it, or the last two done at once wait for each other.
    """
    return await tx.find(_when_complete, LABEL_DONE, id=repository_id, key=key)


def _when_complete(row: Row) -> Repository | None:
    return to_repository(row) if row["complete"] else None


async def expect_labels(tx: Tx, repository_id: UUID, keys: Sequence[str]) -> None:
    """Note which labels are being created or mended."""
    await tx.execute(EXPECT_LABELS, id=repository_id, keys=list(keys))


async def unbind(tx: Tx, repository_id: UUID, *, now: datetime) -> Repository | None:
    """End the binding and forget its webhook secrets; None when it has ended before."""
    return await tx.find(to_repository, UNBIND, id=repository_id, now=now)


async def keep_label(tx: Tx, label: KnownLabel) -> bool:
    """Note how the forge has a managed label, unless newer news is known. Say whether it was noted."""
    values = {name: getattr(label, name) for name in KnownLabel.__slots__}
    return await tx.execute(KEEP_LABEL, **values | {"aliases": list(label.aliases)}) > 0


async def list_labels(reader: Reader, repository_id: UUID) -> list[KnownLabel]:
    """Return what is known of the repository's managed labels."""
    return await reader.all(to_label, LABELS, id=repository_id)
