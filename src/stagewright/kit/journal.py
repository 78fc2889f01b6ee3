"""The journal: audit log, realtime feed and outbox in one append-only table, written with the change it reports.

Readers page by *snapshot*, never by ``seq``: numbers are given at insert, not at commit, so a cursor on ``seq`` loses
events. Per stream, ``seq`` order is commit order, because the stream's head row stays locked until commit.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

BODY_LIMIT = 16 * 1024
PAGE = 2000
KIND = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
GENESIS = b"\0" * 32

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change: ``kind`` is ``user``, ``run``, ``forge``, ``system`` or ``policy``; ``id`` names which."""

    kind: str
    id: str


SYSTEM = Actor("system", "stagewright")


@dataclass(frozen=True, kw_only=True)
class Event:
    """A past-tense fact. A subclass names its ``kind`` and ``topic`` and says its stream and body.

    ``body`` holds strings, integers, booleans, null, lists and maps only: no floats, so that its canonical form is
    the same everywhere.
    """

    kind: ClassVar[str]
    topic: ClassVar[str]
    registry: ClassVar[dict[str, type["Event"]]] = {}

    project_id: UUID | None = None
    run_id: UUID | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        kind = cls.__dict__.get("kind")
        if kind is None:
            return
        if not KIND.match(kind):
            raise TypeError(f"{cls.__name__}: {kind!r} is no event kind (lower-case words joined by dots)")
        known = Event.registry.setdefault(kind, cls)
        if known.__qualname__ != cls.__qualname__:
            raise TypeError(f"event kind {kind!r} belongs to {known.__qualname__}, not {cls.__qualname__}")

    @property
    def stream(self) -> str:
        """Return the ordered stream the event belongs to, e.g. ``run:<id>``."""
        raise NotImplementedError

    def body(self) -> Mapping[str, Any]:
        """Return what a screen shows."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal row as a reader sees it."""

    seq: int
    at: datetime
    topic: str
    stream: str
    project_id: UUID | None
    run_id: UUID | None
    correlation_id: str
    actor_kind: str
    actor: str
    kind: str
    body: Any
    prev_hash: bytes = field(repr=False, default=b"")
    hash: bytes = field(repr=False, default=b"")
    tx: int = field(repr=False, default=0)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of ``value`` (RFC 8785 for values without floats)."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a journal body holds no floats: use integers (milliseconds, micro-units) or text")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def chain_hash(prev: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the hash of one row after ``prev``: SHA-256 over the previous hash and the canonical row."""
    return hashlib.sha256(prev + canonical(row)).digest()


def _hashed_row(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(),
        "topic": entry.topic,
        "stream": entry.stream,
        "project_id": str(entry.project_id) if entry.project_id else None,
        "run_id": str(entry.run_id) if entry.run_id else None,
        "correlation_id": entry.correlation_id,
        "actor_kind": entry.actor_kind,
        "actor": entry.actor,
        "kind": entry.kind,
        "body": entry.body,
    }


def fits(entry: Entry) -> bool:
    """Say whether the row's hash is the one of what it holds after the row it names as the one before."""
    return chain_hash(bytes(entry.prev_hash), _hashed_row(entry)) == bytes(entry.hash)


def _redacted(value: Any, redact: Redact) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, redact) for item in value]
    return value


MAKE_HEADS = """
insert into journal_heads (stream, seq, hash)
select stream, 0, %(genesis)s from unnest(%(streams)s::text[]) as stream order by stream
on conflict (stream) do nothing
"""
READ_HEADS = "select stream, hash from journal_heads where stream = any(%(streams)s) order by stream for update"
NUMBERS = "select nextval('journal_seq') as seq from generate_series(1, %(count)s)"
INSERT = """
insert into journal (seq, at, topic, stream, project_id, run_id, correlation_id,
                     actor_kind, actor, kind, body, prev_hash, hash)
values (%(seq)s, %(at)s, %(topic)s, %(stream)s, %(project_id)s, %(run_id)s, %(correlation_id)s,
        %(actor_kind)s, %(actor)s, %(kind)s, %(body)s, %(prev_hash)s, %(hash)s)
"""
MOVE_HEAD = "update journal_heads set seq = %(seq)s, hash = %(hash)s where stream = %(stream)s"


@dataclass(frozen=True, slots=True)
class Published:
    """An event together with who caused it: what a transaction collects before it commits."""

    event: Event
    actor: Actor
    correlation_id: str


async def write(
    connection: AsyncConnection[Any], published: Sequence[Published], *, now: datetime, redact: Redact
) -> None:
    """Append ``published`` as the last statements of a transaction. Heads are locked in name order: no deadlock."""
    streams = sorted({item.event.stream for item in published})
    await connection.execute(MAKE_HEADS, {"streams": streams, "genesis": GENESIS})
    heads_cursor = await connection.execute(READ_HEADS, {"streams": streams})
    heads: dict[str, bytes] = {row["stream"]: bytes(row["hash"]) for row in await heads_cursor.fetchall()}
    numbers_cursor = await connection.execute(NUMBERS, {"count": len(published)})
    numbers = [row["seq"] for row in await numbers_cursor.fetchall()]
    rows: list[dict[str, Any]] = []
    moved: dict[str, dict[str, Any]] = {}
    for number, item in zip(numbers, published, strict=True):
        entry = _entry(number, item, now=now, redact=redact)
        prev = heads[entry.stream]
        digest = chain_hash(prev, _hashed_row(entry))
        heads[entry.stream] = digest
        moved[entry.stream] = {"stream": entry.stream, "seq": number, "hash": digest}
        rows.append(
            {
                "seq": entry.seq,
                "at": entry.at,
                "topic": entry.topic,
                "stream": entry.stream,
                "project_id": entry.project_id,
                "run_id": entry.run_id,
                "correlation_id": entry.correlation_id,
                "actor_kind": entry.actor_kind,
                "actor": entry.actor,
                "kind": entry.kind,
                "body": Jsonb(entry.body),
                "prev_hash": prev,
                "hash": digest,
            }
        )
    async with connection.cursor() as cursor:
        await cursor.executemany(INSERT, rows)
        await cursor.executemany(MOVE_HEAD, list(moved.values()))


def _entry(seq: int, item: Published, *, now: datetime, redact: Redact) -> Entry:
    event = item.event
    if Event.registry.get(event.kind) is not type(event):
        raise TypeError(f"event kind {event.kind!r} is not registered")
    body = _redacted(event.body(), redact)
    if len(canonical(body)) > BODY_LIMIT:
        raise ValueError(f"the body of {event.kind} is larger than {BODY_LIMIT} bytes; journal an id instead")
    return Entry(
        seq=seq,
        at=now,
        topic=event.topic,
        stream=event.stream,
        project_id=event.project_id,
        run_id=event.run_id,
        correlation_id=item.correlation_id,
        actor_kind=item.actor.kind,
        actor=item.actor.id,
        kind=event.kind,
        body=body,
    )


READ_NOW = """
with now as materialized (select pg_current_snapshot()::text as until)
select now.until, page.* from now left join lateral (
    select seq, at, topic, stream, project_id, run_id, correlation_id, actor_kind, actor, kind, body, prev_hash, hash,
        tx::text::bigint
    from journal
    where tx >= pg_snapshot_xmax(%(since)s::pg_snapshot)
       or tx = any(array(select pg_snapshot_xip(%(since)s::pg_snapshot)))
    order by seq limit %(limit)s
) page on true
order by page.seq
"""
READ_PAGE = """
select %(until)s::text, seq, at, topic, stream, project_id, run_id, correlation_id, actor_kind, actor, kind, body,
    prev_hash, hash, tx::text::bigint
from journal
where (tx >= pg_snapshot_xmax(%(since)s::pg_snapshot)
       or tx = any(array(select pg_snapshot_xip(%(since)s::pg_snapshot))))
  and pg_visible_in_snapshot(tx, %(until)s::pg_snapshot) and seq > %(after)s
order by seq
limit %(limit)s
"""
CUT = "select seq, hash from journal_cuts where stream = %(stream)s"
PRESENT = "select pg_current_snapshot()::text as snapshot"
CHAIN = """
select seq, at, topic, stream, project_id, run_id, correlation_id, actor_kind, actor, kind, body, prev_hash, hash
from journal where stream = %(stream)s and seq > %(after)s order by seq limit %(limit)s
"""


async def present(connection: AsyncConnection[Any]) -> str:
    """Return the snapshot of now: a cursor that has seen everything committed so far."""
    row = await (await connection.execute(PRESENT)).fetchone()
    assert row is not None
    return str(row["snapshot"])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: everything that snapshot ``since`` sees was read.

    Within a batch also the rows up to number ``after`` of those that ``until`` sees; the rest of them comes next.
    """

    since: str
    until: str | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order of ``seq``, and where to read on. A batch is its pages up to the ``complete`` one."""

    entries: Sequence[Entry]
    next: Place

    @property
    def complete(self) -> bool:
        """Say whether the batch ends here: only then ``next.since`` is a cursor to resume from."""
        return self.next.until is None


async def read(connection: AsyncConnection[Any], place: Place, *, page: int = PAGE) -> Page:
    """Return at most ``page`` rows committed after ``place``. One statement reads rows and their own snapshot."""
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        values = {"since": place.since, "until": place.until, "after": place.after, "limit": page}
        await cursor.execute(READ_NOW if place.until is None else READ_PAGE, values)
        rows = await cursor.fetchall()
    until = place.until or str(rows[0][0])
    entries = [Entry(*row[1:]) for row in rows if row[1] is not None]
    going_on = len(entries) == page
    return Page(entries, Place(place.since, until, entries[-1].seq) if going_on else Place(until))


async def verify(connection: AsyncConnection[Any], stream: str) -> int | None:
    """Recompute the chain of ``stream``, from where retention cut it.

    Return the ``seq`` of the first row that does not fit, or None.
    """
    prev, last = await _beginning(connection, stream)
    going_on = True
    while going_on:
        values = {"stream": stream, "after": last, "limit": PAGE}
        rows = await (await connection.execute(CHAIN, values)).fetchall()
        going_on = len(rows) == PAGE
        for row in rows:
            entry = Entry(**row)
            if bytes(entry.prev_hash) != prev or not fits(entry):
                return entry.seq
            prev, last = bytes(entry.hash), entry.seq
    head = await (
        await connection.execute("select seq, hash from journal_heads where stream = %(s)s", {"s": stream})
    ).fetchone()
    if head is None:
        return last or None
    if head["seq"] != last or bytes(head["hash"]) != prev:
        return int(head["seq"])
    return None


async def _beginning(connection: AsyncConnection[Any], stream: str) -> tuple[bytes, int]:
    """Return hash and number of the row before the first that is kept."""
    cut = await (await connection.execute(CUT, {"stream": stream})).fetchone()
    return (bytes(cut["hash"]), int(cut["seq"])) if cut is not None else (GENESIS, 0)
