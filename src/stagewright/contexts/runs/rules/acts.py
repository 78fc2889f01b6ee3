"""What an engine did, as its runner counts it: bodies of events in, figures out.

A body holds the attempt's totals so far, so that the newest one says everything and folding loses no count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ACTED = "run.agent.acted"
MOST = 2**53
MOST_TOOLS = 100
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Uses:
    """How often a tool was called, and how often that failed."""

    calls: int = 0
    failed: int = 0

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(self.calls + other.calls, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Acts:
    """Turns, messages, commands, file changes and calls of tools by name."""

    turns: int = 0
    messages: int = 0
    commands: Uses = Uses()
    file_changes: Uses = Uses()
    tools: Mapping[str, Uses] = field(default_factory=dict)


def acts_of(body: Mapping[str, Any]) -> Acts:
    """Read the body of an event. A runner is not trusted: what is no count is none."""
    tools = body.get("tools")
    named = sorted(tools.items()) if isinstance(tools, Mapping) else []
    return Acts(
        turns=_count(body.get("turns")),
        messages=_count(body.get("messages")),
        commands=_uses(body.get("commands")),
        file_changes=_uses(body.get("file_changes")),
        tools={str(name)[:LONGEST_NAME]: _uses(uses) for name, uses in named[:MOST_TOOLS] if name},
    )


def together(several: Iterable[Acts]) -> Acts:
    """Return the sum."""
    total = Acts()
    for acts in several:
        names = {*total.tools, *acts.tools}
        total = Acts(
            turns=total.turns + acts.turns,
            messages=total.messages + acts.messages,
            commands=total.commands + acts.commands,
            file_changes=total.file_changes + acts.file_changes,
            tools={name: total.tools.get(name, Uses()) + acts.tools.get(name, Uses()) for name in names},
        )
    return total


def most_used(tools: Mapping[str, Uses]) -> list[tuple[str, Uses]]:
    """Return tools by number of calls, the most used first."""
    return sorted(tools.items(), key=lambda item: (-item[1].calls, item[0]))


def _uses(value: Any) -> Uses:
    pair = value if isinstance(value, Mapping) else {}
    return Uses(_count(pair.get("calls")), _count(pair.get("failed")))


def _count(value: Any) -> int:
    return min(value, MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
