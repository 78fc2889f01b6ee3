"""Words of projects and repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

ProjectId = NewType("ProjectId", UUID)
RepositoryId = NewType("RepositoryId", UUID)


class Binding(StrEnum):
    """How a repository is bound: its webhook and its credential come from a token or from a GitHub App."""

    TOKEN = "token"
    GITHUB_APP = "github_app"


class RepositoryState(StrEnum):
    """Whether label events of a repository start anything."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Project:
    """A product under delivery: its people, repositories, limits and language."""

    id: ProjectId
    key: str
    name: str
    locale: str
    weight: int
    settings: Mapping[str, Any]
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository bound to a project. ``forge_repository_id`` is the forge's number and survives renames."""

    id: RepositoryId
    project_id: ProjectId
    api_url: str
    web_url: str
    clone_url: str
    full_name: str
    forge_repository_id: int
    default_branch: str
    binding: Binding
    state: RepositoryState
    health: str
    bound_at: datetime
    scan_cursor: datetime | None
    scan_etag: str | None
    scanned_at: datetime | None
    fully_scanned_at: datetime | None
    version: int
    unbound_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ForgeRepository:
    """What the forge says of a repository."""

    id: int
    full_name: str
    default_branch: str
    web_url: str
    clone_url: str
    private: bool


@dataclass(frozen=True, slots=True)
class ForgeAccount:
    """A login of the forge. ``type`` is ``User`` or ``Bot``."""

    id: int
    login: str
    type: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A managed label of a repository as the forge has it, as far as is known.

    ``color`` and ``description`` None: not known. ``aliases``: texts that a renaming left behind; they count as the
    label. ``changed_by``: the forge login of whoever changed it last, None when that was the platform.
    """

    repository_id: UUID
    key: str
    present: bool
    text: str
    color: str | None
    description: str | None
    aliases: tuple[str, ...]
    changed_by: str | None
    changed_at: datetime
