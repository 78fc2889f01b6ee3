"""A run's logs: where each stream is, its text by range, since a time, from its end or by a word; times; raw bytes."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Header, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from stagewright.contexts.identity.api import Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.http.details import AnyGeneration, chosen_attempt
from stagewright.contexts.runs.http.shapes import CallerDep, visible_run
from stagewright.contexts.runs.model import Attempt
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.kit.db import Database, Reader
from stagewright.kit.http.routes import Db, Routes
from stagewright.kit.http.shapes import Id, Instant

MIB = 1024 * 1024
SCAN_LIMIT = 8 * MIB
PAGE = 16
MOST_TIMES = 2000
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
routes = Routes(tag="logs")


class Stream(StrEnum):
    """Who wrote a log."""

    ENGINE = "engine"
    RUNNER = "runner"
    PLATFORM = "platform"


class LogPosition(BaseModel):
    """How far a stream is. ``sha256`` of all its bytes and ``ended_at`` are known when it has ended."""

    stream: Stream
    stream_seq: int
    bytes: int
    lines: int
    ended: bool
    ended_at: Instant | None
    sha256: str | None


class LogPositions(BaseModel):
    """The streams of one attempt."""

    run_id: Id
    attempt: int
    attempt_id: Id
    streams: list[LogPosition]


class LogTime(BaseModel):
    """When a chunk was written; ``from_line`` (from 0) is the line in which it begins."""

    from_line: int
    at: Instant


class LogText(BaseModel):
    """A piece of a stream. ``next_byte`` is where to go on; ``eof``: nothing follows, now or later.

    ``times``: when it was written, from the chunk on that holds the first byte, one for the chunks of a second. None
    with ``grep``: there lines have no numbers.
    """

    run_id: Id
    attempt: int
    attempt_id: Id
    stream: Stream
    from_byte: int
    next_byte: int
    bytes: int
    lines: int
    ended: bool
    eof: bool
    sha256: str | None
    started_at: Instant | None
    times: list[LogTime]
    text: str


@dataclass(frozen=True, slots=True)
class _Log:
    """One stream of one attempt, as far as it is now."""

    reader: Reader
    attempt: Attempt
    position: LogPosition

    async def bytes_from(self, from_byte: int, most: int) -> bytes:
        """Return at most ``most`` bytes from ``from_byte`` on."""
        stream = self.position.stream.value
        after = max(0, await log_rows.seek(self.reader, self.attempt.id, stream, from_byte) - 1)
        parts, have = [], 0
        while have < most:
            chunks = await log_rows.list_after(self.reader, self.attempt.id, stream, after=after, limit=PAGE)
            for chunk in chunks:
                piece = chunk.chunk[max(0, from_byte - chunk.from_byte) :]
                parts.append(piece)
                have += len(piece)
            if len(chunks) < PAGE:
                break
            after = chunks[-1].stream_seq
        return b"".join(parts)[:most]


@routes.get("/runs/{run_id}/logs", Permission.PROJECT_VIEW)
async def list_logs(run_id: UUID, me: CallerDep, db: Db, attempt: AnyGeneration = None) -> LogPositions:
    """Show how far the streams of an attempt are."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        chosen = await chosen_attempt(reader, run_id, attempt)
        streams = await positions(reader, chosen.id)
    return LogPositions(run_id=str(run_id), attempt=chosen.generation, attempt_id=str(chosen.id), streams=streams)


async def positions(reader: Reader, attempt_id: UUID) -> list[LogPosition]:
    """Return how far every stream of the attempt is."""
    heads = await log_rows.positions(reader, attempt_id)
    ends = await log_rows.ends(reader, attempt_id)
    nothing = log_rows.Position(0, 0, 0)
    return [
        LogPosition(
            stream=stream,
            stream_seq=heads.get(stream, nothing).stream_seq,
            bytes=heads.get(stream, nothing).bytes,
            lines=heads.get(stream, nothing).lines,
            ended=stream in ends,
            ended_at=ends[stream].at.isoformat() if stream in ends else None,
            sha256=ends[stream].sha256.hex() if stream in ends else None,
        )
        for stream in Stream
    ]


@routes.get("/runs/{run_id}/logs/{stream}", Permission.PROJECT_VIEW)
async def read_log(
    run_id: UUID,
    stream: Stream,
    me: CallerDep,
    db: Db,
    attempt: AnyGeneration = None,
    from_byte: Annotated[int, Query(ge=0, le=2**48)] = 0,
    limit: Annotated[int, Query(ge=1, le=MIB, description="how many bytes at most")] = MIB // 4,
    since: Annotated[datetime | None, Query(description="only what was written from then on")] = None,
    tail: Annotated[int | None, Query(ge=1, le=100_000, description="only the last lines")] = None,
    grep: Annotated[str | None, Query(min_length=1, max_length=200, description="only lines with this text")] = None,
    text: Annotated[
        bool, Query(description="false: only the times, for a reader of ``/raw``; ``limit`` is moot")
    ] = True,
) -> LogText:
    """Return a piece of a log as text. Bytes that are no UTF-8 are replaced; take ``/raw`` for the exact ones.

    A piece ends where ``times`` would hold more than 2,000.
    """
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        chosen = await chosen_attempt(reader, run_id, attempt)
        position = next(item for item in await positions(reader, chosen.id) if item.stream is stream)
        log = _Log(reader, chosen, position)
        start = await _start(log, from_byte, since, tail)
        times, end = await _times(log, start, start + limit if text else position.bytes)
        if grep:
            times, (data, following) = [], await _grep(log, start, limit, grep)
        else:
            data, following = await _plain(log, start, end - start) if text else (b"", end)
    return LogText(
        run_id=str(run_id),
        attempt=chosen.generation,
        attempt_id=str(chosen.id),
        stream=stream,
        from_byte=start,
        next_byte=following,
        bytes=position.bytes,
        lines=position.lines,
        ended=position.ended,
        eof=position.ended and following >= position.bytes,
        sha256=position.sha256,
        started_at=chosen.started_at.isoformat() if chosen.started_at else None,
        times=[
            LogTime(from_line=item.from_line, at=item.at.isoformat()) for item in times if item.from_byte < following
        ],
        text=data.decode("utf-8", "replace"),
    )


async def _times(log: _Log, start: int, end: int) -> tuple[list[log_rows.Written], int]:
    """Return when what stands between the bytes was written; and the end, nearer when that would be too much."""
    attempt, stream, end = log.attempt.id, log.position.stream.value, min(end, log.position.bytes)
    if start >= end:
        return [], start
    found = await log_rows.list_times(log.reader, attempt, stream, from_byte=start, to_byte=end, limit=MOST_TIMES + 1)
    return found[:MOST_TIMES], found[MOST_TIMES].from_byte if len(found) > MOST_TIMES else end


async def _start(log: _Log, from_byte: int, since: datetime | None, tail: int | None) -> int:
    start = min(from_byte, log.position.bytes)
    stream = log.position.stream.value
    if since is not None:
        found = await views.byte_since(log.reader, log.attempt.id, stream, since)
        start = max(start, log.position.bytes if found is None else found)
    if tail is not None:
        last = await log.bytes_from(max(0, log.position.bytes - 1), 1)
        whole = log.position.lines if last == b"\n" else log.position.lines + 1
        start = max(start, await views.byte_of_line(log.reader, log.attempt.id, stream, whole - tail))
    return start


async def _plain(log: _Log, start: int, limit: int) -> tuple[bytes, int]:
    data = await log.bytes_from(start, limit)
    whole = data if start + len(data) >= log.position.bytes and log.position.ended else _whole_characters(data)
    return whole, start + len(whole)


def _whole_characters(data: bytes) -> bytes:
    """Leave a character that the end cuts for the next piece."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needs = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return data[:-back] if needs > back and back < len(data) else data
    return data


async def _grep(log: _Log, start: int, limit: int, word: str) -> tuple[bytes, int]:
    """Return the lines with ``word``, and where the search stopped: after at most 8 MiB, at the end of a line."""
    data = await log.bytes_from(start, SCAN_LIMIT)
    at_end = start + len(data) >= log.position.bytes
    if not (at_end and log.position.ended) and (b"\n" in data or len(data) < SCAN_LIMIT):
        data = data[: data.rfind(b"\n") + 1]  # a line that is still being written is found later, as a whole
    wanted, size, read = word.encode(), 0, 0
    found: list[bytes] = []
    for line in LINE.findall(data):
        if wanted in line:
            if found and size + len(line) > limit:
                break
            found.append(line[:MIB])
            size += len(line)
        read += len(line)
    return b"".join(found), start + read


@routes.get(
    "/runs/{run_id}/logs/{stream}/raw",
    Permission.PROJECT_VIEW,
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
async def read_raw_log(
    run_id: UUID,
    stream: Stream,
    me: CallerDep,
    db: Db,
    attempt: AnyGeneration = None,
    wanted: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
) -> StreamingResponse:
    """Return the exact bytes of a log as far as it is now, whole or the asked range."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        chosen = await chosen_attempt(reader, run_id, attempt)
        total = next(item.bytes for item in await positions(reader, chosen.id) if item.stream is stream)
    part = _range(wanted, total)
    first, last = part or (0, total - 1)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{total}"
    body = _pieces(db, chosen, stream, first, last - first + 1)
    status = 200 if part is None else 206
    return StreamingResponse(body, status, headers, media_type="application/octet-stream")


def _range(header: str | None, total: int) -> tuple[int, int] | None:
    """Return first and last byte of the one range asked for; None for the whole log."""
    match = RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, total - int(match[2])), total - 1
    else:
        first, last = int(match[1]), min(total - 1, int(match[2] or total))
    if first > last:
        raise HTTPException(416, headers={"Content-Range": f"bytes */{total}"})
    return first, last


async def _pieces(db: Database, attempt: Attempt, stream: Stream, start: int, size: int) -> AsyncIterator[bytes]:
    end = start + size
    nowhere = LogPosition(stream=stream, stream_seq=0, bytes=0, lines=0, ended=False, ended_at=None, sha256=None)
    while start < end:
        async with db.reading() as reader:
            data = await _Log(reader, attempt, nowhere).bytes_from(start, min(MIB, end - start))
        if not data:
            return
        yield data
        start += len(data)
