"""What comes in at the relay: the token, the body under its limit, the fields that name a model, the hang-up."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from stagewright.contexts.runs.rules.relay import TOLD_FIELDS
from stagewright.kit.errors import FieldProblem, Invalid, TooLarge
from stagewright.kit.http.asgi import Receive, Scope, header

T = TypeVar("T")
LARGEST_BODY = 32 * 1024 * 1024
BODY_SECONDS = 120.0


class ClientGone(Exception):
    """The client hung up: nobody reads an answer."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request's body as it is sent on, and its fields that can name a model."""

    body: bytes = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)


def bearer(scope: Scope) -> str | None:
    """Return the bearer token."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def headers_of(scope: Scope) -> list[tuple[str, str]]:
    """Return the request's headers as text."""
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]


def query_of(scope: Scope, allowed: frozenset[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the query's parameters. Raises ``Invalid`` for one the engine's calls do not have."""
    given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for item in given:
        if item not in allowed:
            problem = FieldProblem(f"/query/{item[0]}", "unknown", "leave it out")
            raise Invalid(f"the query parameter {item[0][:40]!r} is not passed on; leave it out", problems=(problem,))
    return given


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the body, at most 32 MiB within two minutes. Raises ``TooLarge``, ``Invalid``, ``ClientGone``."""
    announced = header(scope, b"content-length") or "0"
    if not announced.isdecimal() or int(announced) > LARGEST_BODY:
        raise _too_large()
    if (header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise Invalid("the body is compressed; the relay has to read which model it names: send it as it is")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collected(receive)
    except TimeoutError as error:
        raise Invalid("the body did not come within two minutes; send it again") from error


async def _collected(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {LARGEST_BODY} bytes; shorten the conversation", limit=LARGEST_BODY)


def parse_request(body: bytes) -> ModelRequest:
    """Parse a request. What is sent on is written anew with each field once, its value byte for byte.

    A field that stands twice could name one model to us and another to the provider. Raises ``Invalid``.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        told = {name: msgspec.json.decode(value) for name, value in fields.items() if name.casefold() in TOLD_FIELDS}
        written = msgspec.json.encode(fields)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        problem = FieldProblem("/", "json", "send one JSON object")
        raise Invalid("the body is not a JSON object", problems=(problem,)) from error
    if not isinstance(told.get("model"), str):
        problem = FieldProblem("/model", "required", "name the run's model")
        raise Invalid("model: the body names no model", problems=(problem,))
    return ModelRequest(written, told)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Await ``work``, but cancel it when the client hangs up (``ClientGone``). The body was read before."""
    task, gone = asyncio.ensure_future(work), asyncio.create_task(_hang_up(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        for left in (task, gone):
            left.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
