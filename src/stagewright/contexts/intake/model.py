"""Words of intake."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A webhook delivery as it came in: checked for its signature, not yet looked into.

    ``app_id`` is the GitHub App whose secret fitted; it speaks for the repositories bound through that App only.
    """

    delivery_id: str
    repository_id: UUID | None
    binding: str
    event: str
    payload: bytes = field(repr=False)
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A kept delivery that waits for its decision."""

    delivery_id: str
    repository_id: UUID | None
    binding: str
    event: str
    received_at: datetime
    tries: int
    payload: bytes = field(repr=False)
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class LabelTold:
    """A change of a repository's label: what it is now, and its name before a renaming."""

    name: str
    was: str | None
    color: str
    description: str


@dataclass(frozen=True, slots=True)
class ParsedDelivery:
    """What a delivery says, in our words. ``forge_repository_id`` is the number of the repository it names.

    ``merged``, ``merged_at`` and ``head_sha`` are its pull request's; ``None`` where it does not say. ``review_state``
    is in small letters. ``ref``, ``after`` and ``deleted`` are a push's. ``installed`` and ``uninstalled`` are the
    numbers of the repositories that an App's installation speaks of. ``told`` is what a ``label`` event says.
    """

    event: str
    action: str | None
    forge_repository_id: int | None
    repository_name: str | None
    default_branch: str | None
    thread: int | None
    is_pull_request: bool
    thread_open: bool | None
    thread_labels: tuple[str, ...] | None
    label: str | None
    sender_type: str | None
    sender_login: str | None
    sender_id: int | None
    occurred_at: datetime | None
    merged: bool | None = None
    head_sha: str | None = None
    review_state: str | None = None
    merged_at: datetime | None = None
    ref: str | None = None
    after: str | None = None
    deleted: bool = False
    installed: tuple[int, ...] = ()
    uninstalled: tuple[int, ...] = ()
    comment_id: int | None = None
    comment_body: str | None = None
    told: LabelTold | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One decided occurrence of a label on a thread."""

    repository_id: UUID
    thread: int
    label: str
    occurred_at: datetime
    source: str
    decision: str
    reason: str | None
    run_id: UUID | None
    delivery_id: str | None
