"""Texts and JSON that a workload sends, brought to what a row and the journal can hold, or refused by name."""

import json
import re
from typing import Any

from stagewright.contexts.runs.errors import MessageInvalid
from stagewright.contexts.runs.rules.result_checks import texts_of
from stagewright.kit.errors import FieldProblem

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
DEEPEST = 32


def clean(text: str, limit: int) -> str:
    """Return what a column can hold of a runner's ``text``."""
    return UNSTORABLE.sub("", text)[:limit]


def parse_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object without floats and without characters no row can hold, or say what is wrong with it."""
    try:
        value = json.loads(text or "{}", parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        problem = FieldProblem("/", "json", f"line {error.lineno}, column {error.colno}: {error.msg}")
        raise MessageInvalid(f"{what} is not JSON: {error.msg}", problems=(problem,)) from error
    except (RecursionError, ValueError) as error:
        raise MessageInvalid(f"{what} is nested too deeply or holds too large a number; simplify it") from error
    if not isinstance(value, dict):
        raise MessageInvalid(f"{what} must be a JSON object")
    if _is_deeper(value, DEEPEST):
        raise MessageInvalid(f"{what} is nested too deeply: at most {DEEPEST} levels; simplify it")
    for pointer, part in texts_of(value):
        if UNSTORABLE.search(part):
            problem = FieldProblem(
                pointer.encode(errors="replace").decode(), "text", "leave out NUL and lone surrogates"
            )
            raise MessageInvalid(f"{what} has a character that no text may hold", problems=(problem,))
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Say whether a JSON value has more levels; without recursion, as it may have any number."""
    level = [value]
    for _ in range(levels):
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True
