"""What the model relay counted for an attempt, and which runs wait for a provider to take their credential again."""

from uuid import UUID

from stagewright.contexts.runs.model import Run, Wait
from stagewright.contexts.runs.rules.relay import Tokens
from stagewright.contexts.runs.store.runs import to_run
from stagewright.contexts.runs.store.waits import to_wait
from stagewright.kit.db import Reader, Row, Tx

RELAYED = """
select coalesce(sum(tokens_in), 0)::bigint as sent, coalesce(sum(tokens_cached), 0)::bigint as cached,
    coalesce(sum(tokens_out), 0)::bigint as answered
from run_usage where attempt_id = %(attempt_id)s and source = 'relay'
"""

WAITING = """
select * from waits where status = 'open' and target_kind = %(kind)s
order by opened_at limit %(limit)s for no key update skip locked
"""
RUNS = "select * from runs where id = any(%(ids)s)"
CREDENTIAL = "credential"


async def claim_credential_waits(tx: Tx, *, limit: int) -> list[tuple[Wait, Run]]:
    """Return open waits for a credential with their runs, locked; those another worker holds are passed over."""
    waits = await tx.all(to_wait, WAITING, kind=CREDENTIAL, limit=limit)
    found = {run.id: run for run in await tx.all(to_run, RUNS, ids=[wait.run_id for wait in waits])}
    return [(wait, found[wait.run_id]) for wait in waits]


async def relayed(reader: Reader, attempt_id: UUID) -> Tokens:
    """Return the sum of the attempt's records that the relay wrote."""
    found = await reader.find(_tokens, RELAYED, attempt_id=attempt_id)
    return found or Tokens()


def _tokens(row: Row) -> Tokens:
    return Tokens(int(row["sent"]), int(row["cached"]), int(row["answered"]))
