"""From an engine's name to a fresh engine for one attempt."""

from collections.abc import Callable

from stagewright.adapters.engines.claude.engine import ClaudeEngine
from stagewright.adapters.engines.codex.engine import CodexEngine
from stagewright.adapters.engines.command.engine import CommandEngine
from stagewright.adapters.engines.contract import Engine, EngineUnusable, known_engines
from stagewright.adapters.engines.scripted.engine import ScriptedEngine

_MAKERS: dict[str, Callable[[], Engine]] = {
    "claude": ClaudeEngine,
    "codex": CodexEngine,
    "command": CommandEngine,
    "scripted": ScriptedEngine,
}


def make_engine(name: str) -> Engine:
    """Return a new engine. Raises ``EngineUnusable`` for a name this program does not know."""
    maker = _MAKERS.get(name)
    if maker is None:
        known = ", ".join(known_engines())
        raise EngineUnusable("agent_not_configured", f"unknown engine {name!r}; this program ships {known}")
    return maker()
