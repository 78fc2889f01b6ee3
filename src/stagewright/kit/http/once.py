"""One effect per ``Idempotency-Key``: the answer is stored in the transaction of the effect (access.md §5.4).

So a process that dies before the commit did nothing, and one that dies after it left the answer for the repetition.
"""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from stagewright.kit.db import Reader, Row, Tx
from stagewright.kit.errors import Conflict, Refused
from stagewright.kit.http.routes import Parts
from stagewright.kit.journal import Actor

KEPT = timedelta(hours=24)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="the same key with the same body has one effect; kept 24 h",
    ),
]
RequiredKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="the same key with the same body has one effect; kept 24 h",
    ),
]

TRY_LOCK = "select pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))"
FIND = """
select body_hash, status, answer from idempotency_keys
where principal = %(principal)s and method = %(method)s and path = %(path)s and key = %(key)s and created_at > %(since)s
"""
SAVE = """
insert into idempotency_keys (principal, method, path, key, body_hash, status, answer, created_at)
values (%(principal)s, %(method)s, %(path)s, %(key)s, %(body_hash)s, %(status)s, %(answer)s, %(now)s)
on conflict (principal, method, path, key) do update set body_hash = excluded.body_hash, status = excluded.status,
    answer = excluded.answer, created_at = excluded.created_at
"""
FORGET = "delete from idempotency_keys where created_at <= %(before)s"


class KeyMismatch(Refused):
    """The key was used for another request."""

    code = "idempotency.mismatch"


class KeyInProgress(Conflict):
    """The first request with this key is still running."""

    code = "idempotency.in_progress"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers."""

    body: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Once:
    """The write of one request: done once however often the request comes."""

    parts: Parts
    actor: Actor
    correlation_id: str
    where: Mapping[str, str]
    key: str | None
    body_hash: bytes

    async def replay(self) -> Response | None:
        """Return the stored answer of this key, if there is one: before reading from outside."""
        if self.key is None:
            return None
        async with self.parts.db.reading() as reader:
            return await self._stored(reader)

    async def run(self, act: Callable[[Tx], Awaitable[Answer]]) -> Response:
        """Do ``act`` in a transaction by the caller and return its answer, or the stored answer of the first time."""
        async with self.parts.db.transaction(self.actor, correlation_id=self.correlation_id) as tx:
            if self.key is None:
                return _response(await act(tx))
            if not await tx.value(TRY_LOCK, name=f"once:{json.dumps(dict(self.where), sort_keys=True)}:{self.key}"):
                raise KeyInProgress("the first request with this Idempotency-Key is still running; wait for its answer")
            stored = await self._stored(tx)
            if stored is not None:
                return stored
            answer = await act(tx)
            await self._store(tx, answer)
            return _response(answer)

    async def _stored(self, reader: Reader) -> Response | None:
        since = self.parts.clock.now() - KEPT
        row = await reader.find(lambda row: row, FIND, **self.where, key=self.key, since=since)
        if row is None:
            return None
        if bytes(row["body_hash"]) != self.body_hash:
            raise KeyMismatch("this Idempotency-Key was used for another request: use a new key for a new request")
        return self._opened(row)

    def _opened(self, row: Row) -> Response:
        sealed = base64.b64decode(row["answer"]["sealed"])
        kept = json.loads(self.parts.answers.open(sealed, context=self._context()))
        headers = {**kept["headers"], "Idempotency-Replayed": "true"}
        return Response(kept["body"].encode(), row["status"], headers, media_type="application/json")

    async def _store(self, tx: Tx, answer: Answer) -> None:
        body = bytes(_response(answer).body).decode()
        kept = json.dumps({"body": body, "headers": dict(answer.headers)})
        sealed = self.parts.answers.seal(kept.encode(), context=self._context())
        await tx.execute(
            SAVE,
            **self.where,
            key=self.key,
            body_hash=self.body_hash,
            status=answer.status,
            answer=Jsonb({"sealed": base64.b64encode(sealed).decode()}),
            now=self.parts.clock.now(),
        )

    def _context(self) -> str:
        return "\0".join((*(self.where[name] for name in sorted(self.where)), self.key or ""))


def _response(answer: Answer) -> JSONResponse:
    return JSONResponse(answer.body.model_dump(mode="json"), answer.status, dict(answer.headers))


async def _once(request: Request, key: str | None) -> Once:
    caller: Any = request.state.caller
    body = await request.body()
    target = f"{request.url.query}\n".encode()
    return Once(
        parts=request.app.state.parts,
        actor=caller.actor,
        correlation_id=str(request.state.request_id),
        where={"principal": f"user:{caller.actor.id}", "method": request.method, "path": request.url.path},
        key=key,
        body_hash=hashlib.sha256(target + body).digest(),
    )


async def _optional(request: Request, idempotency_key: Key = None) -> Once:
    return await _once(request, idempotency_key)


async def _required(request: Request, idempotency_key: RequiredKey) -> Once:
    return await _once(request, idempotency_key)


OnceDep = Annotated[Once, Depends(_optional)]
KeyedOnce = Annotated[Once, Depends(_required)]


async def forget_keys(tx: Tx, *, now: datetime) -> int:
    """Delete keys older than 24 h; return how many went."""
    return await tx.execute(FORGET, before=now - KEPT)
