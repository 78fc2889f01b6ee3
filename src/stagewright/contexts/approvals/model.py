"""Words of requests: what is asked, of whom, how it was decided, and how far its execution is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

RequestId = NewType("RequestId", UUID)


class RequestKind(StrEnum):
    """What a person is asked for."""

    APPROVAL = "approval"
    QUESTION = "question"
    NOTICE = "notice"


class RequestState(StrEnum):
    """Where a request is; the table of moves is in ``rules/transitions``."""

    REQUESTED = "requested"
    APPROVED = "approved"
    APPLYING = "applying"
    UNKNOWN = "unknown"
    QUEUED = "queued"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    VOID = "void"
    APPLIED = "applied"
    FAILED = "failed"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class ApprovalLevel(StrEnum):
    """Who decides: nobody need, a member with ``approval.decide``, or a project admin or the platform owner."""

    NONE = "none"
    DELEGATED = "delegated"
    OWNER = "owner"


class ApproverKind(StrEnum):
    """What a capability comes from."""

    USER = "user"
    GRANT = "grant"
    POLICY = "policy"


REFUSED, NEEDS_INFORMATION = "refused", "needs_information"
REASON_CODES = (REFUSED, NEEDS_INFORMATION)


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done, as the server resolved it: everything that its hash covers."""

    name: str
    project_id: UUID
    repository_id: UUID | None
    run_id: UUID | None
    arguments: Mapping[str, Any]
    target: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What of a run a row of the matrix is chosen by."""

    kind: str
    role: str
    mode: str
    env: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request to be opened. ``display`` holds codes and parameters: sections of what the approver sees."""

    action: Action
    circumstances: Circumstances
    display: Mapping[str, Any]
    attempt_id: UUID | None = None
    initiator_id: UUID | None = None
    target_name: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``body`` holds the canonical bytes that are hashed, shown, decided on and executed."""

    id: RequestId
    kind: RequestKind
    project_id: UUID
    repository_id: UUID | None
    run_id: UUID | None
    attempt_id: UUID | None
    action: str
    run_kind: str
    run_role: str
    run_mode: str
    env: str
    body: bytes = field(repr=False)
    action_hash: str
    display: Mapping[str, Any] = field(repr=False)
    display_hash: str
    target_name: str
    state: RequestState
    version: int
    row_id: str
    policy_version: str
    level: ApprovalLevel
    self_approval: bool
    typed_confirm: bool
    grantable: bool
    on_expiry: str
    execute_within: int
    initiator_id: UUID | None
    opened_at: datetime
    expires_at: datetime
    not_after: datetime | None
    nonce: bytes | None = field(repr=False)
    nonce_used_at: datetime | None
    mac: bytes | None = field(repr=False)
    approver_kind: ApproverKind | None
    approver_id: str | None
    decided_at: datetime | None
    reason: str | None
    reason_code: str | None
    acknowledged_sole: bool
    answer: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    idempotency_key: str | None
    renews: UUID | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said about the action with this hash."""

    approve: bool
    action_hash: str
    reason: str | None = None
    reason_code: str | None = None
    acknowledge_sole: bool = False
