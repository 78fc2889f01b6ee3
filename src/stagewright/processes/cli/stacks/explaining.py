"""`stack explain`: where a value comes from, what it overrode, and what it means."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, USAGE, Ended, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import safe
from stagewright.processes.cli.stacks import findings
from stagewright.processes.cli.stacks.reading import API, Stack, ask, make_request, open_stack, plain

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import At, Explanation, Provenance
    from stagewright.processes.cli.call import Call

ORIGINS = {
    "file": "written in a file",
    "default": "the default",
    "component": "from a component",
    "inherited": "inherited from another environment",
    "platform": "set by the platform",
}


def explain(call: "Call", pointer: str, *, environment: str | None, candidate: str | None, **given: Any) -> None:
    """Print what is known of the value at ``pointer``."""
    stack = open_stack(**given)
    request = make_request(stack, environment=environment, candidate=candidate)
    explained = ask("explain_stack", request, pointer, stack.cache)
    answer = explained.answer
    if answer is None:
        findings.warn(stack, explained.diagnostics, colours=False)
        tell(f"nothing can be explained: {findings.counted(explained.diagnostics)}")
        raise Ended(FAILED)
    if isinstance(answer, load(f"{API}:UnknownPointer")):
        near = f"did you mean {' or '.join(answer.nearest)}?" if answer.nearest else ""
        raise Failure(USAGE, f"POINTER: nothing stands at {pointer!r} in this stack", hint=near)
    output = call.output()
    if not output.for_people:
        output.one(document(stack, answer), ())
        return
    for line in described(stack, answer):
        print(safe(line))


def document(stack: Stack, answer: "Explanation") -> dict[str, Any]:
    """Return the explanation as programs read it."""
    return {
        "pointer": answer.pointer,
        "value": plain(answer.value),
        "default": plain(answer.default),
        "written": answer.written,
        "origin": answer.provenance.origin.value,
        "at": _place(stack, answer.provenance.at),
        "imported_by": list(_chain(answer.provenance)),
        "shadowed": [_place(stack, at) for at in answer.provenance.shadowed],
        "title": answer.title,
        "documentation": answer.documentation,
    }


def described(stack: Stack, answer: "Explanation") -> Iterator[str]:
    """Return the lines of an explanation for a person."""
    origin = answer.provenance.origin.value
    yield answer.pointer or "/"
    yield f"   value      {_text(answer.value)}"
    if answer.written is not None:
        yield f"   written    {answer.written}"
    at = answer.provenance.at
    yield f"   origin     {ORIGINS.get(origin, origin)}" + (f", {_place(stack, at)}" if at is not None else "")
    if chain := _chain(answer.provenance):
        yield f"   imported   {' -> '.join(chain)}"
    for place in answer.provenance.shadowed:
        yield f"   overrides  {_place(stack, place)}"
    if answer.default is not None:
        yield f"   default    {_text(answer.default)}"
    if answer.documentation:
        yield f"   means      {answer.documentation}"


def _text(value: object) -> str:
    made = plain(value)
    return "not set" if made is None else json.dumps(made, ensure_ascii=False)


def _chain(provenance: "Provenance") -> tuple[str, ...]:
    return provenance.at.source.chain if provenance.at is not None else ()


def _place(stack: Stack, at: "At | None") -> str | None:
    return None if at is None else f"{stack.path(at.source.repository, at.source.file)}:{at.line}:{at.column}"
