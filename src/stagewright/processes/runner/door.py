"""The way to the platform: one gRPC channel, the `run` token on every call, retries, and its refusals in our words."""

import asyncio
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc
import grpc.aio

from stagewright.processes.runner.failures import NotTaken, Refused, Unreachable
from stagewright.processes.runner.settings import Settings, is_loopback
from stagewright.wire.v1 import (
    assignment_pb2,
    common_pb2,
    outcome_pb2,
    result_pb2,
    runner_pb2_grpc,
    session_pb2,
    source_pb2,
)

T = TypeVar("T")

FATAL = ("unauthenticated", "permission_denied", "generation_stale", "attempt_ended")
LARGEST_MESSAGE = 4 * 1024 * 1024
PART = 1024 * 1024
CALL_SECONDS = 30.0
TRANSFER_SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
_NOT_NOW = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
_ON_THE_WAY = (
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
)


class Pauses:
    """How long to wait before the next try: doubling with jitter up to 5 s."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        """Begin with short pauses again: something worked."""
        self._next = FIRST_PAUSE

    async def wait(self) -> None:
        """Wait before the next try, longer each time."""
        await asyncio.sleep(self._next * random.uniform(0.8, 1.2))  # noqa: S311  jitter, not a secret
        self._next = min(self._next * 2, LONGEST_PAUSE)


def translate(error: grpc.aio.AioRpcError) -> Refused | NotTaken | Unreachable:
    """Return our word for a failed call. A code in the trailer is the platform's own answer, and may mean "not now"."""
    trailers = error.trailing_metadata() or ()
    code = next((str(value) for key, value in trailers if key == "stagewright-code"), "")
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        code = "unauthenticated"
    if not code and error.code() is grpc.StatusCode.PERMISSION_DENIED:
        code = "permission_denied"
    text = (error.details() or "")[:500]
    if code in FATAL:
        return Refused(code, text)
    if error.code() in _NOT_NOW or (not code and error.code() in _ON_THE_WAY):
        return Unreachable(f"{error.code().name}: {text}")
    return NotTaken(code or error.code().name.lower(), text)


class Door:
    """All calls but the stream. Each is tried again until it is answered or ``patience`` seconds have passed."""

    def __init__(self, settings: Settings, *, patience: float) -> None:
        self.attempt = common_pb2.Attempt(attempt_id=settings.attempt_id, generation=settings.generation)
        self.metadata = (("authorization", f"Bearer {settings.tokens['run']}"),)
        self._patience = patience
        self._channel = _channel(settings)
        self.stub = runner_pb2_grpc.RunnerServiceStub(self._channel)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def get_assignment(self, version: str, *, patience: float) -> assignment_pb2.Assignment:
        """Ask what to do. Raises ``Refused`` or, after the patience, ``Unreachable``."""
        request = assignment_pb2.GetAssignmentRequest(attempt=self.attempt, runner_version=version)
        reply = await self._again(
            lambda: self.stub.GetAssignment(request, metadata=self.metadata, timeout=CALL_SECONDS), patience=patience
        )
        return reply.assignment

    async def report_problem(self, level: str, code: str, text: str) -> None:
        """Tell the platform of something a person should see. Raises as every call."""
        request = outcome_pb2.ReportProblemRequest(attempt=self.attempt, level=level, code=code, text=text[:2000])
        await self._again(
            lambda: self.stub.ReportProblem(request, metadata=self.metadata, timeout=CALL_SECONDS), patience=5.0
        )

    def get_source(self, offset: int) -> AsyncIterator[source_pb2.SourceChunk]:
        """Stream the source bundle from ``offset``. One try: the caller goes on where it broke."""
        request = source_pb2.GetSourceRequest(attempt=self.attempt, offset=offset)
        return self._chunks(self.stub.GetSource(request, metadata=self.metadata, timeout=TRANSFER_SECONDS))

    def get_session(self, session_id: str) -> AsyncIterator[session_pb2.SessionChunk]:
        """Stream the session. One try."""
        request = session_pb2.GetSessionRequest(attempt=self.attempt, session_id=session_id)
        return self._chunks(self.stub.GetSession(request, metadata=self.metadata, timeout=TRANSFER_SECONDS))

    async def save_session(self, header: session_pb2.SessionHeader, archive: bytes, wip: bytes) -> str:
        """Save a session and return its id."""
        head = session_pb2.SaveSessionHeader(attempt=self.attempt, session=header)

        async def parts() -> AsyncIterator[session_pb2.SaveSessionPart]:
            yield session_pb2.SaveSessionPart(header=head)
            for start in range(0, len(archive), PART):
                yield session_pb2.SaveSessionPart(archive=archive[start : start + PART])
            for start in range(0, len(wip), PART):
                yield session_pb2.SaveSessionPart(wip_bundle=wip[start : start + PART])

        reply = await self._again(
            lambda: self.stub.SaveSession(parts(), metadata=self.metadata, timeout=TRANSFER_SECONDS)
        )
        return str(reply.session_id)

    async def propose(self, header: result_pb2.ProposeResultHeader, bundle: bytes) -> None:
        """Hand over a result. A repeat of an equal proposal is the platform's to recognise."""
        header.attempt.CopyFrom(self.attempt)

        async def parts() -> AsyncIterator[result_pb2.ProposeResultPart]:
            yield result_pb2.ProposeResultPart(header=header)
            for start in range(0, len(bundle), PART):
                yield result_pb2.ProposeResultPart(bundle=bundle[start : start + PART])

        await self._again(lambda: self.stub.ProposeResult(parts(), metadata=self.metadata, timeout=TRANSFER_SECONDS))

    async def report_outcome(self, request: outcome_pb2.ReportOutcomeRequest, *, patience: float) -> None:
        """Report how the attempt ended; equal repeats are fine."""
        request.attempt.CopyFrom(self.attempt)
        await self._again(
            lambda: self.stub.ReportOutcome(request, metadata=self.metadata, timeout=CALL_SECONDS), patience=patience
        )

    async def _chunks(self, call: AsyncIterable[T]) -> AsyncIterator[T]:
        try:
            async for chunk in call:
                yield chunk
        except grpc.aio.AioRpcError as error:
            raise translate(error) from error

    async def _again(self, call: Callable[[], Awaitable[T]], *, patience: float | None = None) -> T:
        """Make a call until it is answered. What it does must be safe to do twice."""
        give_up = time.monotonic() + (self._patience if patience is None else patience)
        between = Pauses()
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                failure = translate(error)
                if not isinstance(failure, Unreachable) or time.monotonic() >= give_up:
                    raise failure from error
            await between.wait()


def _channel(settings: Settings) -> grpc.aio.Channel:
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", LARGEST_MESSAGE + 65536),
        ("grpc.max_send_message_length", LARGEST_MESSAGE),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if is_loopback(settings.target.rpartition(":")[0].strip("[]")):
        options.append(("grpc.enable_http_proxy", 0))
    if settings.secure:
        return grpc.aio.secure_channel(settings.target, grpc.ssl_channel_credentials(), options=options)
    return grpc.aio.insecure_channel(settings.target, options=options)
