"""Facts of policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class PolicyChanged(Event):
    """Another policy is in force for a repository, or its newest file is not valid (``problem``)."""

    kind: ClassVar[str] = "policy.changed"
    topic: ClassVar[str] = "agents"

    repository_id: UUID
    policy_hash: str
    commit_sha: str
    problem: str | None

    @property
    def stream(self) -> str:
        return f"repository:{self.repository_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "repository_id": str(self.repository_id),
            "policy_hash": self.policy_hash,
            "commit_sha": self.commit_sha,
            "problem": self.problem[:2000] if self.problem else None,
        }
