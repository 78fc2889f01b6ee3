"""From an engine's name to a fresh engine for one attempt."""

import importlib
from collections.abc import Callable

from stagewright.adapters.engines.contract import Engine, EngineUnusable, known_engines

_MAKERS = {
    "claude": ("stagewright.adapters.engines.claude.engine", "ClaudeEngine"),
    "codex": ("stagewright.adapters.engines.codex.engine", "CodexEngine"),
    "command": ("stagewright.adapters.engines.command.engine", "CommandEngine"),
    "scripted": ("stagewright.adapters.engines.scripted.engine", "ScriptedEngine"),
}


def make_engine(name: str) -> Engine:
    """Import and return a new engine: an attempt has one, and waits for the code of no other.

    Raises ``EngineUnusable`` for a name this program does not know.
    """
    place = _MAKERS.get(name)
    if place is None:
        known = ", ".join(known_engines())
        raise EngineUnusable("agent_not_configured", f"unknown engine {name!r}; this program ships {known}")
    maker: Callable[[], Engine] = getattr(importlib.import_module(place[0]), place[1])
    return maker()
