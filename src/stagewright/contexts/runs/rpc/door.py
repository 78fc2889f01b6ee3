"""The runner's service: identity comes from the token only; every request repeats the attempt it speaks for."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from stagewright.contexts.agents import api as agents
from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import MessageInvalid, NotOfThisAttempt, SourceUnavailable
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.ports import GitStore
from stagewright.contexts.runs.rpc import parts
from stagewright.contexts.runs.rpc.stream import Conversation, Wakes
from stagewright.contexts.runs.rpc.tokens import AttemptTokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.usecases import attempts, messages
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Sealer, TokenInvalid
from stagewright.kit.db import Database
from stagewright.kit.errors import Conflict
from stagewright.kit.journal import Actor
from stagewright.kit.redact import Redactor
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

OUTCOMES = frozenset(
    {"completed", "parked", "rate_limited", "budget", "agent_failed", "precondition_failed", "interrupted"}
)
TEXT = 8_000
LEVELS = frozenset({"critical", "error", "warning"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token was presented."""

    run: Run
    attempt: Attempt

    @property
    def actor(self) -> Actor:
        """Return the run as the actor of what its workload causes."""
        return Actor("run", str(self.run.id))


class RunnerDoor(runner_pb2_grpc.RunnerServiceServicer):
    """Implements ``RunnerService`` over the use-cases."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        tokens: AttemptTokens,
        git: GitStore,
        sealer: Sealer,
        redactor: Redactor,
        wakes: Wakes,
    ) -> None:
        self._db = db
        self._clock = clock
        self._tokens = tokens
        self._git = git
        self._sealer = sealer
        self._redactor = redactor
        self._wakes = wakes

    async def _caller(self, context: parts.Context, claimed: common_pb2.Attempt) -> Caller:
        token = parts.bearer(context)
        if token is None:
            raise TokenInvalid("the token is not valid here")
        async with self._db.reading() as reader:
            run, attempt = await self._tokens.verify(reader, "run", token, now=self._clock.now())
        if (claimed.attempt_id, claimed.generation) != (str(attempt.id), attempt.generation):
            await self._misused(run, claimed)
            raise NotOfThisAttempt("the token belongs to another attempt")
        return Caller(run, attempt)

    async def _misused(self, run: Run, claimed: common_pb2.Attempt, **other: str) -> None:
        async with self._db.transaction(Actor("run", str(run.id)), correlation_id=run.correlation_id) as tx:
            await incidents.report(
                tx,
                level="error",
                source="runs.rpc",
                code="attempt_token_misused",
                message="a workload asked for what is not its own",
                details={"claimed": claimed.attempt_id[:64]} | {key: text[:64] for key, text in other.items()},
                project_id=run.project_id,
                run_id=run.id,
                now=self._clock.now(),
            )

    async def GetAssignment(
        self, request: assignment_pb2.GetAssignmentRequest, context: parts.Context
    ) -> assignment_pb2.GetAssignmentReply:
        """Make the attempt live and answer what it has to do; equal bytes for every repetition."""
        caller = await self._caller(context, request.attempt)
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            version = messages.clean(request.runner_version, 100)
            await attempts.register(tx, caller.attempt, runner_version=version, now=self._clock.now())
            raw = await attempt_rows.get_assignment(tx, caller.attempt.id)
        if raw is None:
            raise Conflict("the attempt has no assignment yet; ask again", code="attempt.no_assignment")
        return assignment_pb2.GetAssignmentReply(assignment=assignment_pb2.Assignment.FromString(raw))

    async def ReportProblem(
        self, request: outcome_pb2.ReportProblemRequest, context: parts.Context
    ) -> outcome_pb2.ReportProblemReply:
        """Turn a runner's problem into an incident."""
        caller = await self._caller(context, request.attempt)
        attempts.fence(caller.run, caller.attempt)
        if request.level not in LEVELS:
            raise MessageInvalid(f"level {request.level[:20]!r} is none of {', '.join(sorted(LEVELS))}")
        details = messages.parse_object(request.details, "details")
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await incidents.report(
                tx,
                level=request.level,
                source="runner",
                code=messages.clean(request.code, 80) or "runner_problem",
                message=self._redactor(messages.clean(request.text, TEXT)),
                details=details,
                project_id=caller.run.project_id,
                run_id=caller.run.id,
                now=self._clock.now(),
            )
        return outcome_pb2.ReportProblemReply()

    async def GetSource(
        self, request: source_pb2.GetSourceRequest, context: parts.Context
    ) -> AsyncIterator[source_pb2.SourceChunk]:
        """Stream the source bundle from an offset."""
        caller = await self._caller(context, request.attempt)
        attempts.fence(caller.run, caller.attempt)
        repository = await self._repository(caller.run)
        if caller.run.base_sha is None:
            raise SourceUnavailable("the run has no base commit yet")
        refs = parts.source_refs(caller.run)
        size, sha256 = await self._git.make_source(repository, base_sha=caller.run.base_sha, refs=refs)
        offset = request.offset
        async for data in self._git.read_source(
            repository, base_sha=caller.run.base_sha, refs=refs, offset=request.offset
        ):
            yield source_pb2.SourceChunk(offset=offset, data=data, total_bytes=size, sha256=sha256)
            offset += len(data)
        if offset == request.offset:
            yield source_pb2.SourceChunk(offset=offset, data=b"", total_bytes=size, sha256=sha256)

    async def _repository(self, run: Run) -> Repository:
        async with self._db.reading() as reader:
            return await get_repository(reader, run.repository_id)

    async def GetSession(
        self, request: session_pb2.GetSessionRequest, context: parts.Context
    ) -> AsyncIterator[session_pb2.SessionChunk]:
        """Stream the session the assignment names, and no other."""
        caller = await self._caller(context, request.attempt)
        attempts.fence(caller.run, caller.attempt)
        wanted = caller.attempt.restored_session_id
        if wanted is None or request.session_id != str(wanted):
            await self._misused(caller.run, request.attempt, session=request.session_id)
            raise NotOfThisAttempt("the session is not this attempt's")
        async with self._db.reading() as reader:
            stored = await agents.open_session(reader, wanted, sealer=self._sealer)
        wip = stored.wip_bundle if caller.run.world.restore_wip else None
        yield session_pb2.SessionChunk(header=parts.session_header(stored, wip))
        for piece in parts.pieces(stored.archive):
            yield session_pb2.SessionChunk(archive=piece)
        for piece in parts.pieces(wip or b""):
            yield session_pb2.SessionChunk(wip_bundle=piece)

    async def SaveSession(
        self, request_iterator: AsyncIterator[session_pb2.SaveSessionPart], context: parts.Context
    ) -> session_pb2.SaveSessionReply:
        """Keep a session of the attempt, sealed."""
        upload = await parts.read_session(request_iterator)
        caller = await self._caller(context, upload.header.attempt)
        attempts.fence(caller.run, caller.attempt)
        draft = parts.session_draft(upload, caller.run, caller.attempt)
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            saved = await agents.save_session(tx, draft, sealer=self._sealer, clock=self._clock)
        return session_pb2.SaveSessionReply(session_id=str(saved.id))

    async def ProposeResult(
        self, request_iterator: AsyncIterator[result_pb2.ProposeResultPart], context: parts.Context
    ) -> result_pb2.ProposeResultReply:
        """Keep a proposal; the worker checks it and the verdict comes on the stream."""
        upload = await parts.read_proposal(request_iterator)
        caller = await self._caller(context, upload.header.attempt)
        report = messages.parse_object(upload.header.report, "the report")
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await messages.keep_proposal(
                tx,
                caller.attempt.id,
                proposal_no=upload.header.proposal_no,
                report=report,
                bundle=upload.bundle or None,
                bundle_sha256=hashlib.sha256(upload.bundle).digest() if upload.bundle else None,
                now=self._clock.now(),
                redact=self._redactor,
            )
        return result_pb2.ProposeResultReply(received=True)

    async def ReportOutcome(
        self, request: outcome_pb2.ReportOutcomeRequest, context: parts.Context
    ) -> outcome_pb2.ReportOutcomeReply:
        """Keep how the attempt ended."""
        caller = await self._caller(context, request.attempt)
        if request.outcome not in OUTCOMES:
            raise MessageInvalid(f"outcome {request.outcome[:40]!r} is none of {', '.join(sorted(OUTCOMES))}")
        outcome = attempts.Outcome(
            outcome=request.outcome,
            code=messages.clean(request.code, 80) or None,
            detail=self._redactor(messages.clean(request.detail, TEXT)) or None,
            tokens_in=min(request.tokens_in, messages.MOST),
            tokens_cached=min(request.tokens_cached, messages.MOST),
            tokens_out=min(request.tokens_out, messages.MOST),
            resume_at=_moment(request.resume_at),
        )
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await attempts.report_outcome(tx, caller.attempt.id, outcome, now=self._clock.now())
        self._db.ring()
        return outcome_pb2.ReportOutcomeReply(accepted=True)

    async def Stream(
        self, request_iterator: AsyncIterator[stream_pb2.RunnerMessage], context: parts.Context
    ) -> AsyncIterator[stream_pb2.PlatformMessage]:
        """Take numbered messages; tell stops, verdicts and opened waits."""
        first = await anext(aiter(request_iterator), None)
        if first is None or first.WhichOneof("body") != "hello":
            raise MessageInvalid("a stream begins with hello")
        caller = await self._caller(context, first.attempt)
        attempts.fence(caller.run, caller.attempt)
        conversation = Conversation(
            db=self._db,
            clock=self._clock,
            redactor=self._redactor,
            run_id=caller.run.id,
            attempt_id=caller.attempt.id,
            generation=caller.attempt.generation,
            actor=caller.actor,
            correlation_id=caller.run.correlation_id,
            accepted=caller.attempt.last_message_no,
        )
        with self._wakes.subscribed() as wake:
            async for message in conversation.converse(request_iterator, wake):
                yield message


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageInvalid("resume_at is no RFC 3339 time") from error
    if value.tzinfo is None:
        raise MessageInvalid("resume_at has no time zone")
    return value
