"""Saved engine sessions, and what decides which one an attempt continues."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from stagewright.contexts.agents.model.engines import EngineName


class SessionReason(StrEnum):
    """Why a session was saved."""

    TURN = "turn"
    TIMER = "timer"
    REDEPLOY = "redeploy"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDraft:
    """A session as the runner hands it over: bytes in the clear and the hashes it announced."""

    project_id: UUID
    run_id: UUID
    attempt_id: UUID
    repository_id: UUID
    issue_number: int | None
    stage: str | None
    role: str
    engine: EngineName
    engine_version: str
    thread_id: str
    archive: bytes = field(repr=False)
    archive_sha256: bytes
    wip_bundle: bytes | None = field(default=None, repr=False)
    wip_sha256: bytes | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    reason: SessionReason


@dataclass(frozen=True, slots=True)
class SavedSession:
    """What is known about a stored session without opening it."""

    id: UUID
    run_id: UUID
    attempt_id: UUID
    engine: EngineName
    engine_version: str
    thread_id: str
    has_wip: bool
    sha256: bytes
    size: int
    reason: SessionReason
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSession:
    """An opened session: its row, and the bytes in the clear."""

    saved: SavedSession
    manifest: Mapping[str, Any]
    archive: bytes = field(repr=False)
    wip_bundle: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FailedRun:
    """An earlier run of the same subject that failed, as far as a restart may continue it."""

    run_id: UUID
    kind: str
    failure_class: str
    finished_at: datetime
    base_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWish:
    """The attempt that wants a session. ``link_runs`` are the runs of the link a revise works on."""

    run_id: UUID
    kind: str
    next_attempt: bool
    engine: EngineName
    engine_version: str
    base_sha: str
    link_runs: frozenset[UUID] = frozenset()
    failed_runs: tuple[FailedRun, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """The session to restore, if any. ``not_compatible``: there was one, but of another engine or version."""

    session: SavedSession | None
    with_wip: bool = False
    not_compatible: bool = False
