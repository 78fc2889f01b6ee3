"""What a run's sessions did and used, and the run's journal in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from stagewright.contexts.runs.rules.acts import ACTED, Acts, acts_of
from stagewright.kit.db import Reader, Row, record
from stagewright.kit.journal import Entry

to_entry = record(Entry, prev_hash=bytes, hash=bytes, tx=int)

EVENTS: LiteralString = """
select * from journal
where stream = %(stream)s
  and (%(kinds)s::text[] is null or kind like any(%(kinds)s))
  and (%(without)s::text[] is null or kind not like all(%(without)s))
"""
OLDEST = EVENTS + " and (%(after)s::bigint is null or seq > %(after)s) order by seq limit %(limit)s"
NEWEST = EVENTS + " and (%(after)s::bigint is null or seq < %(after)s) order by seq desc limit %(limit)s"
# A body holds the attempt's totals, so its newest one is enough.
ACTS = """
select distinct on (body ->> 'attempt') body from journal
where stream = %(stream)s and kind = %(kind)s order by body ->> 'attempt', seq desc
"""
# What the engine says of its calls is no second record where the relay counted them.
USED = """
select a.generation, u.model, count(*) as calls, sum(u.tokens_in)::bigint as tokens_in,
    sum(u.tokens_cached)::bigint as tokens_cached, sum(u.tokens_out)::bigint as tokens_out,
    case when count(u.cost_micros) = count(*) then sum(u.cost_micros)::bigint end as cost_micros
from run_usage u join attempts a on a.id = u.attempt_id
where a.run_id = %(run)s and (u.source = 'relay' or not exists (
    select 1 from run_usage o where o.attempt_id = u.attempt_id and o.source = 'relay'))
group by a.generation, u.model order by a.generation, u.model
"""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What the calls of one model used in one attempt. A cost of None is unknown."""

    generation: int
    model: str
    calls: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None


to_use = record(ModelUse)


async def list_events(
    reader: Reader,
    run_id: UUID,
    *,
    kinds: Sequence[str] | None,
    without: Sequence[str] | None,
    newest_first: bool,
    after: int | None,
    limit: int,
) -> list[Entry]:
    """Return rows of the run's journal. A kind that ends with ``*`` stands for all that begin so."""
    values: dict[str, Any] = {
        "stream": f"run:{run_id}",
        "kinds": _patterns(kinds),
        "without": _patterns(without),
        "after": after,
        "limit": limit,
    }
    return await reader.all(to_entry, NEWEST if newest_first else OLDEST, **values)


def _patterns(kinds: Sequence[str] | None) -> list[str] | None:
    return [_pattern(kind) for kind in kinds] if kinds else None


def _pattern(kind: str) -> str:
    text = kind.removesuffix("*").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{text}%" if kind.endswith("*") else text


async def list_acts(reader: Reader, run_id: UUID) -> dict[str, Acts]:
    """Return what engines did by the attempt's id, of those attempts whose runner counted it."""
    rows = await reader.all(_acted, ACTS, stream=f"run:{run_id}", kind=ACTED)
    return dict(rows)


def _acted(row: Row) -> tuple[str, Acts]:
    return str(row["body"].get("attempt")), acts_of(row["body"])


async def list_used(reader: Reader, run_id: UUID) -> list[ModelUse]:
    """Return what model calls used, by attempt and model."""
    return await reader.all(to_use, USED, run=run_id)
