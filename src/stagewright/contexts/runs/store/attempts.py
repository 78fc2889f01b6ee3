"""Rows of ``attempts`` and the worker instances."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs.errors import TransitionNotAllowed
from stagewright.contexts.runs.model import Attempt
from stagewright.kit.db import Reader, Tx, record
from stagewright.kit.errors import NotFound

to_attempt = record(Attempt)

INSERT = """
insert into attempts (id, run_id, generation, reason, status, workload_name, workload_kind, restored_session_id,
    deadline, reserved_at)
values (%(id)s, %(run_id)s, %(generation)s, %(reason)s, 'reserved', %(workload_name)s, %(workload_kind)s,
    %(restored_session_id)s, %(deadline)s, %(now)s)
returning *
"""
SAVE = """
update attempts set
    status = %(status)s, outcome = %(outcome)s, code = %(code)s, detail = %(detail)s,
    runner_version = %(runner_version)s, suspect_since = %(suspect_since)s, stop_reason = %(stop_reason)s,
    stop_requested_at = %(stop_requested_at)s, absent_since = %(absent_since)s, exited_at = %(exited_at)s,
    prompt_id = %(prompt_id)s, restored_session_id = %(restored_session_id)s, tokens_in = %(tokens_in)s,
    tokens_cached = %(tokens_cached)s, tokens_out = %(tokens_out)s, launched_at = %(launched_at)s,
    started_at = %(started_at)s, ended_at = %(ended_at)s, heartbeat_at = %(heartbeat_at)s
where id = %(id)s and status = %(was)s
returning *
"""
GET = "select * from attempts where id = %(id)s"
LOCK = "select * from attempts where id = %(id)s for no key update"
OPEN_OF = "select * from attempts where run_id = %(run_id)s and status <> 'ended'"
LOCK_OPEN_OF = "select * from attempts where run_id = %(run_id)s and status <> 'ended' for no key update"
NEWEST_OF = "select * from attempts where run_id = %(run_id)s order by generation desc limit 1"
LIST_OF = "select * from attempts where run_id = %(run_id)s order by generation"
LIST_OPEN = "select * from attempts where status <> 'ended' order by reserved_at"
SET_ASSIGNMENT = "update attempts set assignment = %(assignment)s where id = %(id)s"
GET_ASSIGNMENT = "select assignment from attempts where id = %(id)s"
HEARTBEAT = """
update attempts set heartbeat_at = %(now)s, suspect_since = null,
    last_event_at = case when %(event)s then %(now)s else last_event_at end
where id = %(id)s and status in ('live', 'draining')
"""
MESSAGE_NO = "update attempts set last_message_no = %(number)s where id = %(id)s"
RETRIES = """
select count(*) from attempts where run_id = %(run_id)s and reason = 'infrastructure_retry'
  and generation > coalesce((select max(generation) from attempts
      where run_id = %(run_id)s and outcome in ('completed', 'parked', 'rate_limited', 'budget')), 0)
"""
COUNT_REASON = "select count(*) from attempts where run_id = %(run_id)s and reason = %(reason)s"
WORKER_BEAT = """
insert into worker_instances (worker_id, started_at, heartbeat_at) values (%(worker)s, %(now)s, %(now)s)
on conflict (worker_id) do update set heartbeat_at = excluded.heartbeat_at, missed_at = null
"""
WORKERS_MISSED = """
update worker_instances set missed_at = %(now)s
where heartbeat_at < %(before)s and missed_at is null returning worker_id
"""
WORKERS_FORGOTTEN = "delete from worker_instances where heartbeat_at < %(before)s"
REVOKED = "select 1 from revoked_tokens where jti = %(jti)s"


async def insert(tx: Tx, values: dict[str, object]) -> Attempt:
    """Insert a reserved attempt."""
    attempt = await tx.find(to_attempt, INSERT, **values)
    assert attempt is not None
    return attempt


async def save(tx: Tx, attempt: Attempt, *, was: str) -> Attempt:
    """Write ``attempt`` if its status is still ``was``."""
    saved = await tx.find(to_attempt, SAVE, **asdict(attempt), was=was)
    if saved is None:
        raise TransitionNotAllowed(f"attempt {attempt.id} was moved by another meanwhile; look again")
    return saved


async def get(reader: Reader, attempt_id: UUID) -> Attempt:
    """Return the attempt, or raise ``NotFound``."""
    attempt = await reader.find(to_attempt, GET, id=attempt_id)
    if attempt is None:
        raise NotFound(f"there is no attempt {attempt_id}", code="attempt.not_found")
    return attempt


async def lock(tx: Tx, attempt_id: UUID) -> Attempt:
    """Return the attempt with its row locked until the transaction ends."""
    attempt = await tx.find(to_attempt, LOCK, id=attempt_id)
    if attempt is None:
        raise NotFound(f"there is no attempt {attempt_id}", code="attempt.not_found")
    return attempt


async def find_open(reader: Reader, run_id: UUID) -> Attempt | None:
    """Return the run's attempt that is not ended."""
    return await reader.find(to_attempt, OPEN_OF, run_id=run_id)


async def lock_open(tx: Tx, run_id: UUID) -> Attempt | None:
    """Return the run's attempt that is not ended, its row locked."""
    return await tx.find(to_attempt, LOCK_OPEN_OF, run_id=run_id)


async def find_newest(reader: Reader, run_id: UUID) -> Attempt | None:
    """Return the run's newest attempt."""
    return await reader.find(to_attempt, NEWEST_OF, run_id=run_id)


async def list_of(reader: Reader, run_id: UUID) -> list[Attempt]:
    """Return the run's attempts, oldest first."""
    return await reader.all(to_attempt, LIST_OF, run_id=run_id)


async def list_open(reader: Reader) -> list[Attempt]:
    """Return all attempts that are not ended."""
    return await reader.all(to_attempt, LIST_OPEN)


async def set_assignment(tx: Tx, attempt_id: UUID, assignment: bytes) -> None:
    """Keep the serialized assignment: every ``GetAssignment`` answers the same bytes."""
    await tx.execute(SET_ASSIGNMENT, id=attempt_id, assignment=assignment)


async def get_assignment(reader: Reader, attempt_id: UUID) -> bytes | None:
    """Return the serialized assignment."""
    value = await reader.value(GET_ASSIGNMENT, id=attempt_id)
    return None if value is None else bytes(value)


async def touch(tx: Tx, attempt_id: UUID, *, now: datetime, event: bool) -> None:
    """Note a sign of life; ``event`` says that the engine did something."""
    await tx.execute(HEARTBEAT, id=attempt_id, now=now, event=event)


async def set_message_no(tx: Tx, attempt_id: UUID, number: int) -> None:
    """Note the highest runner message accepted."""
    await tx.execute(MESSAGE_NO, id=attempt_id, number=number)


async def infrastructure_retries(reader: Reader, run_id: UUID) -> int:
    """Return how many retries in a row were for infrastructure reasons."""
    return int(await reader.value(RETRIES, run_id=run_id))


async def count_reason(reader: Reader, run_id: UUID, reason: str) -> int:
    """Return how many attempts of the run were opened for ``reason``."""
    return int(await reader.value(COUNT_REASON, run_id=run_id, reason=reason))


async def worker_beat(tx: Tx, worker: str, now: datetime) -> None:
    """Note that the worker lives."""
    await tx.execute(WORKER_BEAT, worker=worker, now=now)


async def mark_missed_workers(tx: Tx, *, now: datetime, before: datetime) -> list[str]:
    """Mark workers silent since ``before`` and return them."""
    return await tx.all(lambda row: str(row["worker_id"]), WORKERS_MISSED, now=now, before=before)


async def forget_workers(tx: Tx, before: datetime) -> None:
    """Remove workers silent for long."""
    await tx.execute(WORKERS_FORGOTTEN, before=before)


async def is_revoked(reader: Reader, jti: str) -> bool:
    """Say whether a token was revoked by hand."""
    return await reader.value(REVOKED, jti=jti) is not None
