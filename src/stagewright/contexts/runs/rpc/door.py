"""The runner's service: identity comes from the token only; every request repeats the attempt it speaks for."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.agents import api as agents
from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import AssignmentPending, MessageInvalid, NotOfThisAttempt, SourceUnavailable
from stagewright.contexts.runs.model import Attempt, AttemptId, Run
from stagewright.contexts.runs.ports import GitStore
from stagewright.contexts.runs.rpc import parts
from stagewright.contexts.runs.rpc.limits import Allowance, Slots, heard_out
from stagewright.contexts.runs.rpc.stream import Conversation, Wakes
from stagewright.contexts.runs.rpc.tokens import AttemptTokens
from stagewright.contexts.runs.rules.bodies import clean, parse_object
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.usecases import attempts, checking, messages, sessions
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import KeyUnknown, Sealer, TokenInvalid
from stagewright.kit.db import Database, Reader
from stagewright.kit.errors import Unauthenticated
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
CODE = re.compile(r"[a-z][a-z0-9_.]{0,79}")
HELLO_SECONDS = 30.0
TRANSFERS = 4  # of one attempt at once: each holds up to 96 MiB
LONGEST_WAIT = timedelta(hours=24)
SOON = timedelta(seconds=1)
A_MINUTE = 60


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
        self._transfers = Slots(TRANSFERS)
        self._sessions = Allowance(A_MINUTE)
        self._problems = Allowance(A_MINUTE)
        self._streams: dict[AttemptId, Conversation] = {}

    async def _caller(self, context: parts.Context, claimed: common_pb2.Attempt) -> Caller:
        caller = await self._bearer(context)
        await self._check_claimed(caller, claimed)
        return caller

    async def _bearer(self, context: parts.Context) -> Caller:
        """Return whose token was presented: before anything of an upload is taken."""
        async with self._db.reading() as reader:
            return Caller(*await self._verified(reader, parts.bearer(context)))

    async def _verified(self, reader: Reader, token: str | None) -> tuple[Run, Attempt]:
        try:
            if token is None:
                raise TokenInvalid("the token is not valid here")
            return await self._tokens.verify(reader, "run", token, now=self._clock.now())
        except TokenInvalid as error:
            raise Unauthenticated(error.message) from error  # the protocol's word for it

    async def _check_claimed(self, caller: Caller, claimed: common_pb2.Attempt) -> None:
        if (claimed.attempt_id, claimed.generation) != (str(caller.attempt.id), caller.attempt.generation):
            await self._misused(caller.run, claimed)
            raise NotOfThisAttempt("the token belongs to another attempt")

    async def _misused(self, run: Run, claimed: common_pb2.Attempt, **other: str) -> None:
        told = {"claimed": claimed.attempt_id, "generation": str(claimed.generation), **other}
        await self._report(
            run,
            "error",
            "attempt_token_misused",
            "a workload asked for what is not its own",
            {key: self._redactor(text)[:64] for key, text in told.items()},
        )

    async def _report(self, run: Run, level: str, code: str, message: str, details: dict[str, str]) -> None:
        async with self._db.transaction(Actor("run", str(run.id)), correlation_id=run.correlation_id) as tx:
            await incidents.report(
                tx,
                level=level,
                source="runs.rpc",
                code=code,
                message=message,
                details=details,
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
            version = self._redactor(clean(request.runner_version, 100))
            await attempts.register(tx, caller.attempt, runner_version=version, now=self._clock.now())
            raw = await attempt_rows.get_assignment(tx, caller.attempt.id)
            if raw is None:  # and the attempt is not live without one
                raise AssignmentPending("the attempt has no assignment yet; ask again", retry_after=SOON)
        return assignment_pb2.GetAssignmentReply(assignment=assignment_pb2.Assignment.FromString(raw))

    async def ReportProblem(
        self, request: outcome_pb2.ReportProblemRequest, context: parts.Context
    ) -> outcome_pb2.ReportProblemReply:
        """Turn a runner's problem into an incident."""
        caller = await self._caller(context, request.attempt)
        attempts.fence(caller.run, caller.attempt)
        self._problems.take(caller.attempt.id, self._clock.now())
        if request.level not in LEVELS:
            raise MessageInvalid(f"level {request.level[:20]!r} is none of {', '.join(sorted(LEVELS))}")
        details = checking.redacted(parse_object(request.details, "details"), self._redactor)
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await incidents.report(
                tx,
                level=request.level,
                source="runner",
                code=request.code if CODE.fullmatch(request.code) else "runner_problem",
                message=self._redactor(clean(request.text, TEXT)),
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
        async with self._transfers.held(caller.attempt.id):
            stored = await self._open_session(caller.run, wanted)
            wip = stored.wip_bundle if caller.run.world.restore_wip else None
            yield session_pb2.SessionChunk(header=parts.session_header(stored, wip))
            for piece in parts.pieces(stored.archive):
                yield session_pb2.SessionChunk(archive=piece)
            for piece in parts.pieces(wip or b""):
                yield session_pb2.SessionChunk(wip_bundle=piece)

    async def _open_session(self, run: Run, session_id: UUID) -> agents.StoredSession:
        """A key that this process does not have is the platform's fault: people are told, the runner asks again."""
        try:
            async with self._db.reading() as reader:
                return await agents.open_session(reader, session_id, sealer=self._sealer)
        except KeyUnknown as error:
            await self._report(
                run, "critical", "session.key_missing", error.message, {"session": str(session_id), "run": str(run.id)}
            )
            raise

    async def SaveSession(
        self, request_iterator: AsyncIterator[session_pb2.SaveSessionPart], context: parts.Context
    ) -> session_pb2.SaveSessionReply:
        """Keep a session of the attempt, sealed."""
        caller = await self._bearer(context)
        async with heard_out(aiter(request_iterator)), self._transfers.held(caller.attempt.id):
            attempts.fence(caller.run, caller.attempt)
            self._sessions.take(caller.attempt.id, self._clock.now())
            header = await parts.session_head(request_iterator)
            await self._check_claimed(caller, header.attempt)
            upload = await parts.read_session(header, request_iterator)
            draft = parts.session_draft(upload, caller.run, caller.attempt, redact=self._redactor)
            async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
                saved = await sessions.save(tx, draft, sealer=self._sealer, clock=self._clock)
        return session_pb2.SaveSessionReply(session_id=str(saved.id))

    async def ProposeResult(
        self, request_iterator: AsyncIterator[result_pb2.ProposeResultPart], context: parts.Context
    ) -> result_pb2.ProposeResultReply:
        """Keep a proposal; the worker checks it and the verdict comes on the stream."""
        caller = await self._bearer(context)
        async with heard_out(aiter(request_iterator)), self._transfers.held(caller.attempt.id):
            attempts.fence(caller.run, caller.attempt)
            header = await parts.proposal_head(request_iterator)
            await self._check_claimed(caller, header.attempt)
            report = parse_object(header.report, "the report")
            bundle = await parts.read_bundle(header, request_iterator)
            async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
                await messages.keep_proposal(
                    tx,
                    caller.attempt.id,
                    proposal_no=header.proposal_no,
                    report=report,
                    bundle=bundle or None,
                    bundle_sha256=hashlib.sha256(bundle).digest() if bundle else None,
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
            code=self._redactor(clean(request.code, 80)) or None,
            detail=self._redactor(clean(request.detail, TEXT)) or None,
            tokens_in=min(request.tokens_in, messages.MOST),
            tokens_cached=min(request.tokens_cached, messages.MOST),
            tokens_out=min(request.tokens_out, messages.MOST),
            resume_at=_moment(request.resume_at, self._clock.now()),
        )
        async with self._db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await attempts.report_outcome(tx, caller.attempt.id, outcome, now=self._clock.now())
        self._db.ring()
        return outcome_pb2.ReportOutcomeReply(accepted=True)

    async def Stream(
        self, request_iterator: AsyncIterator[stream_pb2.RunnerMessage], context: parts.Context
    ) -> AsyncIterator[stream_pb2.PlatformMessage]:
        """Take numbered messages; tell stops, verdicts and opened waits."""
        caller = await self._bearer(context)
        async with asyncio.timeout(HELLO_SECONDS):
            first = await anext(aiter(request_iterator), None)
        if first is None or first.WhichOneof("body") != "hello":
            raise MessageInvalid("a stream begins with hello")
        await self._check_claimed(caller, first.attempt)
        attempts.fence(caller.run, caller.attempt)
        conversation = self._conversation(caller, parts.bearer(context))
        attempt_id = caller.attempt.id
        earlier, self._streams[attempt_id] = self._streams.get(attempt_id), conversation
        try:
            if earlier is not None:
                await earlier.leave()
            with self._wakes.subscribed() as wake:
                async with contextlib.aclosing(conversation.converse(request_iterator, wake)) as told:
                    async for message in told:
                        yield message
        except NotOfThisAttempt as error:
            await self._misused(caller.run, first.attempt, message=error.message)
            raise
        finally:
            conversation.over.set()
            if self._streams.get(attempt_id) is conversation:
                del self._streams[attempt_id]

    def _conversation(self, caller: Caller, token: str | None) -> Conversation:
        async def verify(reader: Reader) -> tuple[Run, Attempt]:
            return await self._verified(reader, token)

        return Conversation(
            db=self._db,
            clock=self._clock,
            redactor=self._redactor,
            run=caller.run,
            attempt_id=caller.attempt.id,
            generation=caller.attempt.generation,
            actor=caller.actor,
            verify=verify,
        )


def _moment(text: str, now: datetime) -> datetime | None:
    """Return a time to go on at: not in the past, and within the longest wait for a limit."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageInvalid("resume_at is no RFC 3339 time") from error
    if value.tzinfo is None:
        raise MessageInvalid("resume_at has no time zone")
    return min(max(value, now), now + LONGEST_WAIT)
