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

_ADAPTER: TypeAdapter[Stack] = TypeAdapter(Stack)


def check_shape(tree: Mapping, found: Findings) -> None:
    """Check the merged document before it is rendered: a template satisfies any scalar that may be one."""
    _check(tree, found, RAW)


def typed(tree: Mapping, found: Findings) -> Stack | None:
    """Return the rendered document as types, or None with findings."""
    return _check(tree, found, None)


def _check(tree: Mapping, found: Findings, context: dict[str, Any] | None) -> Stack | None:
    before = len(found.items)
    stack: Stack | None = None
    try:
        stack = _ADAPTER.validate_python(content(tree, STACK), context=context, by_alias=True, by_name=False)
    except ValidationError as error:
        report(error.errors(include_url=False), tree, found)
    combine(tree, found)
    return stack if len(found.items) == before else None
