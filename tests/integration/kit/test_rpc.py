"""The gRPC door over a real connection: statuses, trailers, no foreign text, loopback only."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from stagewright.kit import errors
from stagewright.kit.crypto import TokenInvalid
from stagewright.kit.db import DatabaseUnavailable
from stagewright.kit.http.listener import AddressTaken
from stagewright.kit.metrics import Metrics
from stagewright.kit.redact import MARK, Redactor
from stagewright.kit.rpc import Guard, NotLoopback, serving_rpc, status_of
from stagewright.kit.settings import Listen

FOREIGN = "psycopg says: relation secrets does not exist"
SECRET = "hunter22-hunter22"
LOOPBACK = Listen("127.0.0.1", 0)
PROBLEM = errors.FieldProblem("/lines/3", "bad_line", "line 3 is no patch")
Code = grpc.StatusCode
CASES = [
    (errors.Unauthenticated("sign in"), Code.UNAUTHENTICATED, "unauthenticated", "sign in"),
    (TokenInvalid("get another"), Code.UNAUTHENTICATED, "token.invalid", "get another"),
    (errors.Invalid("bad", problems=(PROBLEM,)), Code.INVALID_ARGUMENT, "invalid", "bad: /lines/3: line 3 is no patch"),
    (errors.TooLarge("big"), Code.INVALID_ARGUMENT, "too_large", "big"),
    (errors.Denied(f"not {SECRET}"), Code.PERMISSION_DENIED, "permission_denied", f"not {MARK}"),
    (errors.NotFound("none"), Code.NOT_FOUND, "not_found", "none"),
    (errors.Conflict("old", code="generation_stale"), Code.FAILED_PRECONDITION, "generation_stale", "old"),
    (errors.Refused("no", code="role_limit"), Code.FAILED_PRECONDITION, "role_limit", "no"),
    (errors.LimitReached("slow"), Code.RESOURCE_EXHAUSTED, "limit_reached", "slow"),
    (DatabaseUnavailable("later"), Code.UNAVAILABLE, "db.unavailable", "later"),
    (TimeoutError(FOREIGN), Code.DEADLINE_EXCEEDED, "timeout", "deadline exceeded"),
    (RuntimeError(FOREIGN), Code.INTERNAL, "internal", "internal error"),
]


class Door:
    """A server whose four methods raise what the test says after one good answer."""

    def __init__(self) -> None:
        self.raising: Exception | None = None
        self.bugs: list[tuple[str, str]] = []
        self.metrics = Metrics()
        self.entered = asyncio.Event()

    async def on_bug(self, error: Exception, request_id: str) -> None:
        self.bugs.append((str(error), request_id))

    def register(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Single": grpc.unary_unary_rpc_method_handler(self.single),
            "Collect": grpc.stream_unary_rpc_method_handler(self.collect),
            "Many": grpc.unary_stream_rpc_method_handler(self.many),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk),
            "Hang": grpc.unary_unary_rpc_method_handler(self.hang),
            "Abort": grpc.unary_unary_rpc_method_handler(self.abort),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Door", handlers),))

    def _maybe(self) -> None:
        if self.raising is not None:
            raise self.raising

    async def single(self, request: bytes, _: Any) -> bytes:
        self._maybe()
        return request

    async def collect(self, requests: AsyncIterator[bytes], _: Any) -> bytes:
        joined = b"".join([request async for request in requests])
        self._maybe()
        return joined

    async def many(self, request: bytes, _: Any) -> AsyncIterator[bytes]:
        yield request
        self._maybe()
        yield request

    async def talk(self, requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request
        self._maybe()

    async def hang(self, _: bytes, __: Any) -> bytes:
        self.entered.set()
        await asyncio.Event().wait()
        return b""

    async def abort(self, _: bytes, context: Any) -> bytes:
        await context.abort(Code.DATA_LOSS, "on purpose")
        return b""


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def channel(door: Door) -> AsyncIterator[Any]:
    guard = Guard(on_bug=door.on_bug, metrics=door.metrics, redact=Redactor([SECRET]))
    async with (
        serving_rpc(door.register, LOOPBACK, interceptors=[guard], message_limit=10_000, grace=timedelta(0)) as bound,
        grpc.aio.insecure_channel(f"127.0.0.1:{bound.port}") as channel,
    ):
        yield channel


async def sent(*items: bytes) -> AsyncIterator[bytes]:
    for item in items:
        yield item


async def call(channel: Any, method: str, **options: Any) -> list[bytes]:
    path, options = f"/test.Door/{method}", {"timeout": 5} | options
    if method == "Collect":
        return [await channel.stream_unary(path)(sent(b"a", b"b"), **options)]
    if method == "Many":
        return [item async for item in channel.unary_stream(path)(b"a", **options)]
    if method == "Talk":
        return [item async for item in channel.stream_stream(path)(sent(b"a", b"b"), **options)]
    return [await channel.unary_unary(path)(b"a", **options)]


METHODS = {"Single": [b"a"], "Collect": [b"ab"], "Many": [b"a", b"a"], "Talk": [b"a", b"b"]}


@pytest.mark.parametrize("method", METHODS)
async def test_every_kind_of_method_answers(channel: Any, door: Door, method: str) -> None:
    assert await call(channel, method) == METHODS[method]
    assert f'grpc_requests_total{{code="OK",method="/test.Door/{method}"}} 1.0' in door.metrics.exposition()[1].decode()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("error", "status", "code", "details"), CASES, ids=lambda value: type(value).__name__)
async def test_every_kind_of_error_has_its_status_and_trailers(
    channel: Any, door: Door, method: str, error: Exception, status: Code, code: str, details: str
) -> None:
    door.raising = error
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, method, metadata=(("x-request-id", "request-0001"),))
    assert (caught.value.code(), caught.value.details()) == (status, details)
    trailers = dict(caught.value.trailing_metadata())
    assert (trailers["stagewright-code"], trailers["request-id"]) == (code, "request-0001")
    assert door.bugs == ([(FOREIGN, "request-0001")] if status is Code.INTERNAL else [])


async def test_when_to_come_back_is_a_trailer(channel: Any, door: Door) -> None:
    door.raising = errors.Unavailable("later", retry_after=timedelta(seconds=1.5))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Single")
    assert dict(caught.value.trailing_metadata())["retry-after-ms"] == "1500"


async def test_a_malformed_request_id_is_replaced(channel: Any, door: Door) -> None:
    door.raising = errors.NotFound("none")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Single", metadata=(("x-request-id", "short"),))
    assert len(str(dict(caught.value.trailing_metadata())["request-id"])) == 36


async def test_an_unknown_method_is_counted_without_its_name(channel: Any, door: Door) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Nothing")
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert 'code="UNIMPLEMENTED",method="unmatched"' in door.metrics.exposition()[1].decode()


async def test_a_caller_that_goes_away_is_no_bug(channel: Any, door: Door) -> None:
    task = asyncio.create_task(call(channel, "Hang"))
    async with asyncio.timeout(5):
        await door.entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.bugs == []


async def test_a_deliberate_abort_passes(channel: Any, door: Door) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Abort")
    assert (caught.value.code(), caught.value.details()) == (Code.DATA_LOSS, "on purpose")
    assert door.bugs == []


async def test_a_message_over_the_limit_is_refused(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary("/test.Door/Single")(b"x" * 20_000, timeout=5)
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
async def test_without_tls_other_machines_cannot_connect(door: Door, host: str) -> None:
    with pytest.raises(NotLoopback, match="loopback only"):
        async with serving_rpc(door.register, Listen(host, 0)):
            pass


async def test_a_taken_address_is_named(door: Door) -> None:
    async with serving_rpc(door.register, LOOPBACK, grace=timedelta(0)) as bound:
        with pytest.raises(AddressTaken, match=str(bound.port)):
            async with serving_rpc(door.register, Listen("127.0.0.1", bound.port)):
                pass


def test_every_error_of_ours_has_a_status() -> None:
    def below(kind: type[Exception]) -> list[type[Exception]]:
        return [found for child in kind.__subclasses__() for found in (child, *below(child))]

    for kind in below(errors.StagewrightError):
        assert status_of(kind.__new__(kind)) is not Code.INTERNAL, kind
