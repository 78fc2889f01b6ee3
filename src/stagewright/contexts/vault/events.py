"""Facts of credentials: never a secret, only scope, purpose, kind and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.vault.model import Credential
from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class CredentialFact(Event):
    """A fact of one credential."""

    topic: ClassVar[str] = "config"

    credential: Credential

    @property
    def stream(self) -> str:
        return f"credential:{self.credential.id}"

    def body(self) -> Mapping[str, Any]:
        item = self.credential
        return {
            "v": 1,
            "id": str(item.id),
            "scope": item.scope.value,
            "purpose": item.purpose,
            "kind": item.kind.value,
            "login": item.login,
            "state": item.state,
            "version": item.version,
        }


class CredentialSet(CredentialFact):
    kind = "credential.set"


class CredentialStateChanged(CredentialFact):
    kind = "credential.state_changed"


class CredentialCleared(CredentialFact):
    kind = "credential.cleared"
