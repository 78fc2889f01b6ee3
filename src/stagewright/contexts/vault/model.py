"""Words of credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

CredentialId = NewType("CredentialId", UUID)

MANAGEMENT = "management"
BOT = "bot"


class CredentialKind(StrEnum):
    """The form of a credential."""

    GITHUB_APP = "github_app"
    TOKEN = "token"
    API_KEY = "api_key"


class CredentialScope(StrEnum):
    """The level a credential is stored on; the nearest configured level is the answer."""

    PLATFORM = "platform"
    PROJECT = "project"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Credential:
    """A stored credential without its secret."""

    id: CredentialId
    scope: CredentialScope
    project_id: UUID | None
    repository_id: UUID | None
    purpose: str
    kind: CredentialKind
    app_id: int | None
    installation_id: int | None
    base_url: str | None
    login: str | None
    login_id: int | None
    commit_name: str | None
    commit_email: str | None
    state: str
    permissions: Mapping[str, Any]
    expires_at: datetime | None
    checked_at: datetime | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ResolvedCredential:
    """A credential with its opened secret: a token's text, an App's private key (PEM) or a provider's API key.

    Lives in memory only; never logged (``secret`` is not in the repr).
    """

    credential: Credential
    secret: str = field(repr=False)
