"""Engines by name, and what admission and model resolution have to know about each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class EngineName(StrEnum):
    """An engine this program ships."""

    CODEX = "codex"
    CLAUDE = "claude"
    COMMAND = "command"
    SCRIPTED = "scripted"


class ReasoningLevel(StrEnum):
    """How hard the model is asked to think, in rising order."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTRA_HIGH = "extra-high"


@dataclass(frozen=True, slots=True)
class EngineTraits:
    """``provider`` is whose model credential the relay needs (None: none); ``reasoning`` the levels it can express."""

    provider: str | None
    reasoning: tuple[ReasoningLevel, ...]
    resumes: bool

    @property
    def needs_credential(self) -> bool:
        """Say whether a run may only start when the platform holds the provider's credential."""
        return self.provider is not None


ENGINES: Mapping[EngineName, EngineTraits] = MappingProxyType(
    {
        EngineName.CODEX: EngineTraits("openai", tuple(ReasoningLevel), resumes=True),
        EngineName.CLAUDE: EngineTraits(
            "anthropic", (ReasoningLevel.LOW, ReasoningLevel.MEDIUM, ReasoningLevel.HIGH), resumes=True
        ),
        EngineName.COMMAND: EngineTraits(None, (), resumes=True),
        EngineName.SCRIPTED: EngineTraits(None, (), resumes=True),
    }
)


def needs_credential(engine: EngineName) -> bool:
    """Say whether ``engine`` works only with a model credential held by the platform."""
    return ENGINES[engine].needs_credential
