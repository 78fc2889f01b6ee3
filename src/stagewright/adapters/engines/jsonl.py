"""Drive a CLI that prints one JSON object per line: lines become engine events, everything printed is kept as log."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from stagewright.adapters.engines.contract import EngineEvent
from stagewright.adapters.engines.lines import Line, LineCutter
from stagewright.adapters.engines.program import Program

TAIL_BYTES = 8 * 1024


class Parser(Protocol):
    """Turns one message of a CLI into engine events; it keeps what decides the turn's end for itself."""

    def feed(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        """Return the events of one message, none of them final."""
        ...


@dataclass
class Invocation:
    """One start of a CLI. ``errors`` is the end of what it wrote to standard error."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    prompt_file: Path
    errors: str = ""


async def drive(program: Program, call: Invocation, parser: Parser) -> AsyncIterator[EngineEvent]:
    """Run the CLI with the prompt on its standard input and yield its events as they come. Raises OSError."""
    cutter = LineCutter()
    tail = b""
    async with aclosing(program.run(call.argv, cwd=call.cwd, env=call.env, stdin=call.prompt_file)) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            if piece.error:
                tail = (tail + piece.data)[-TAIL_BYTES:]
                yield EngineEvent("log", raw=piece.data)
                continue
            for line in cutter.feed(piece.data):
                for event in events_of(line, parser):
                    yield event
    for line in cutter.rest():
        for event in events_of(line, parser):
            yield event
    call.errors = tail.decode(errors="replace")


def events_of(line: Line, parser: Parser) -> list[EngineEvent]:
    """Return the events of one line; the first carries its bytes. What is no JSON object is log."""
    message = _object(line)
    events = parser.feed(message) if message is not None else []
    if not events:
        return [EngineEvent("log", raw=line.raw)]
    return [replace(events[0], raw=line.raw), *events[1:]]


def _object(line: Line) -> dict[str, Any] | None:
    if not line.whole:
        return None
    try:
        message = json.loads(line.raw)
        if b"\\ud" in line.raw.lower():  # perhaps half a surrogate pair: no text with it can be sent or stored
            message = json.loads(json.dumps(message, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def shorten(text: str, limit: int) -> str:
    """Return ``text``, or its first and last part around a mark that says how much was left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
