"""Facts the agents context journals: a prompt was composed, a session was saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from stagewright.contexts.agents.model import Prompt, SavedSession
from stagewright.kit.journal import Event, canonical

PARTS_LIMIT = 12 * 1024


@dataclass(frozen=True, kw_only=True)
class PromptAssembled(Event):
    """The prompt of an attempt was composed and stored."""

    kind: ClassVar[str] = "prompt.context.assembled"
    topic: ClassVar[str] = "runs"

    prompt_id: UUID
    attempt_id: UUID
    prompt: Prompt

    @property
    def stream(self) -> str:
        """Return the run's stream."""
        return f"run:{self.run_id}"

    def body(self) -> Mapping[str, Any]:
        """Return hash, size, counts and parts; the text itself is loaded by id. Long part lists are cut."""
        parts: list[dict[str, Any]] = []
        for record in self.prompt.parts:
            if len(canonical([*parts, record.as_json()])) > PARTS_LIMIT:
                break
            parts.append(record.as_json())
        return {
            "v": 1,
            "prompt_id": str(self.prompt_id),
            "attempt_id": str(self.attempt_id),
            "sha256": self.prompt.sha256,
            "bytes": self.prompt.size,
            "parts": parts,
            "parts_total": len(self.prompt.parts),
            "sanitizer": self.prompt.sanitizer.as_json(),
        }


@dataclass(frozen=True, kw_only=True)
class SessionSaved(Event):
    """An engine session was stored."""

    kind: ClassVar[str] = "run.agent.session.saved"
    topic: ClassVar[str] = "runs"

    session: SavedSession

    @property
    def stream(self) -> str:
        """Return the run's stream."""
        return f"run:{self.run_id}"

    def body(self) -> Mapping[str, Any]:
        """Return what is known without opening the archive."""
        return {
            "v": 1,
            "session_id": str(self.session.id),
            "attempt_id": str(self.session.attempt_id),
            "engine": self.session.engine.value,
            "bytes": self.session.size,
            "sha256": self.session.sha256.hex(),
            "reason": self.session.reason.value,
        }
