"""What is not kept for ever: logs, results and assignments of runs that ended long ago; journal partitions."""

from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg import sql

from stagewright.kit.db import Reader, Row, Tx

OLD_ATTEMPTS = """
select a.id from attempts a join runs r on r.id = a.run_id
where r.finished_at < %(before)s
  and (a.assignment is not null
       or exists (select 1 from run_logs l where l.attempt_id = a.id)
       or exists (select 1 from run_results p where p.attempt_id = a.id))
order by r.finished_at limit %(limit)s
"""
LOGS = """
delete from run_logs where attempt_id = %(attempt)s
  and seq in (select seq from run_logs where attempt_id = %(attempt)s order by seq limit %(limit)s)
"""
RESULTS = "delete from run_results where attempt_id = %(attempt)s"
ASSIGNMENT = "update attempts set assignment = null where id = %(attempt)s"
ENDED_LATELY = """
select distinct a.id from attempts a join runs r on r.id = a.run_id join run_results p on p.attempt_id = a.id
where r.finished_at between %(since)s and %(before)s limit %(limit)s
"""
AS_OWNER = "set local role none"  # the schema's owner; the transaction's end gives the role back


async def list_old_attempts(reader: Reader, *, before: datetime, limit: int) -> list[UUID]:
    """Return attempts of runs that ended before ``before`` and still have something to forget.

    An assignment is written with the attempt's prompt and before any session, and forgotten with both: it stands for
    them, whose tables are another context's.
    """
    return await reader.all(_id, OLD_ATTEMPTS, before=before, limit=limit)


async def delete_logs(tx: Tx, attempt_id: UUID, *, limit: int) -> int:
    """Delete at most ``limit`` chunks of the attempt's logs; totals and digests stay."""
    return await tx.execute(LOGS, attempt=attempt_id, limit=limit)


async def forget_attempt(tx: Tx, attempt_id: UUID) -> None:
    """Delete the attempt's results and its assignment."""
    for statement in (RESULTS, ASSIGNMENT):
        await tx.execute(statement, attempt=attempt_id)


async def list_ended_lately(reader: Reader, *, since: datetime, before: datetime, limit: int) -> list[UUID]:
    """Return attempts with results whose run ended in between: their quarantines may still be on disk."""
    return await reader.all(_id, ENDED_LATELY, since=since, before=before, limit=limit)


async def make_journal_partition(tx: Tx, day: date) -> None:
    """Make the journal's partition of a day, in UTC. A day that has rows in the default partition has to come later."""
    await tx.execute(AS_OWNER)
    statement = sql.SQL(
        "create table if not exists {name} partition of journal for values from ({start}) to ({end})"
    ).format(
        name=sql.Identifier(f"journal_{day:%Y%m%d}"),
        start=sql.Literal(f"{day.isoformat()} 00:00:00+00"),
        end=sql.Literal(f"{(day + timedelta(days=1)).isoformat()} 00:00:00+00"),
    )
    await tx.connection.execute(statement)


def _id(row: Row) -> UUID:
    value: UUID = row["id"]
    return value
