"""Rows of the policies in force: one text per hash, and which one each repository has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Tx, record


@dataclass(frozen=True, slots=True)
class RepositoryPolicy:
    """The last valid policy file of a repository. ``problem`` says what is wrong with a newer, invalid one."""

    repository_id: UUID
    hash: str
    commit_sha: str
    problem: str | None
    read_at: datetime
    project_text: str | None


to_policy = record(RepositoryPolicy)

KEEP_TEXT = """
insert into policy_texts (hash, project_text, first_seen_at) values (%(hash)s, %(text)s, %(now)s)
on conflict do nothing
"""
KEEP = """
insert into repository_policies (repository_id, hash, commit_sha, problem, read_at)
values (%(repository_id)s, %(hash)s, %(commit_sha)s, %(problem)s, %(now)s)
on conflict (repository_id) do update set hash = excluded.hash, commit_sha = excluded.commit_sha,
    problem = excluded.problem, read_at = excluded.read_at
"""
FIND = """
select p.repository_id, p.hash, p.commit_sha, p.problem, p.read_at, t.project_text
from repository_policies p join policy_texts t on t.hash = p.hash where p.repository_id = %(repository_id)s
"""
ALIASES = "select key, aliases from repository_labels where repository_id = %(repository_id)s and aliases <> '{}'"


async def find(reader: Reader, repository_id: UUID) -> RepositoryPolicy | None:
    """Return the repository's policy in force, or None when its file was never read."""
    return await reader.find(to_policy, FIND, repository_id=repository_id)


async def label_aliases(reader: Reader, repository_id: UUID) -> Mapping[str, Sequence[str]]:
    """Return the texts of labels, by key, that renamings left on the forge."""
    rows = await reader.all(lambda row: (str(row["key"]), row["aliases"]), ALIASES, repository_id=repository_id)
    return dict(rows)


async def keep(
    tx: Tx,
    repository_id: UUID,
    *,
    policy_hash: str,
    project_text: str | None,
    commit_sha: str,
    problem: str | None,
    now: datetime,
) -> None:
    """Write the policy in force and the commit it was read at."""
    await tx.execute(KEEP_TEXT, hash=policy_hash, text=project_text, now=now)
    await tx.execute(
        KEEP, repository_id=repository_id, hash=policy_hash, commit_sha=commit_sha, problem=problem, now=now
    )
