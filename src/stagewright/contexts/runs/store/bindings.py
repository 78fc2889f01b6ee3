"""What the rows of runs and the outbox know of a repository as a whole: for its binding and its end."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.store.runs import to_run
from stagewright.kit.db import Reader, Tx

ACTIVE = """
select * from runs where repository_id = %(repository_id)s and status not in ('succeeded', 'failed', 'cancelled')
order by number
"""
UNFINISHED_LABELS = """
select distinct substr(target, 7) as key from effects
where repository_id = %(repository_id)s and kind = 'label.define' and status in ('reserved', 'submitted', 'unknown')
"""
REST = """
select (select count(*) from runs where repository_id = %(repository_id)s) as runs,
    exists (select from effects where repository_id = %(repository_id)s
        and status in ('reserved', 'submitted', 'unknown')) as open_acts
"""
SUPERSEDE = """
update effects set status = 'superseded', code = 'repository_unbound', finished_at = %(now)s
where repository_id = %(repository_id)s and status in ('reserved', 'submitted', 'unknown')
"""
SUPPRESS = "update status_comments set suppressed = true where repository_id = %(repository_id)s and not suppressed"


@dataclass(frozen=True, slots=True)
class Rest:
    """How many runs there are, and whether acts on the forge are not done yet."""

    runs: int
    open_acts: bool


async def list_active(reader: Reader, repository_id: UUID) -> list[Run]:
    """Return the repository's runs that have not ended."""
    return await reader.all(to_run, ACTIVE, repository_id=repository_id)


async def list_unfinished_labels(reader: Reader, repository_id: UUID) -> list[str]:
    """Return the keys of the labels that are still to be created or mended."""
    return await reader.all(lambda row: str(row["key"]), UNFINISHED_LABELS, repository_id=repository_id)


async def get_rest(reader: Reader, repository_id: UUID) -> Rest:
    """Return what refers to the repository."""
    rows = await reader.all(lambda row: Rest(**row), REST, repository_id=repository_id)
    return rows[0]


async def give_up_acts(tx: Tx, repository_id: UUID, *, now: datetime) -> int:
    """Give up every act, one that is under way included, and every comment: there is no credential any more."""
    await tx.execute(SUPPRESS, repository_id=repository_id)
    return await tx.execute(SUPERSEDE, repository_id=repository_id, now=now)
