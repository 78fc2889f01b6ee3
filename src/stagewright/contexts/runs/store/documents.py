"""Rows of ``run_documents``: what a run left on its branch, kept longer than its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Tx, record


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A path that a published run added, modified or deleted (``status``: A, M, D, T), at the commit it was pushed as.

    ``declared``: the agent named it as one of the stage's artifacts.
    """

    run_id: UUID
    path: str
    status: str
    declared: bool
    commit_sha: str
    pr_number: int
    published_at: datetime


to_document = record(RunDocument)
INSERT = """
insert into run_documents (run_id, path, status, declared, commit_sha, pr_number, published_at)
select %(run)s, d.path, d.status, d.declared, %(commit)s, %(pr)s, %(now)s
from unnest(%(paths)s::text[], %(statuses)s::text[], %(declared)s::boolean[]) d (path, status, declared)
on conflict (run_id, path) do nothing
"""
OF_RUNS = "select * from run_documents where run_id = any(%(runs)s) order by published_at, run_id, path"


async def insert(tx: Tx, documents: Sequence[RunDocument]) -> None:
    """Keep the documents of one run."""
    if not documents:
        return
    first = documents[0]
    await tx.execute(
        INSERT,
        run=first.run_id,
        commit=first.commit_sha,
        pr=first.pr_number,
        now=first.published_at,
        paths=[item.path for item in documents],
        statuses=[item.status for item in documents],
        declared=[item.declared for item in documents],
    )


async def list_of_runs(reader: Reader, runs: Sequence[UUID]) -> list[RunDocument]:
    """Return what the runs left, oldest publication first."""
    return await reader.all(to_document, OF_RUNS, runs=list(runs))
