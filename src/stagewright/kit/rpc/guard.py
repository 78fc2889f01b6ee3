"""A server interceptor: our errors become statuses and trailers, anything else becomes "internal error".

Handlers that answer a stream are async generators; the older style of ``context.write`` is not served.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from stagewright.kit import errors, logs
from stagewright.kit.errors import Invalid, StagewrightError, Unavailable
from stagewright.kit.ids import uuid7
from stagewright.kit.metrics import Metrics

OnBug = Callable[[Exception, str], Awaitable[None]]
Redact = Callable[[str], str]
Context = grpc.aio.ServicerContext[Any, Any]
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LONGEST = 2000
# The first fitting line counts.
STATUSES: Sequence[tuple[type[Exception], grpc.StatusCode]] = (
    (errors.Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.Invalid, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.Denied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.Conflict, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.LimitReached, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (TimeoutError, grpc.StatusCode.DEADLINE_EXCEEDED),
)

log = logs.get_logger(__name__)


def status_of(error: Exception) -> grpc.StatusCode:
    """Return the status of ``error``; INTERNAL for everything that is not ours."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


class Guard(grpc.aio.ServerInterceptor):
    """Wraps every method of a server. ``on_bug(error, request_id)`` is told of unforeseen exceptions."""

    def __init__(self, *, on_bug: OnBug | None = None, metrics: Metrics | None = None, redact: Redact = str) -> None:
        self._on_bug = on_bug
        self._metrics = metrics
        self._redact = redact

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the method's handler with the guard around it (gRPC calls this)."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            self._count("unmatched", grpc.StatusCode.UNIMPLEMENTED)
            return None
        coders = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.request_streaming and handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(self._stream(handler.stream_stream, method), **coders)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(handler.unary_stream, method), **coders)
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler(self._single(handler.stream_unary, method), **coders)
        return grpc.unary_unary_rpc_method_handler(self._single(handler.unary_unary, method), **coders)

    def _single(self, behaviour: Any, method: str) -> Any:
        async def guarded(request: Any, context: Context) -> Any:
            async with self._guarded(context, method):
                return await behaviour(request, context)

        return guarded

    def _stream(self, behaviour: Any, method: str) -> Any:
        async def guarded(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self._guarded(context, method):
                async for answer in behaviour(request, context):
                    yield answer

        return guarded

    @asynccontextmanager
    async def _guarded(self, context: Context, method: str) -> AsyncIterator[None]:
        request_id = _request_id(context)
        status = grpc.StatusCode.OK
        with logs.bound(request_id=request_id):
            try:
                yield
            except (asyncio.CancelledError, GeneratorExit):
                status = grpc.StatusCode.CANCELLED
                raise
            except grpc.aio.AbortError:
                status = grpc.StatusCode.UNKNOWN
                raise
            except Exception as error:  # the kit's door wrapper
                status = status_of(error)
                if status is grpc.StatusCode.INTERNAL:
                    await self._report(error, request_id)
                await self._abort(context, error, status, request_id)
            finally:
                self._count(method, status)

    async def _abort(self, context: Context, error: Exception, status: grpc.StatusCode, request_id: str) -> None:
        code = error.stable_code if isinstance(error, StagewrightError) else "internal"
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            code = "timeout"
        trailers = [("stagewright-code", code), ("request-id", request_id)]
        if isinstance(error, Unavailable) and error.retry_after is not None:
            trailers.append(("retry-after-ms", str(max(0, int(error.retry_after.total_seconds() * 1000)))))
        await context.abort(status, self._details(error, code), tuple(trailers))

    def _details(self, error: Exception, code: str) -> str:
        if not isinstance(error, StagewrightError):
            return "deadline exceeded" if code == "timeout" else "internal error"
        text = error.message
        if isinstance(error, Invalid) and error.problems:
            text += ": " + "; ".join(f"{item.pointer}: {item.message}" for item in error.problems)
        return self._redact(text)[:LONGEST]

    async def _report(self, error: Exception, request_id: str) -> None:
        log.error("call failed", exc_info=error)
        if self._on_bug is None:
            return
        try:
            await self._on_bug(error, request_id)
        except Exception as failure:  # the report of a failure must not become one
            log.error("call failure could not be reported", exc_info=failure)

    def _count(self, method: str, status: grpc.StatusCode) -> None:
        if self._metrics is not None:
            self._metrics.grpc_requests.labels(method, status.name).inc()


def _request_id(context: Context) -> str:
    for name, value in context.invocation_metadata() or ():
        if name == "x-request-id" and isinstance(value, str) and REQUEST_ID.fullmatch(value):
            return value
    return str(uuid7())
