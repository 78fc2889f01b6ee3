"""Rows of ``run_logs``: chunks numbered per (attempt, stream), and the end of each stream."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Tx, record

CAP_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
STREAMS = ("engine", "runner", "platform")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored piece of a stream."""

    stream: str
    stream_seq: int
    from_byte: int
    from_line: int
    at: datetime
    chunk: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream is: chunks, bytes and lines so far."""

    stream_seq: int
    bytes: int
    lines: int


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream: totals and the SHA-256 of all its bytes."""

    stream: str
    sha256: bytes
    bytes: int
    lines: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """When a chunk was written, and where it begins."""

    from_line: int
    from_byte: int
    at: datetime


to_chunk = record(Chunk)
to_written = record(Written)
to_position = record(Position)
to_end = record(End)

LOCK = "select log_seq, log_bytes, status from attempts where id = %(attempt)s for no key update"
HEAD = "select stream_seq, bytes, lines from run_log_heads where attempt_id = %(attempt)s and stream = %(stream)s"
INSERT = """
insert into run_logs (attempt_id, seq, stream, stream_seq, from_byte, from_line, at, chunk)
values (%(attempt)s, %(seq)s, %(stream)s, %(stream_seq)s, %(from_byte)s, %(from_line)s, %(at)s, %(chunk)s)
"""
SAVE_HEAD = """
insert into run_log_heads (attempt_id, stream, stream_seq, bytes, lines)
values (%(attempt)s, %(stream)s, %(stream_seq)s, %(bytes)s, %(lines)s)
on conflict (attempt_id, stream) do update
    set stream_seq = excluded.stream_seq, bytes = excluded.bytes, lines = excluded.lines
"""
SAVE_COUNTERS = "update attempts set log_seq = %(seq)s, log_bytes = %(bytes)s where id = %(attempt)s"
END = """
insert into run_log_ends (attempt_id, stream, bytes, lines, sha256, at)
values (%(attempt)s, %(stream)s, %(bytes)s, %(lines)s, %(sha256)s, %(at)s)
on conflict do nothing
"""
HEADS = "select stream, stream_seq, bytes, lines from run_log_heads where attempt_id = %(attempt)s order by stream"
ENDS = "select stream, bytes, lines, sha256, at from run_log_ends where attempt_id = %(attempt)s order by stream"
RANGE = """
select stream, stream_seq, from_byte, from_line, at, chunk from run_logs
where attempt_id = %(attempt)s and stream = %(stream)s and stream_seq > %(after)s
order by stream_seq limit %(limit)s
"""
TIMES = """
select from_line, from_byte, at from (
    select from_line, from_byte, at, stream_seq, lag(date_trunc('second', at)) over (order by stream_seq) as before
    from run_logs where attempt_id = %(attempt)s and stream = %(stream)s and stream_seq >= %(first)s) as chunks
where before is distinct from date_trunc('second', at) and from_byte < %(to_byte)s
order by stream_seq limit %(limit)s
"""
SEEK = """
select coalesce(max(stream_seq), 0) from run_logs
where attempt_id = %(attempt)s and stream = %(stream)s and from_byte <= %(from_byte)s
"""
TAIL = """
select substring(chunk from greatest(1, length(chunk) - %(most)s + 1)) as chunk from run_logs
where attempt_id = %(attempt)s and stream = %(stream)s order by stream_seq desc limit %(chunks)s
"""
TAIL_CHUNKS = 8


def marker(cap: int = CAP_BYTES) -> bytes:
    """Return the line that stands where the cap cut a log."""
    size = f"{cap // 2**20} MiB" if cap >= 2**20 else f"{cap} bytes"
    return f"\n[stagewright] the log reached its limit of {size}; nothing after this line was kept\n".encode()


async def append(
    tx: Tx, attempt_id: UUID, pieces: Sequence[tuple[str, datetime, bytes]], *, cap: int = CAP_BYTES
) -> None:
    """Store pieces (stream, time, bytes) under the attempt's row lock, cut to chunks; past the cap one marker line."""
    counters = await tx.find(lambda row: row, LOCK, attempt=attempt_id)
    if counters is None or counters["status"] == "ended":
        return
    seq, total = int(counters["log_seq"]), int(counters["log_bytes"])
    heads: dict[str, Position] = {}
    rows: list[Mapping[str, object]] = []
    for stream, at, data in pieces:
        for chunk in _cut(data):
            if total > cap:
                break
            total += len(chunk)
            kept = chunk if total <= cap else marker(cap)
            head = heads.get(stream) or await _head(tx, attempt_id, stream)
            seq += 1
            rows.append(
                {
                    "attempt": attempt_id,
                    "seq": seq,
                    "stream": stream,
                    "stream_seq": head.stream_seq + 1,
                    "from_byte": head.bytes,
                    "from_line": head.lines,
                    "at": at,
                    "chunk": kept,
                }
            )
            heads[stream] = Position(head.stream_seq + 1, head.bytes + len(kept), head.lines + kept.count(b"\n"))
    if not rows:
        return
    await tx.execute_many(INSERT, rows)
    for stream, head in heads.items():
        await tx.execute(
            SAVE_HEAD,
            attempt=attempt_id,
            stream=stream,
            stream_seq=head.stream_seq,
            bytes=head.bytes,
            lines=head.lines,
        )
    await tx.execute(SAVE_COUNTERS, attempt=attempt_id, seq=seq, bytes=total)


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


async def _head(reader: Reader, attempt_id: UUID, stream: str) -> Position:
    return await reader.find(to_position, HEAD, attempt=attempt_id, stream=stream) or Position(0, 0, 0)


async def close(tx: Tx, attempt_id: UUID, now: datetime) -> None:
    """Write the end of each stream with its totals and SHA-256; also after a crash. Repeating changes nothing."""
    for stream in STREAMS:
        head = await _head(tx, attempt_id, stream)
        digest = hashlib.sha256()
        async for chunk in read(tx, attempt_id, stream):
            digest.update(chunk.chunk)
        await tx.execute(
            END,
            attempt=attempt_id,
            stream=stream,
            bytes=head.bytes,
            lines=head.lines,
            sha256=digest.digest(),
            at=now,
        )


async def read(
    reader: Reader, attempt_id: UUID, stream: str, *, after: int = 0, page: int = 64
) -> AsyncIterator[Chunk]:
    """Yield the stream's chunks after ``stream_seq`` ``after``, in order."""
    while True:
        chunks = await list_after(reader, attempt_id, stream, after=after, limit=page)
        for chunk in chunks:
            yield chunk
        if len(chunks) < page:
            return
        after = chunks[-1].stream_seq


async def list_after(reader: Reader, attempt_id: UUID, stream: str, *, after: int, limit: int) -> list[Chunk]:
    """Return at most ``limit`` chunks after ``after``."""
    return await reader.all(to_chunk, RANGE, attempt=attempt_id, stream=stream, after=after, limit=limit)


async def tail(reader: Reader, attempt_id: UUID, stream: str, *, most: int) -> bytes:
    """Return at most ``most`` last bytes of a stream, from its last chunks."""
    last = await reader.all(
        lambda row: bytes(row["chunk"]), TAIL, attempt=attempt_id, stream=stream, most=most, chunks=TAIL_CHUNKS
    )
    return b"".join(reversed(last))[-most:]


async def seek(reader: Reader, attempt_id: UUID, stream: str, from_byte: int) -> int:
    """Return the ``stream_seq`` of the chunk that holds byte ``from_byte``, 0 without chunks."""
    return int(await reader.value(SEEK, attempt=attempt_id, stream=stream, from_byte=from_byte))


async def list_times(
    reader: Reader, attempt_id: UUID, stream: str, *, from_byte: int, to_byte: int, limit: int
) -> list[Written]:
    """Return when the chunks between the bytes were written; of those of one second the first."""
    first = await seek(reader, attempt_id, stream, from_byte)
    return await reader.all(
        to_written, TIMES, attempt=attempt_id, stream=stream, first=first, to_byte=to_byte, limit=limit
    )


async def positions(reader: Reader, attempt_id: UUID) -> dict[str, Position]:
    """Return how far each stream is."""
    rows = await reader.all(lambda row: (str(row["stream"]), to_position(row)), HEADS, attempt=attempt_id)
    return dict(rows)


async def ends(reader: Reader, attempt_id: UUID) -> dict[str, End]:
    """Return the ends of the streams that are closed."""
    return {end.stream: end for end in await reader.all(to_end, ENDS, attempt=attempt_id)}
