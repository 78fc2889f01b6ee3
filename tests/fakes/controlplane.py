"""A control plane for runner tests: the real RunnerService over loopback gRPC, its state in memory, restartable."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio

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

ATTEMPT_ID = "01890000-0000-7000-8000-000000000001"
CHUNK = 1024 * 1024
Judge = Callable[[int, str, bytes], result_pb2.ResultChecked | None]


def accept(proposal_no: int, report: str, bundle: bytes) -> result_pb2.ResultChecked | None:
    """Take every result."""
    return result_pb2.ResultChecked(proposal_no=proposal_no, accepted=True)


class FakeControlPlane(runner_pb2_grpc.RunnerServiceServicer):
    """What the platform remembers of one attempt, and hands to disturb it."""

    def __init__(self, assignment: assignment_pb2.Assignment, source: bytes = b"", *, run_token: str = "run") -> None:
        self.assignment = assignment
        self.source = source
        self.run_token = run_token
        self.judge: Judge = accept
        self.refuse_all = ""
        self.refuse: dict[str, str] = {}
        self.source_cuts: list[int] = []
        self.spoil_source_once = False
        self.chunk = CHUNK
        self.sessions: dict[str, tuple[session_pb2.SessionHeader, bytes, bytes]] = {}
        self.saved: list[session_pb2.SessionHeader] = []
        self.events: list[tuple[str, str]] = []
        self.logs: dict[str, bytes] = defaultdict(bytes)
        self.log_chunks: list[stream_pb2.LogChunk] = []
        self.usage: list[stream_pb2.Usage] = []
        self.heartbeats: list[stream_pb2.Heartbeat] = []
        self.numbers: list[int] = []
        self.duplicates = 0
        self.hellos: list[int] = []
        self.proposals: list[tuple[result_pb2.ProposeResultHeader, bytes]] = []
        self.outcomes: list[outcome_pb2.ReportOutcomeRequest] = []
        self.problems: list[outcome_pb2.ReportProblemRequest] = []
        self.source_offsets: list[int] = []
        self.calls: list[str] = []
        self.ack = True
        self.slow_stream = 0.0
        self.lose_number = 0
        self.port = 0
        self._verdicts: dict[int, result_pb2.ResultChecked] = {}
        self._orders: list[stream_pb2.PlatformMessage] = []
        self._outgoing: list[asyncio.Queue[stream_pb2.PlatformMessage | None]] = []
        self._news = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, again on the same port after a stop."""
        self._server = grpc.aio.server(
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 5 * CHUNK)]
        )
        runner_pb2_grpc.add_RunnerServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        """Go away at once, cutting every call."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    def order(self, message: stream_pb2.PlatformMessage) -> None:
        """Tell the runner something, on this stream and on each later one."""
        self._orders.append(message)
        self._tell(message)

    def cut_streams(self) -> None:
        """End the open streams; the runner comes back."""
        for queue in self._outgoing:
            queue.put_nowait(None)

    async def until(self, true: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something came that makes ``true()`` hold."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    def kinds(self) -> list[str]:
        """Return the kinds of all events."""
        return [kind for kind, _ in self.events]

    async def GetAssignment(self, request: Any, context: Any) -> assignment_pb2.GetAssignmentReply:
        await self._admit("GetAssignment", request.attempt, context)
        return assignment_pb2.GetAssignmentReply(assignment=self.assignment)

    async def ReportProblem(self, request: Any, context: Any) -> outcome_pb2.ReportProblemReply:
        await self._admit("ReportProblem", request.attempt, context)
        self.problems.append(request)
        return outcome_pb2.ReportProblemReply()

    async def GetSource(self, request: Any, context: Any) -> AsyncIterator[source_pb2.SourceChunk]:
        await self._admit("GetSource", request.attempt, context)
        self.source_offsets.append(request.offset)
        digest = hashlib.sha256(self.source).hexdigest()
        spoil, self.spoil_source_once = self.spoil_source_once, False
        cut = self.source_cuts.pop(0) if self.source_cuts else -1
        for start in range(request.offset, max(len(self.source), request.offset + 1), self.chunk):
            if cut == 0:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            cut -= 1
            data = self.source[start : start + self.chunk]
            if spoil:
                data = bytes(len(data))
            yield source_pb2.SourceChunk(offset=start, data=data, total_bytes=len(self.source), sha256=digest)

    async def GetSession(self, request: Any, context: Any) -> AsyncIterator[session_pb2.SessionChunk]:
        await self._admit("GetSession", request.attempt, context)
        if request.session_id not in self.sessions:
            await self._fail(context, "not_found")
        header, archive, wip = self.sessions[request.session_id]
        yield session_pb2.SessionChunk(header=header)
        yield session_pb2.SessionChunk(archive=archive)
        yield session_pb2.SessionChunk(wip_bundle=wip)

    async def SaveSession(self, request_iterator: Any, context: Any) -> session_pb2.SaveSessionReply:
        header = session_pb2.SessionHeader()
        parts: dict[str, bytes] = defaultdict(bytes)
        async for part in request_iterator:
            kind = part.WhichOneof("part")
            if kind == "header":
                await self._admit("SaveSession", part.header.attempt, context)
                header = part.header.session
            else:
                parts[kind] += getattr(part, kind)
        assert hashlib.sha256(parts["archive"]).hexdigest() == header.archive_sha256
        assert (len(parts["archive"]), len(parts["wip_bundle"])) == (header.archive_bytes, header.wip_bytes)
        session_id = f"session-{len(self.saved) + 1}"
        self.saved.append(header)
        self.sessions[session_id] = (header, parts["archive"], parts["wip_bundle"])
        self._news.set()
        return session_pb2.SaveSessionReply(session_id=session_id)

    async def ProposeResult(self, request_iterator: Any, context: Any) -> result_pb2.ProposeResultReply:
        header, bundle = result_pb2.ProposeResultHeader(), b""
        async for part in request_iterator:
            if part.WhichOneof("part") == "header":
                await self._admit("ProposeResult", part.header.attempt, context)
                header = part.header
            else:
                bundle += part.bundle
        assert len(bundle) == header.bundle_bytes
        self.proposals.append((header, bundle))
        verdict = self.judge(header.proposal_no, header.report, bundle)
        if verdict is not None:
            self._verdicts[header.proposal_no] = verdict
            self._tell(stream_pb2.PlatformMessage(result_checked=verdict))
        self._news.set()
        return result_pb2.ProposeResultReply(received=True)

    async def ReportOutcome(self, request: Any, context: Any) -> outcome_pb2.ReportOutcomeReply:
        await self._admit("ReportOutcome", request.attempt, context)
        if self.outcomes and self.outcomes[0] != request:
            await self._fail(context, "attempt_ended")
        self.outcomes.append(request)
        self._news.set()
        return outcome_pb2.ReportOutcomeReply(accepted=True)

    async def Stream(self, request_iterator: Any, context: Any) -> AsyncIterator[stream_pb2.PlatformMessage]:
        queue: asyncio.Queue[stream_pb2.PlatformMessage | None] = asyncio.Queue()
        hello = await anext(request_iterator)
        await self._admit("Stream", hello.attempt, context)
        assert hello.WhichOneof("body") == "hello"
        self.hellos.append(hello.hello.last_acked)
        self._outgoing.append(queue)
        queue.put_nowait(self._acknowledgement())
        for verdict in self._verdicts.values():
            queue.put_nowait(stream_pb2.PlatformMessage(result_checked=verdict))
        for message in self._orders:
            queue.put_nowait(message)
        taking = asyncio.create_task(self._take_all(request_iterator, queue))
        try:
            while (answer := await queue.get()) is not None:
                yield answer
        finally:
            taking.cancel()
            self._outgoing.remove(queue)

    async def _take_all(self, messages: Any, queue: "asyncio.Queue[stream_pb2.PlatformMessage | None]") -> None:
        async for message in messages:
            if self.slow_stream:
                await asyncio.sleep(self.slow_stream)
            if not self._take(message):
                break
            if self.ack:
                queue.put_nowait(self._acknowledgement())
        queue.put_nowait(None)

    def _take(self, message: stream_pb2.RunnerMessage) -> bool:
        """Keep a message; return False on a gap, as the platform ends such a stream."""
        last = self.numbers[-1] if self.numbers else 0
        if message.number <= last:
            self.duplicates += 1
            return True
        if message.number == self.lose_number:
            self.lose_number = 0
            return True
        if message.number != last + 1:
            return False
        self.numbers.append(message.number)
        match message.WhichOneof("body"):
            case "event":
                self.events.append((message.event.kind, message.event.body))
            case "log":
                self.log_chunks.append(message.log)
                self.logs[message.log.stream] += message.log.data
            case "usage":
                self.usage.append(message.usage)
            case "heartbeat":
                self.heartbeats.append(message.heartbeat)
        self._news.set()
        return True

    def _acknowledgement(self) -> stream_pb2.PlatformMessage:
        return stream_pb2.PlatformMessage(ack=stream_pb2.Ack(number=self.numbers[-1] if self.numbers else 0))

    def _tell(self, message: stream_pb2.PlatformMessage) -> None:
        for queue in self._outgoing:
            queue.put_nowait(message)

    async def _admit(self, call: str, attempt: common_pb2.Attempt, context: Any) -> None:
        """Check token and ids as the platform does; note the call."""
        self.calls.append(call)
        self._news.set()
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != f"Bearer {self.run_token}":
            await self._fail(context, "unauthenticated")
        if attempt.attempt_id != ATTEMPT_ID or attempt.generation != self.assignment.generation:
            await self._fail(context, "generation_stale")
        if code := self.refuse_all or self.refuse.get(call, ""):
            await self._fail(context, code)

    async def _fail(self, context: Any, code: str) -> None:
        context.set_trailing_metadata((("stagewright-code", code),))
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"refused by the test: {code}")
