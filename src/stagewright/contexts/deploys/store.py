"""Rows of what repositories declare in their stacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.kit.db import Reader, Tx, record


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was read at ``commit_sha``. ``runtime`` and ``deploy`` are None where there is no file; ``problem`` is the
    first mistake of an invalid one."""

    repository_id: UUID
    commit_sha: str
    problem: str | None
    runtime: Mapping[str, Any] | None
    deploy: Mapping[str, Any] | None
    read_at: datetime


to_declaration = record(Declaration)

KEEP = """
insert into stack_declarations (repository_id, commit_sha, problem, runtime, deploy, read_at)
values (%(repository_id)s, %(commit_sha)s, %(problem)s, %(runtime)s, %(deploy)s, %(read_at)s)
on conflict (repository_id) do update set commit_sha = excluded.commit_sha, problem = excluded.problem,
    runtime = excluded.runtime, deploy = excluded.deploy, read_at = excluded.read_at
"""
FIND = """
select repository_id, commit_sha, problem, runtime, deploy, read_at
from stack_declarations where repository_id = %(repository_id)s
"""


async def find(reader: Reader, repository_id: UUID) -> Declaration | None:
    """Return what the repository declares, or None when its stack was never read."""
    return await reader.find(to_declaration, FIND, repository_id=repository_id)


async def keep(tx: Tx, kept: Declaration) -> None:
    """Write what the repository declares, over what it declared before."""
    await tx.execute(
        KEEP,
        repository_id=kept.repository_id,
        commit_sha=kept.commit_sha,
        problem=kept.problem,
        runtime=None if kept.runtime is None else Jsonb(dict(kept.runtime)),
        deploy=None if kept.deploy is None else Jsonb(dict(kept.deploy)),
        read_at=kept.read_at,
    )
