"""What every engine does for the runner: prepare a home, drive one turn as a stream of events, keep its session."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

FailureClass = Literal[
    "engine_error",
    "rate_limited",
    "budget",
    "credential_rejected",
    "agent_not_configured",
    "context_exhausted",
    "mcp_unavailable",
    "provider_unavailable",
    "interrupted",
    "lost",
]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do by itself."""

    structured_output: Literal["native", "prompted"]
    resume: bool
    mcp: bool
    reasoning: tuple[str, ...]
    usage: Literal["per_call", "cumulative", "none"]
    native_events: bool
    needs_login: bool


@dataclass(frozen=True, slots=True)
class EngineJob:
    """What one attempt asks of its engine. Holds no credential: URLs are the runner's loopback relay.

    ``run_id`` tells the attempts of one run from those of another, whose session this one may be given.
    ``environment`` is added to the core variables of the child; its ``PATH`` is also where the engine's program is
    looked for. ``engine_version`` is the version the start check insists on, empty for any.
    """

    repo: Path
    home: Path
    prompt_file: Path
    result_file: Path
    session_dir: Path
    model: str
    reasoning: str
    report_schema: Mapping[str, Any]
    model_url: str = ""
    tools_url: str = ""
    tool_names: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    scenario: str = ""
    stage: str = ""
    run_id: str = ""
    engine_version: str = ""
    scope_any: bool = True
    scope_allow: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One thing the engine did. ``kind`` says which of the optional fields hold something; ``log`` has ``raw`` only.

    ``usage`` counts what was spent since the previous ``usage`` event, never a running total.
    """

    kind: Literal[
        "log",
        "thread",
        "turn_started",
        "message",
        "reasoning",
        "command",
        "file_change",
        "tool_call",
        "usage",
        "warning",
        "turn_ended",
        "turn_failed",
    ]
    text: str = ""
    argv: str = ""
    exit_code: int | None = None
    paths: tuple[str, ...] = ()
    tool: str = ""
    ok: bool = True
    thread_id: str = ""
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    result: str | None = None
    failure: FailureClass | None = None
    code: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Archive:
    """A session's files: relative paths and bytes, and the thread to resume."""

    thread_id: str
    engine_version: str
    files: tuple[tuple[str, bytes], ...]


class EngineUnusable(Exception):
    """The start check failed: ``engine_error`` or ``agent_not_configured``. The text says what to install or mend."""

    def __init__(self, code: Literal["engine_error", "agent_not_configured"], text: str) -> None:
        super().__init__(text)
        self.code = code


class Engine(Protocol):
    """One engine for one attempt: ``prepare``, then ``restore`` if there is a session, then turns, one at a time."""

    name: str
    capabilities: Capabilities

    async def check(self, job: EngineJob) -> str:
        """Return the engine's version, or raise ``EngineUnusable``."""
        ...

    async def prepare(self, job: EngineJob) -> None:
        """Write the configuration files into ``job.home``; configuration of the work tree is never loaded."""
        ...

    def turn(self, prompt: str, *, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        """Drive one turn and yield its events; the last one is ``turn_ended`` or ``turn_failed``.

        A stream that ends with neither lost its engine (``lost``). Closing the iterator early kills the engine.
        The engine's own output is in ``raw`` of the events, in order (log bytes, not yet redacted).
        """
        ...

    async def interrupt(self, grace: timedelta) -> None:
        """Stop the process group: asked first, killed after ``grace``."""
        ...

    def archive(self) -> Archive | None:
        """Return the session's files, or None when there is nothing to resume."""
        ...

    def restore(self, archive: Archive) -> None:
        """Put the session's files where this engine looks for them."""
        ...


def known_engines() -> Sequence[str]:
    """Return the names of the engines this program ships."""
    return ("codex", "claude", "command", "scripted")
