"""Unknown query parameters are refused: a misspelt filter would silently show everything."""

import difflib
from typing import Any

from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from fastapi.requests import HTTPConnection

from stagewright.kit.errors import FieldProblem, Invalid
from stagewright.kit.http.asgi import effective_route


async def known_query(request: HTTPConnection) -> None:
    """Refuse query parameters that the chosen route does not declare: a dependency for a whole application."""
    given = set(request.query_params.keys())
    if not given:
        return
    known = _declared(effective_route(request.scope))
    problems = []
    for name in sorted(given - known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
        problems.append(FieldProblem(f"/query/{name[:100]}", "unknown_parameter", f"unknown query parameter; {hint}"))
    if problems:
        raise Invalid("the request has unknown query parameters", problems=tuple(problems))


def _declared(route: Any) -> set[str]:
    fields = get_flat_params(route.dependant)
    return {field.alias for field in fields if isinstance(field.field_info, params.Query)}
