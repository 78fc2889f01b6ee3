"""What the practice forge remembers: users, tokens, repositories, threads, hooks. Mutable records, no behaviour."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


@dataclass(eq=False, kw_only=True)
class User:
    """An account: a person, a bot or an organisation, told apart by ``type``."""

    id: int
    login: str
    type: str
    created_at: datetime
    name: str | None = None
    email: str | None = None
    site_admin: bool = False


@dataclass(eq=False, kw_only=True)
class Token:
    """A credential. Classic tokens have ``scopes``; fine-grained and installation tokens have ``permissions``."""

    value: str
    user: User
    scopes: frozenset[str] | None = None
    permissions: dict[str, str] | None = None
    repositories: frozenset[int] | None = None
    expires_at: datetime | None = None
    installation: "Installation | None" = None


@dataclass(eq=False, kw_only=True)
class App:
    """A GitHub App: it signs JWTs with the private half of ``public_key`` and acts as ``bot``."""

    id: int
    slug: str
    name: str
    owner: User
    bot: User
    public_key: bytes
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    hook: "Hook | None" = None


@dataclass(eq=False, kw_only=True)
class Installation:
    """An App installed on an account; ``repositories`` is None for all of them."""

    id: int
    app: App
    account: User
    repositories: set[int] | None
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class Label:
    """A label of a repository; threads hold the same object, so a rename shows everywhere."""

    id: int
    name: str
    color: str
    description: str | None = None


@dataclass(eq=False, kw_only=True)
class Reaction:
    """One person's reaction to a thread or a comment."""

    id: int
    user: User
    content: str
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class Comment:
    """A comment on an issue or on a pull request's conversation."""

    id: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Event:
    """Something that happened to a thread; ``details`` are the fields that only this kind of event has."""

    id: int
    event: str
    actor: User
    created_at: datetime
    commit_id: str | None = None
    app: App | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class Review:
    """A review of a pull request."""

    id: int
    user: User
    body: str
    state: str
    commit_id: str
    submitted_at: datetime | None


@dataclass(eq=False, kw_only=True)
class ReviewComment:
    """A comment at a line of a pull request's diff."""

    id: int
    review_id: int
    user: User
    body: str
    path: str
    commit_id: str
    line: int | None
    side: str
    diff_hunk: str
    position: int
    created_at: datetime
    updated_at: datetime
    in_reply_to_id: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Pull:
    """The half of a pull request that an issue does not have."""

    id: int
    base_ref: str
    base_sha: str
    head_ref: str
    head_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    reviewers: list[User] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Issue:
    """A thread: an issue, or a pull request when ``pull`` is set. Both share one row of numbers."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    assignees: list[User] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(eq=False, kw_only=True)
class Delivery:
    """One attempt to hand a webhook over. A redelivery is a new attempt with the same ``guid``."""

    id: int
    guid: str
    event: str
    action: str | None
    body: bytes
    headers: dict[str, str]
    created_at: datetime
    repository_id: int | None
    installation_id: int | None
    redelivery: bool = False
    delivered_at: datetime | None = None
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(eq=False, kw_only=True)
class Hook:
    """Where webhooks go: of one repository, or of an App when ``app`` is set."""

    id: int
    url: str
    secret: str
    events: list[str]
    active: bool
    content_type: str
    insecure_ssl: str
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Repo:
    """A repository. ``lock`` is held by whoever changes it, so that REST, pages and pushes do not interleave."""

    id: int
    owner: User
    name: str
    path: Path
    private: bool
    description: str | None
    default_branch: str
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    roles: dict[str, str] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    hooks: list[Hook] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def full_name(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner.login}/{self.name}"
