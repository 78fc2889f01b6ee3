"""Sums over ``run_usage``: what the model relay counted for an attempt."""

from uuid import UUID

from stagewright.contexts.runs.rules.relay import Tokens
from stagewright.kit.db import Reader, Row

RELAYED = """
select coalesce(sum(tokens_in), 0)::bigint as sent, coalesce(sum(tokens_cached), 0)::bigint as cached,
    coalesce(sum(tokens_out), 0)::bigint as answered
from run_usage where attempt_id = %(attempt_id)s and source = 'relay'
"""


async def relayed(reader: Reader, attempt_id: UUID) -> Tokens:
    """Return the sum of the attempt's records that the relay wrote."""
    found = await reader.find(_tokens, RELAYED, attempt_id=attempt_id)
    return found or Tokens()


def _tokens(row: Row) -> Tokens:
    return Tokens(int(row["sent"]), int(row["cached"]), int(row["answered"]))
