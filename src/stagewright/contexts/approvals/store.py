"""Rows of ``requests``: bytes and hash never change, every move is compare-and-set on state and version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.approvals.errors import AlreadyResolved, ApprovalNotFound
from stagewright.contexts.approvals.model import Request
from stagewright.kit.db import Reader, Tx, record

to_request = record(Request)

INSERT = """
insert into requests (id, kind, project_id, repository_id, run_id, attempt_id, action, run_kind, run_role, run_mode,
    env, body, action_hash, display, display_hash, target_name, state, row_id, policy_version, level, self_approval,
    typed_confirm, grantable, on_expiry, execute_within, initiator_id, opened_at, expires_at, renews)
values (%(id)s, 'approval', %(project_id)s, %(repository_id)s, %(run_id)s, %(attempt_id)s, %(action)s, %(run_kind)s,
    %(run_role)s, %(run_mode)s, %(env)s, %(body)s, %(action_hash)s, %(display)s, %(display_hash)s, %(target_name)s,
    'requested', %(row_id)s, %(policy_version)s, %(level)s, %(self_approval)s, %(typed_confirm)s, %(grantable)s,
    %(on_expiry)s, %(execute_within)s, %(initiator_id)s, %(opened_at)s, %(expires_at)s, %(renews)s)
on conflict (run_id, action, action_hash) where state in ('requested', 'approved', 'applying', 'unknown') do nothing
returning *
"""
OPEN_ONE = """
select * from requests where run_id = %(run_id)s and action = %(action)s and action_hash = %(action_hash)s
  and state in ('requested', 'approved', 'applying', 'unknown')
for no key update
"""
LOCK = "select * from requests where id = %(id)s for no key update"
GET = "select * from requests where id = %(id)s"
MANY = "select * from requests where id = any(%(ids)s)"
SAVE = """
update requests set state = %(state)s, version = version + 1, not_after = %(not_after)s, nonce = %(nonce)s,
    nonce_used_at = %(nonce_used_at)s, mac = %(mac)s, approver_kind = %(approver_kind)s, approver_id = %(approver_id)s,
    decided_at = %(decided_at)s, reason = %(reason)s, reason_code = %(reason_code)s,
    acknowledged_sole = %(acknowledged_sole)s, result = %(result)s, settled_at = %(settled_at)s
where id = %(id)s and version = %(version)s
returning *
"""
NEWEST = """
select * from requests where run_id = %(run_id)s and action = %(action)s order by opened_at desc, id desc limit 1
"""
OF_RUN = "select * from requests where run_id = %(run_id)s order by opened_at, id"
OPEN_OF_RUN = """
select * from requests where run_id = %(run_id)s and state in ('requested', 'approved') order by id for no key update
"""
APPLYING_OF_RUN = """
select * from requests where run_id = %(run_id)s and state in ('applying', 'unknown') order by id for no key update
"""
DUE = """
select * from requests where state = 'requested' and expires_at <= %(now)s
order by expires_at limit %(limit)s for no key update skip locked
"""


async def insert(tx: Tx, values: Mapping[str, Any]) -> Request | None:
    """Write a request; None when the run has an open one of the same action and hash."""
    return await tx.find(to_request, INSERT, **{**values, "display": Jsonb(values["display"])})


async def lock_open(tx: Tx, run_id: UUID | None, action: str, action_hash: str) -> Request | None:
    """Return the run's open request of this very action, locked."""
    return await tx.find(to_request, OPEN_ONE, run_id=run_id, action=action, action_hash=action_hash)


async def lock(tx: Tx, request_id: UUID) -> Request:
    """Return the request, locked. Raises ``ApprovalNotFound``."""
    found = await tx.find(to_request, LOCK, id=request_id)
    if found is None:
        raise ApprovalNotFound(f"there is no request {request_id}")
    return found


async def get(reader: Reader, request_id: UUID) -> Request:
    """Return the request. Raises ``ApprovalNotFound``."""
    found = await reader.find(to_request, GET, id=request_id)
    if found is None:
        raise ApprovalNotFound(f"there is no request {request_id}")
    return found


async def list_many(reader: Reader, ids: Sequence[UUID]) -> list[Request]:
    """Return these requests."""
    return await reader.all(to_request, MANY, ids=list(ids))


async def save(tx: Tx, request: Request) -> Request:
    """Write what a move changed, if nobody moved it meanwhile."""
    saved = await tx.find(
        to_request,
        SAVE,
        id=request.id,
        version=request.version,
        state=request.state.value,
        not_after=request.not_after,
        nonce=request.nonce,
        nonce_used_at=request.nonce_used_at,
        mac=request.mac,
        approver_kind=request.approver_kind.value if request.approver_kind else None,
        approver_id=request.approver_id,
        decided_at=request.decided_at,
        reason=request.reason,
        reason_code=request.reason_code,
        acknowledged_sole=request.acknowledged_sole,
        result=Jsonb(dict(request.result)) if request.result is not None else None,
        settled_at=request.settled_at,
    )
    if saved is None:
        raise AlreadyResolved("somebody decided this request meanwhile: read it again")
    return saved


async def find_newest(reader: Reader, run_id: UUID, action: str) -> Request | None:
    """Return the run's newest request of an action."""
    return await reader.find(to_request, NEWEST, run_id=run_id, action=action)


async def list_of_run(reader: Reader, run_id: UUID) -> list[Request]:
    """Return the run's requests, oldest first."""
    return await reader.all(to_request, OF_RUN, run_id=run_id)


async def lock_open_of_run(tx: Tx, run_id: UUID) -> list[Request]:
    """Return the run's requests that nobody executes yet, locked."""
    return await tx.all(to_request, OPEN_OF_RUN, run_id=run_id)


async def lock_applying_of_run(tx: Tx, run_id: UUID) -> list[Request]:
    """Return the run's requests that are being executed, locked."""
    return await tx.all(to_request, APPLYING_OF_RUN, run_id=run_id)


async def claim_due(tx: Tx, *, now: datetime, limit: int) -> list[Request]:
    """Return requests whose time to decide is over, locked; those that somebody decides just now are passed over."""
    return await tx.all(to_request, DUE, now=now, limit=limit)
