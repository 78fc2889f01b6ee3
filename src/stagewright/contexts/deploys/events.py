"""Facts of stacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class StackRead(Event):
    """The stack of a repository was read at the head of its default branch. ``sources``: alias -> commit."""

    topic: ClassVar[str] = "agents"

    repository_id: UUID
    commit_sha: str
    sources: Mapping[str, str]
    files: int
    diagnostics: int

    @property
    def stream(self) -> str:
        return f"repository:{self.repository_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "repository_id": str(self.repository_id),
            "commit_sha": self.commit_sha,
            "sources": [{"alias": alias, "sha": sha} for alias, sha in sorted(self.sources.items())],
            "files": self.files,
            "diagnostics": self.diagnostics,
        }


@dataclass(frozen=True, kw_only=True)
class StackResolved(StackRead):
    """It is valid."""

    kind: ClassVar[str] = "stack.resolved"


@dataclass(frozen=True, kw_only=True)
class StackResolveFailed(StackRead):
    """It has errors; ``problem`` is the first one."""

    kind: ClassVar[str] = "stack.resolve_failed"

    problem: str

    def body(self) -> Mapping[str, Any]:
        return {**super().body(), "problem": self.problem[:2000]}
