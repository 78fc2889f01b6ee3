"""What is new in many logs at once: one statement for all that are followed (access.md §8.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from stagewright.contexts.runs.store.logs import Chunk, End
from stagewright.kit.db import Reader, Row

NEWS = """
with places as (
    select * from unnest(%(runs)s::uuid[], %(streams)s::text[], %(generations)s::int[], %(afters)s::bigint[])
        with ordinality as m(run_id, stream, generation, after, no))
select m.no, a.generation, coming.generation as coming, coalesce(h.stream_seq, 0) as head,
    e.bytes, e.lines, e.sha256, e.at as ended_at, l.stream, l.stream_seq, l.from_byte, l.from_line, l.at, l.chunk
from places m
left join lateral (
    select id, generation from attempts where run_id = m.run_id and (m.generation is null or generation = m.generation)
    order by generation desc limit 1) a on true
left join lateral (
    select min(generation) as generation from attempts where run_id = m.run_id and generation > m.generation) coming
    on true
left join run_log_heads h on h.attempt_id = a.id and h.stream = m.stream
left join run_log_ends e on e.attempt_id = a.id and e.stream = m.stream
left join lateral (
    select * from run_logs l where l.attempt_id = a.id and l.stream = m.stream and l.stream_seq > m.after
    order by l.stream_seq limit %(limit)s) l on true
order by m.no, l.stream_seq
"""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """How far somebody has a stream of a run. ``generation`` None: nowhere yet, only what comes is wanted."""

    run_id: UUID
    stream: str
    generation: int | None
    after: int


@dataclass(slots=True)
class LogNews:
    """What follows a place: its attempt, if there is one; the newest chunk's number; the end; the next attempt."""

    generation: int | None
    head: int
    end: End | None
    coming: int | None
    chunks: list[Chunk] = field(default_factory=list)


async def list_news(reader: Reader, places: Sequence[LogPlace], *, limit: int) -> list[LogNews]:
    """Return what follows each place, in their order, with at most ``limit`` chunks each."""
    rows = await reader.all(
        lambda row: row,
        NEWS,
        runs=[place.run_id for place in places],
        streams=[place.stream for place in places],
        generations=[place.generation for place in places],
        afters=[place.after for place in places],
        limit=limit,
    )
    found: dict[int, LogNews] = {}
    for row in rows:
        news = found.setdefault(int(row["no"]), LogNews(row["generation"], int(row["head"]), _end(row), row["coming"]))
        if row["stream_seq"] is not None:
            news.chunks.append(_chunk(row))
    return [found[number] for number in range(1, len(places) + 1)]


def _end(row: Row) -> End | None:
    if row["sha256"] is None:
        return None
    return End("", bytes(row["sha256"]), int(row["bytes"]), int(row["lines"]), row["ended_at"])


def _chunk(row: Row) -> Chunk:
    return Chunk(
        str(row["stream"]),
        int(row["stream_seq"]),
        int(row["from_byte"]),
        int(row["from_line"]),
        row["at"],
        bytes(row["chunk"]),
    )
