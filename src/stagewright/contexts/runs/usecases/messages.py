"""What a runner sends: numbered messages, proposals. Old generations change nothing."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import MessageInvalid, SequenceGap
from stagewright.contexts.runs.model import Attempt, AttemptId, Run
from stagewright.contexts.runs.rules.result_checks import secret_fields, texts_of
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import checking, relay
from stagewright.contexts.runs.usecases.attempts import fence
from stagewright.kit.db import Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import canonical

MAX_PROPOSALS = 2
MAX_EVENT = 15 * 1024  # the journal takes 16 KiB
MOST = 2**53
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
RUNNER_STREAMS = ("engine", "runner")


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Bytes of one log stream."""

    stream: str
    at: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class RunnerFact:
    """An event of the runner's allow-list."""

    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life."""

    engine_alive: bool


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What one model call used, as the engine says."""

    model: str
    tokens_in: int
    tokens_cached: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Message:
    """One numbered message of an attempt."""

    number: int
    body: LogPiece | RunnerFact | Beat | UsageRecord


async def take_messages(tx: Tx, attempt_id: AttemptId, messages: Sequence[Message], *, now: datetime) -> int:
    """Take a batch; return the highest number accepted. Duplicates are dropped, a gap raises ``SequenceGap``."""
    attempt = await attempt_rows.lock(tx, attempt_id)
    run = await run_rows.get(tx, attempt.run_id)
    fence(run, attempt)
    accepted = attempt.last_message_no
    pieces: list[tuple[str, datetime, bytes]] = []
    engine_did_something = False
    for message in messages:
        if message.number <= accepted:
            continue
        if message.number != accepted + 1:
            raise SequenceGap(f"message {accepted + 1} is missing; send again from there", expected=accepted + 1)
        accepted = message.number
        engine_did_something |= _is_of_engine(message.body)
        await _take(tx, run, attempt, message.body, pieces, now=now)
    if pieces:
        await log_rows.append(tx, attempt_id, pieces)
    await attempt_rows.set_message_no(tx, attempt_id, accepted)
    await attempt_rows.touch(tx, attempt_id, now=now, event=engine_did_something)
    return accepted


def _is_of_engine(body: LogPiece | RunnerFact | Beat | UsageRecord) -> bool:
    """Say whether the engine did something: what the runner says of itself does not count against a stall."""
    return not isinstance(body, Beat) and not (isinstance(body, LogPiece) and body.stream != "engine")


async def _take(
    tx: Tx,
    run: Run,
    attempt: Attempt,
    body: LogPiece | RunnerFact | Beat | UsageRecord,
    pieces: list[tuple[str, datetime, bytes]],
    *,
    now: datetime,
) -> None:
    match body:
        case LogPiece(stream=stream, at=at, data=data):
            if stream not in RUNNER_STREAMS:
                raise MessageInvalid(f"log stream {stream[:40]!r} is not one of {', '.join(RUNNER_STREAMS)}")
            pieces.append((stream, at, data))
        case RunnerFact(kind=kind, body=text):
            tx.publish(_fact(run, attempt, kind, text))
        case UsageRecord() if await relay.is_metered(tx, attempt.id):
            return  # the relay counted these calls already
        case UsageRecord():
            await result_rows.add_usage(
                tx,
                attempt.id,
                model=clean(body.model, 200),
                tokens_in=min(body.tokens_in, MOST),
                tokens_cached=min(body.tokens_cached, MOST),
                tokens_out=min(body.tokens_out, MOST),
                source="engine",
                now=now,
            )
        case Beat():
            return


def _fact(run: Run, attempt: Attempt, kind: str, text: str) -> events.RunFact:
    event = events.RUNNER_EVENTS.get(kind)
    if event is None:
        allowed = ", ".join(sorted(events.RUNNER_EVENTS))
        raise MessageInvalid(f"event {kind[:60]!r} is none a runner may send; allowed: {allowed}")
    body = parse_object(text, f"the body of {kind}") | {"v": 1, "attempt": str(attempt.id)}
    if len(canonical(body)) > MAX_EVENT:
        raise MessageInvalid(f"the body of {kind} is larger than 15 KiB; shorten it", code="too_large")
    return event(run=run, extra=body)


def clean(text: str, limit: int) -> str:
    """Return what a column can hold of a runner's ``text``."""
    return UNSTORABLE.sub("", text)[:limit]


def parse_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object without floats and without characters no row can hold, or say what is wrong with it."""
    try:
        value = json.loads(text or "{}", parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        problem = FieldProblem("/", "json", f"line {error.lineno}, column {error.colno}: {error.msg}")
        raise MessageInvalid(f"{what} is not JSON: {error.msg}", problems=(problem,)) from error
    except (RecursionError, ValueError) as error:
        raise MessageInvalid(f"{what} is nested too deeply or holds too large a number; simplify it") from error
    if not isinstance(value, dict):
        raise MessageInvalid(f"{what} must be a JSON object")
    for pointer, part in texts_of(value):
        if UNSTORABLE.search(part):
            problem = FieldProblem(
                pointer.encode(errors="replace").decode(), "text", "leave out NUL and lone surrogates"
            )
            raise MessageInvalid(f"{what} has a character that no text may hold", problems=(problem,))
    return value


def _secret_fields(report: Mapping[str, Any], redact: Callable[[str], str]) -> list[dict[str, Any]]:
    places = [pointer for pointer, text in texts_of(report) if redact(text) != text]
    if not places:
        return []
    return [checking.violation_json(secret_fields(places))]


async def keep_proposal(
    tx: Tx,
    attempt_id: AttemptId,
    *,
    proposal_no: int,
    report: Mapping[str, Any],
    bundle: bytes | None,
    bundle_sha256: bytes | None,
    now: datetime,
    redact: Callable[[str], str] = str,
) -> None:
    """Keep what the attempt hands over; the worker checks it. Repeating the same number changes nothing.

    A report with secrets is kept without them; that it had some is its first violation.
    """
    attempt = await attempt_rows.lock(tx, attempt_id)
    run = await run_rows.get(tx, attempt.run_id)
    fence(run, attempt)
    if not 1 <= proposal_no <= MAX_PROPOSALS:
        raise MessageInvalid(f"an attempt hands over at most {MAX_PROPOSALS} proposals")
    kept = await result_rows.insert(
        tx,
        proposal_id=uuid7(),
        attempt_id=attempt_id,
        proposal_no=proposal_no,
        report=checking.redacted(report, redact),
        violations=_secret_fields(report, redact),
        bundle=bundle,
        bundle_sha256=bundle_sha256,
        now=now,
    )
    if kept is None:
        return
    await attempt_rows.touch(tx, attempt_id, now=now, event=True)
    tx.publish(
        events.ResultProposed(
            run=run, extra={"attempt": str(attempt_id), "proposal_no": proposal_no, "bytes": len(bundle or b"")}
        )
    )
