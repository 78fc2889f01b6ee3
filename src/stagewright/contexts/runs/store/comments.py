"""Rows of ``status_comments`` and ``diagnostic_comments``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.kit.db import Reader, Tx, record


@dataclass(frozen=True, slots=True)
class StatusComment:
    """The one service comment of a run."""

    run_id: UUID
    repository_id: UUID
    thread: int
    comment_id: int | None
    url: str | None
    body_sha256: bytes | None
    rendered_at: datetime | None
    phase: str | None
    recreations: int
    suppressed: bool


@dataclass(frozen=True, slots=True)
class DiagnosticComment:
    """One comment that says why a label started nothing; repetition updates it."""

    key: str
    repository_id: UUID
    thread: int
    reason: str
    body: str
    comment_id: int | None
    count: int
    last_at: datetime
    resolved_at: datetime | None


to_status = record(StatusComment)
to_diagnostic = record(DiagnosticComment)

MAKE = """
insert into status_comments (run_id, repository_id, thread) values (%(run_id)s, %(repository_id)s, %(thread)s)
on conflict do nothing
"""
FIND = "select * from status_comments where run_id = %(run_id)s"
LOCK = "select * from status_comments where run_id = %(run_id)s for no key update"
DUE = """
select s.run_id from status_comments s join runs r on r.id = s.run_id
where not s.suppressed
  and (r.status not in ('succeeded', 'failed', 'cancelled')
       or r.finished_at > %(recent)s or s.phase is distinct from 'finished')
  and (s.rendered_at is null or s.body_sha256 is null
       or s.rendered_at <= (select j.at from journal j where j.run_id = r.id
                            and j.kind <> 'run.status.comment.upserted' order by j.seq desc limit 1))
order by s.rendered_at nulls first
limit %(limit)s
"""
RENDERED = """
update status_comments set body_sha256 = %(sha)s, rendered_at = %(now)s, phase = %(phase)s where run_id = %(run_id)s
"""
PLACED = "update status_comments set comment_id = %(comment_id)s, url = %(url)s where run_id = %(run_id)s"
GONE = """
update status_comments set comment_id = null, url = null, body_sha256 = null, recreations = recreations + 1,
    suppressed = recreations >= 1
where run_id = %(run_id)s and comment_id = %(comment_id)s
returning *
"""
DIAGNOSE = """
insert into diagnostic_comments (key, repository_id, thread, reason, body, last_at)
values (%(key)s, %(repository_id)s, %(thread)s, %(reason)s, %(body)s, %(now)s)
on conflict (key) do update set count = diagnostic_comments.count + 1, last_at = excluded.last_at,
    body = excluded.body, resolved_at = null
returning *
"""
DIAGNOSTIC = "select * from diagnostic_comments where key = %(key)s"
DIAGNOSTIC_PLACED = "update diagnostic_comments set comment_id = %(comment_id)s where key = %(key)s"
RESOLVE = """
update diagnostic_comments set resolved_at = %(now)s, resolved_by = %(run_id)s
where repository_id = %(repository_id)s and thread = %(thread)s and resolved_at is null
returning *
"""


async def make_status(tx: Tx, run_id: UUID, repository_id: UUID, thread: int) -> None:
    """Make the row of the run's status comment."""
    await tx.execute(MAKE, run_id=run_id, repository_id=repository_id, thread=thread)


async def find_status(reader: Reader, run_id: UUID) -> StatusComment | None:
    """Return the run's status comment row."""
    return await reader.find(to_status, FIND, run_id=run_id)


async def lock_status(tx: Tx, run_id: UUID) -> StatusComment | None:
    """Return the row, locked."""
    return await tx.find(to_status, LOCK, run_id=run_id)


async def list_due(reader: Reader, *, recent: datetime, limit: int) -> list[UUID]:
    """Return runs whose comment may have to change: not rendered yet, or the journal tells something newer."""
    return await reader.all(lambda row: _uuid(row["run_id"]), DUE, recent=recent, limit=limit)


def _uuid(value: Any) -> UUID:
    assert isinstance(value, UUID)
    return value


async def set_rendered(tx: Tx, run_id: UUID, *, sha256: bytes, phase: str, now: datetime) -> None:
    """Note what was rendered last."""
    await tx.execute(RENDERED, run_id=run_id, sha=sha256, phase=phase, now=now)


async def set_placed(tx: Tx, run_id: UUID, *, comment_id: int, url: str) -> None:
    """Note where the comment stands."""
    await tx.execute(PLACED, run_id=run_id, comment_id=comment_id, url=url)


async def set_gone(tx: Tx, run_id: UUID, *, comment_id: int) -> StatusComment | None:
    """A person deleted the comment: recreate it once, then stay silent."""
    return await tx.find(to_status, GONE, run_id=run_id, comment_id=comment_id)


async def diagnose(tx: Tx, values: Mapping[str, Any]) -> DiagnosticComment:
    """Make the diagnostic comment, or count one more of the same cause."""
    row = await tx.find(to_diagnostic, DIAGNOSE, **values)
    assert row is not None
    return row


async def find_diagnostic(reader: Reader, key: str) -> DiagnosticComment | None:
    """Return the diagnostic comment of ``key``."""
    return await reader.find(to_diagnostic, DIAGNOSTIC, key=key)


async def set_diagnostic_placed(tx: Tx, key: str, comment_id: int) -> None:
    """Note where the comment stands."""
    await tx.execute(DIAGNOSTIC_PLACED, key=key, comment_id=comment_id)


async def resolve_diagnostics(
    tx: Tx, repository_id: UUID, thread: int, *, run_id: UUID, now: datetime
) -> list[DiagnosticComment]:
    """Close the thread's open diagnostic comments, because a run started."""
    return await tx.all(to_diagnostic, RESOLVE, repository_id=repository_id, thread=thread, run_id=run_id, now=now)
