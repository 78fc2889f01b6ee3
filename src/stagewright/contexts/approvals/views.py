"""Requests as screens show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from stagewright.contexts.approvals.model import Request
from stagewright.kit.db import Reader, Row, record

to_request = record(Request)
LAST = 5


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request with the names of its project and repository."""

    request: Request
    project: str
    repository: str | None


WITH_NAMES: LiteralString = """
select q.*, p.key as project_key, s.full_name as repository_name
from requests q join projects p on p.id = q.project_id left join repositories s on s.id = q.repository_id
"""
LIST = (
    WITH_NAMES
    + """
where (%(visible)s::uuid[] is null or q.project_id = any(%(visible)s))
  and (%(projects)s::uuid[] is null or q.project_id = any(%(projects)s))
  and (%(runs)s::uuid[] is null or q.run_id = any(%(runs)s))
  and (%(kinds)s::text[] is null or q.kind = any(%(kinds)s))
  and (%(states)s::text[] is null or q.state = any(%(states)s))
  and (%(actions)s::text[] is null or q.action = any(%(actions)s))
  and (%(since)s::timestamptz is null or q.opened_at >= %(since)s)
  and (%(until)s::timestamptz is null or q.opened_at < %(until)s)
  and (%(mine)s::boolean is not true or (q.approver_kind = 'user' and q.approver_id = %(user)s)
       or (q.state = 'requested' and case when q.level = 'owner'
           then %(owned)s::uuid[] is null or q.project_id = any(%(owned)s)
           else %(delegated)s::uuid[] is null or q.project_id = any(%(delegated)s) end))
  and (%(after)s::timestamptz is null or (q.opened_at, q.id) < (%(after)s, %(after_id)s))
order by q.opened_at desc, q.id desc limit %(limit)s
"""
)
ONE = WITH_NAMES + " where q.id = %(id)s"
HISTORY = """
select * from requests
where project_id = %(project_id)s and action = %(action)s and target_name = %(target_name)s and id <> %(id)s
  and decided_at is not null
order by decided_at desc limit %(limit)s
"""


def _row(row: Row) -> RequestRow:
    return RequestRow(to_request(row), str(row["project_key"]), row["repository_name"])


async def list_page(
    reader: Reader, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> list[RequestRow]:
    """Return a page of requests, the newest first. A filter is a list; None lets everything through."""
    return await reader.all(
        _row,
        LIST,
        **filters,
        after=after[0] if after else None,
        after_id=after[1] if after else None,
        limit=limit,
    )


async def find(reader: Reader, request_id: UUID) -> RequestRow | None:
    """Return one request, or None."""
    return await reader.find(_row, ONE, id=request_id)


async def last_decisions(reader: Reader, request: Request) -> list[Request]:
    """Return the last five decisions about the same action on the same target."""
    return await reader.all(
        to_request,
        HISTORY,
        id=request.id,
        project_id=request.project_id,
        action=request.action,
        target_name=request.target_name,
        limit=LAST,
    )
