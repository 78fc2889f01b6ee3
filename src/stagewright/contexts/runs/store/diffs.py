"""Rows of ``run_result_diffs``: what an accepted result changes, to be read where no quarantine is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Tx, record


@dataclass(frozen=True, slots=True)
class ResultDiff:
    """The unified diff of the newest result that has one, redacted."""

    attempt_id: UUID
    generation: int
    proposal_no: int
    base_sha: str
    tree_sha: str | None
    diff: bytes
    truncated: bool
    checked_at: datetime | None


to_diff = record(ResultDiff)

INSERT = """
insert into run_result_diffs (result_id, base_sha, diff, truncated)
values (%(result_id)s, %(base_sha)s, %(diff)s, %(truncated)s)
on conflict (result_id) do nothing
"""
NEWEST = """
select p.attempt_id, a.generation, p.proposal_no, d.base_sha, p.tree_sha, d.diff, d.truncated, p.checked_at
from run_result_diffs d join run_results p on p.id = d.result_id join attempts a on a.id = p.attempt_id
where a.run_id = %(run)s and (%(generation)s::int is null or a.generation = %(generation)s)
order by p.proposed_at desc limit 1
"""


async def insert(tx: Tx, result_id: UUID, *, base_sha: str, diff: bytes, truncated: bool) -> None:
    """Keep the diff of a result; the first one stays."""
    await tx.execute(INSERT, result_id=result_id, base_sha=base_sha, diff=diff, truncated=truncated)


async def find_newest(reader: Reader, run_id: UUID, generation: int | None) -> ResultDiff | None:
    """Return the diff of what the run (or one attempt of it) handed over last."""
    return await reader.find(to_diff, NEWEST, run=run_id, generation=generation)
