"""The runner's door over real gRPC, and a caller with the tokens of an attempt."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
from tests import factories
from tests.world import World

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.ports import WorkloadSpec
from stagewright.contexts.runs.rpc import AttemptTokens, RunnerDoor
from stagewright.contexts.runs.rpc.stream import Wakes
from stagewright.kit.crypto import Sealer
from stagewright.kit.rpc import Guard, serving_rpc
from stagewright.kit.settings import Listen
from stagewright.wire.v1 import (
    assignment_pb2,
    common_pb2,
    outcome_pb2,
    result_pb2,
    runner_pb2_grpc,
    session_pb2,
    source_pb2,
    stream_pb2,
)

DEADLINE = 20.0
NOW = "2026-01-05T12:00:00Z"


class Caller:
    """Speaks as one workload: with its tokens, for its attempt unless told otherwise."""

    def __init__(self, channel: grpc.aio.Channel, spec: WorkloadSpec) -> None:
        self.stub = runner_pb2_grpc.RunnerServiceStub(channel)
        self.spec = spec
        self.attempt = common_pb2.Attempt(attempt_id=str(spec.attempt_id), generation=spec.generation)

    def options(self, token: str = "run") -> dict[str, Any]:
        """Return the call options with one of the attempt's tokens."""
        return {"metadata": (("authorization", f"Bearer {self.spec.tokens[token]}"),), "timeout": DEADLINE}

    async def assignment(self, **options: Any) -> assignment_pb2.Assignment:
        """Ask for the assignment."""
        request = assignment_pb2.GetAssignmentRequest(attempt=self.attempt, runner_version="test")
        return (await self.stub.GetAssignment(request, **(self.options() | options))).assignment

    async def source(self, offset: int = 0, **options: Any) -> list[source_pb2.SourceChunk]:
        """Get the source from an offset."""
        request = source_pb2.GetSourceRequest(attempt=self.attempt, offset=offset)
        return [chunk async for chunk in self.stub.GetSource(request, **(self.options() | options))]

    async def session(self, session_id: str, **options: Any) -> list[session_pb2.SessionChunk]:
        """Get a session."""
        request = session_pb2.GetSessionRequest(attempt=self.attempt, session_id=session_id)
        return [chunk async for chunk in self.stub.GetSession(request, **(self.options() | options))]

    async def save_session(self, archive: bytes, wip: bytes = b"", *, thread: str = "t-1") -> str:
        """Save a session and return its id."""
        header = session_pb2.SessionHeader(
            engine="scripted",
            engine_version="1.0",
            thread_id=thread,
            manifest="{}",
            reason="turn",
            archive_bytes=len(archive),
            archive_sha256=hashlib.sha256(archive).hexdigest(),
            wip_bytes=len(wip),
            wip_sha256=hashlib.sha256(wip).hexdigest() if wip else "",
        )

        async def parts() -> AsyncIterator[session_pb2.SaveSessionPart]:
            yield session_pb2.SaveSessionPart(
                header=session_pb2.SaveSessionHeader(attempt=self.attempt, session=header)
            )
            yield session_pb2.SaveSessionPart(archive=archive)
            if wip:
                yield session_pb2.SaveSessionPart(wip_bundle=wip)

        return (await self.stub.SaveSession(parts(), **self.options())).session_id

    async def propose(self, report: Mapping[str, Any], bundle: bytes = b"", *, number: int = 1) -> bool:
        """Hand a result over."""
        header = result_pb2.ProposeResultHeader(
            attempt=self.attempt,
            proposal_no=number,
            report=json.dumps(report),
            bundle_bytes=len(bundle),
            bundle_sha256=hashlib.sha256(bundle).hexdigest() if bundle else "",
        )

        async def parts() -> AsyncIterator[result_pb2.ProposeResultPart]:
            yield result_pb2.ProposeResultPart(header=header)
            if bundle:
                yield result_pb2.ProposeResultPart(bundle=bundle)

        return (await self.stub.ProposeResult(parts(), **self.options())).received

    async def outcome(self, outcome: str = "completed", **options: Any) -> bool:
        """Report the attempt's end."""
        request = outcome_pb2.ReportOutcomeRequest(attempt=self.attempt, outcome=outcome)
        return (await self.stub.ReportOutcome(request, **(self.options() | options))).accepted

    def log(self, number: int, data: bytes, stream: str = "engine") -> stream_pb2.RunnerMessage:
        """Return a numbered log message."""
        log = stream_pb2.LogChunk(stream=stream, at=NOW, data=data)
        return stream_pb2.RunnerMessage(number=number, attempt=self.attempt, log=log)

    def event(self, number: int, kind: str = "run.agent.ready", body: str = "{}") -> stream_pb2.RunnerMessage:
        """Return a numbered event."""
        event = stream_pb2.RunnerEvent(kind=kind, at=NOW, body=body)
        return stream_pb2.RunnerMessage(number=number, attempt=self.attempt, event=event)

    def usage(self, number: int, tokens: int) -> stream_pb2.RunnerMessage:
        """Return a numbered usage record."""
        usage = stream_pb2.Usage(model="m", tokens_in=tokens, tokens_cached=1, tokens_out=2)
        return stream_pb2.RunnerMessage(number=number, attempt=self.attempt, usage=usage)

    @asynccontextmanager
    async def streaming(self, **options: Any) -> AsyncIterator["Talk"]:
        """Open the stream and say hello."""
        call = self.stub.Stream(**(self.options() | options))
        talk = Talk(self, call)
        await call.write(stream_pb2.RunnerMessage(attempt=self.attempt, hello=stream_pb2.Hello()))
        try:
            yield talk
        finally:
            call.cancel()


class Talk:
    """One open stream."""

    def __init__(self, caller: Caller, call: Any) -> None:
        self.caller = caller
        self.call = call

    async def send(self, *messages: stream_pb2.RunnerMessage) -> None:
        """Send messages."""
        for message in messages:
            await self.call.write(message)

    async def acknowledged(self, number: int) -> None:
        """Read until ``number`` is acknowledged."""
        while True:
            answer = await self.call.read()
            assert answer is not grpc.aio.EOF, await self.call.code()
            if answer.WhichOneof("body") == "ack" and answer.ack.number >= number:
                return

    async def told(self, what: str) -> stream_pb2.PlatformMessage:
        """Read until the platform says ``what``."""
        while True:
            answer: Any = await self.call.read()
            assert answer is not grpc.aio.EOF, await self.call.code()
            message: stream_pb2.PlatformMessage = answer
            if message.WhichOneof("body") == what:
                return message

    async def done(self) -> None:
        """End our side and wait for the platform's."""
        await self.call.done_writing()
        while await self.call.read() is not grpc.aio.EOF:
            continue


@asynccontextmanager
async def open_door(
    world: World, wakes: Wakes | None = None, *, sealer: Sealer | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """Serve the runner's door on a free loopback port and connect to it."""
    door = RunnerDoor(
        db=world.db,
        clock=world.clock,
        tokens=AttemptTokens(factories.KEYRING, issuer="stagewright/test"),
        git=world.git,
        sealer=sealer or factories.a_sealer("sessions"),
        redactor=world.redactor,
        wakes=wakes or Wakes(),
    )

    def register(server: grpc.aio.Server) -> None:
        runner_pb2_grpc.add_RunnerServiceServicer_to_server(door, server)

    async with AsyncExitStack() as stack:
        bound = await stack.enter_async_context(serving_rpc(register, Listen("127.0.0.1", 0), interceptors=[Guard()]))
        yield await stack.enter_async_context(grpc.aio.insecure_channel(f"{bound.host}:{bound.port}"))


def caller_of(world: World, channel: grpc.aio.Channel, run: Run) -> Caller:
    """Return a caller with the newest workload's tokens."""
    spec = [spec for spec in world.workloads.launches if spec.run_id == run.id][-1]
    return Caller(channel, spec)


def code_of(error: grpc.aio.AioRpcError) -> str:
    """Return our code from a refused call's trailers."""
    return str(dict(error.trailing_metadata() or ()).get("stagewright-code"))
