"""Checks a document against the types, raw before rendering and strictly after it. All mistakes are found at once."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.fields import RAW
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.tree import Mapping
from stagewright.contexts.deploys.rules.shape.combining import combine
from stagewright.contexts.deploys.rules.shape.forms import STACK, content
from stagewright.contexts.deploys.rules.shape.problems import report

UNKNOWN = "extra_forbidden"
_ADAPTER: TypeAdapter[Stack] = TypeAdapter(Stack)


def check_shape(tree: Mapping, found: Findings) -> None:
    """Check the merged document before it is rendered: a template satisfies any scalar that may be one."""
    _check(tree, found, RAW)


def typed(tree: Mapping, found: Findings) -> Stack | None:
    """Return the rendered document as types, or None with findings. Fields that are not known are told and left out, so
    that the stages after this one find their mistakes as well."""
    return _check(tree, found, None)


def _check(tree: Mapping, found: Findings, context: dict[str, Any] | None) -> Stack | None:
    data = content(tree, STACK)
    stack = None
    try:
        stack = _validated(data, context)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        report(errors, tree, found)
        if all(item["type"] == UNKNOWN for item in errors):
            for item in errors:
                _remove(data, item["loc"])
            stack = _validated(data, context)
    before = len(found.items)
    combine(tree, found)
    return stack if len(found.items) == before else None


def _validated(data: Any, context: dict[str, Any] | None) -> Stack:
    return _ADAPTER.validate_python(data, context=context, by_alias=True, by_name=False)


def _remove(data: Any, path: tuple[int | str, ...]) -> None:
    """Take the field at ``path`` out. A step that is neither key nor index names an alternative, not a place."""
    for step in path[:-1]:
        if isinstance(data, dict):
            data = data.get(step, data)
        elif isinstance(step, int):
            data = data[step]
    del data[path[-1]]
