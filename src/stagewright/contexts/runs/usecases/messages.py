"""What a runner sends: numbered messages, proposals. Old generations change nothing.

A message that cannot be taken is dropped and its number accepted: refusing it would bring it back for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import MessageInvalid, SequenceGap
from stagewright.contexts.runs.model import Attempt, AttemptId
from stagewright.contexts.runs.rules.bodies import clean, parse_object
from stagewright.contexts.runs.rules.folding import EVENTS_PER_SECOND, fold_bodies
from stagewright.contexts.runs.rules.result_checks import secret_fields, texts_of
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import checking, relay
from stagewright.contexts.runs.usecases.attempts import fence
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import canonical

MAX_PROPOSALS = 2
MAX_EVENT = 15 * 1024  # the journal takes 16 KiB
MOST = 2**53
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
class Unreadable:
    """A message that holds nothing the platform takes; ``reason`` says why."""

    reason: str


Body = LogPiece | RunnerFact | Beat | UsageRecord | Unreadable


@dataclass(frozen=True, slots=True)
class Message:
    """One numbered message of an attempt."""

    number: int
    body: Body


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message whose number was accepted and whose content was not."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch. ``events``: how many events and usage records it had, folded ones too."""

    accepted: int
    events: int
    dropped: Sequence[Dropped]


async def take_messages(
    tx: Tx,
    attempt_id: AttemptId,
    messages: Sequence[Message],
    *,
    now: datetime,
    singly: int = EVENTS_PER_SECOND,
    redact: Callable[[str], str] = str,
) -> Taken:
    """Take a batch. Duplicates are dropped, a gap raises ``SequenceGap``.

    The first ``singly`` events are kept one by one; of the others one of each kind speaks for all.
    """
    attempt = await attempt_rows.lock(tx, attempt_id)
    run = await run_rows.get(tx, attempt.run_id)
    fence(run, attempt)
    accepted = attempt.last_message_no
    batch = _Batch(singly, redact)
    for message in messages:
        if message.number <= accepted:
            continue
        if message.number != accepted + 1:
            raise SequenceGap(f"message {accepted + 1} is missing; send again from there", expected=accepted + 1)
        accepted = message.number
        batch.take(message)
    if batch.pieces:
        await log_rows.append(tx, attempt_id, batch.pieces)
    for kind, body in batch.facts:
        tx.publish(events.RUNNER_EVENTS[kind](run=run, extra={**body, "v": 1, "attempt": str(attempt_id)}))
    await _keep_usage(tx, attempt, batch.usage, now=now)
    await attempt_rows.set_message_no(tx, attempt_id, accepted)
    await attempt_rows.touch(tx, attempt_id, now=now, event=batch.engine_did_something)
    return Taken(accepted, batch.events, batch.dropped)


@dataclass(slots=True)
class _Batch:
    """What a batch of messages brings, sorted by where it goes."""

    singly: int
    redact: Callable[[str], str]
    pieces: list[tuple[str, datetime, bytes]] = field(default_factory=list)
    facts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    usage: list[UsageRecord] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    events: int = 0
    engine_did_something: bool = False
    _folds: dict[str, int] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Sort one message in, or note why it is dropped. What the runner says of itself is no act of the engine."""
        try:
            self.engine_did_something |= self._sort(message.body)
        except MessageInvalid as error:
            self.dropped.append(Dropped(message.number, self.redact(error.message)))

    def _sort(self, body: Body) -> bool:
        match body:
            case LogPiece(stream=stream, at=at, data=data):
                if stream not in RUNNER_STREAMS:
                    raise MessageInvalid(f"log stream {stream[:40]!r} is not one of {', '.join(RUNNER_STREAMS)}")
                self.pieces.append((stream, at, data))
                return stream == "engine"
            case RunnerFact(kind=kind, body=text):
                self._fact(kind, _fact_body(kind, text, self.redact))
            case UsageRecord():
                self._usage(body)
            case Beat():
                return False
            case Unreadable(reason=reason):
                raise MessageInvalid(reason)
        return True

    def _fact(self, kind: str, body: dict[str, Any]) -> None:
        self.events += 1
        if self.events <= self.singly:
            self.facts.append((kind, body))
        elif (at := self._folds.get(kind)) is None:
            self._folds[kind] = len(self.facts)
            self.facts.append((kind, body))
        else:
            folded = fold_bodies(self.facts[at][1], body)
            self.facts[at] = (kind, folded if _fits(folded) else body)

    def _usage(self, record: UsageRecord) -> None:
        self.events += 1
        if self.events <= self.singly or not self.usage:
            self.usage.append(record)
        else:
            self.usage[-1] = _sum(self.usage[-1], record)


def _fact_body(kind: str, text: str, redact: Callable[[str], str]) -> dict[str, Any]:
    if kind not in events.RUNNER_EVENTS:
        allowed = ", ".join(sorted(events.RUNNER_EVENTS))
        raise MessageInvalid(f"event {kind[:60]!r} is none a runner may send; allowed: {allowed}")
    body: dict[str, Any] = checking.redacted(parse_object(text, f"the body of {kind}"), redact)
    if not _fits(body):
        raise MessageInvalid(f"the body of {kind} is larger than 15 KiB; shorten it", code="too_large")
    return body


def _fits(body: Mapping[str, Any]) -> bool:
    return len(canonical(body)) <= MAX_EVENT


def _sum(one: UsageRecord, other: UsageRecord) -> UsageRecord:
    return UsageRecord(
        other.model,
        one.tokens_in + other.tokens_in,
        one.tokens_cached + other.tokens_cached,
        one.tokens_out + other.tokens_out,
    )


async def _keep_usage(tx: Tx, attempt: Attempt, records: Sequence[UsageRecord], *, now: datetime) -> None:
    """Keep what the engine says its calls used, unless the relay counted them already."""
    if not records or await relay.is_metered(tx, attempt.id):
        return
    for record in records:
        await result_rows.add_usage(
            tx,
            attempt.id,
            model=clean(record.model, 200),
            tokens_in=min(record.tokens_in, MOST),
            tokens_cached=min(record.tokens_cached, MOST),
            tokens_out=min(record.tokens_out, MOST),
            source="engine",
            now=now,
        )


def _secret_fields(report: Mapping[str, Any], redact: Callable[[str], str]) -> list[dict[str, Any]]:
    places = [pointer for pointer, text in texts_of(report) if redact(text) != text]
    if not places:
        return []
    return [checking.violation_json(secret_fields(places))]


async def _check_turn(tx: Tx, attempt_id: AttemptId, proposal_no: int) -> None:
    """A further proposal repairs the one before it, so that one was sent back."""
    if proposal_no == 1 or await result_rows.find(tx, attempt_id, proposal_no) is not None:
        return
    before = await result_rows.find(tx, attempt_id, proposal_no - 1)
    if before is None or before.verdict != "repair":
        raise MessageInvalid(f"proposal_no: {proposal_no} is taken once proposal {proposal_no - 1} was sent back")


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
    await _check_turn(tx, attempt_id, proposal_no)
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
