"""Routes that name the permission they need, and the parts of the process that their handlers use.

The declared permission is in the route's ``openapi_extra`` (a test walks all routes) and is given to the process's
``admit`` before the handler runs; what ``admit`` returns is the handler's caller.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import APIRouter, Depends, Request
from starlette.requests import HTTPConnection

from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Database
from stagewright.kit.http.confirm import Confirmations
from stagewright.kit.http.cursors import Cursors
from stagewright.kit.http.query import known_query
from stagewright.kit.http.shapes import Problem

PUBLIC = "public"
MARK = "x-permission"
KEYED = "x-idempotency-key"
Handler = TypeVar("Handler", bound=Callable[..., Any])
PROBLEM = {"model": Problem, "content": {"application/problem+json": {}}}


class Admit(Protocol):
    """Lets callers in: requests, and WebSockets before they are accepted."""

    async def __call__(self, connection: HTTPConnection, permission: str) -> Any:
        """Return who calls; raise why not. For a WebSocket a cookie counts from our own origin only."""
        ...

    async def again(self, caller: Any) -> Any:
        """Return the caller as they are now; raise ``Unauthenticated`` when the credential ended meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What handlers get from their process. ``answers`` seals the answers kept for repeated requests."""

    db: Database
    clock: Clock
    cursors: Cursors
    answers: Sealer
    confirmations: Confirmations
    admit: Admit


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def _db(request: Request) -> Database:
    return _parts(request).db


def _clock(request: Request) -> Clock:
    return _parts(request).clock


def _cursors(request: Request) -> Cursors:
    return _parts(request).cursors


def _confirmations(request: Request) -> Confirmations:
    return _parts(request).confirmations


def caller(request: Request) -> Any:
    """Return who ``admit`` let in: a dependency, annotated with the caller's type where it is used."""
    return request.state.caller


Db = Annotated[Database, Depends(_db)]
ClockDep = Annotated[Clock, Depends(_clock)]
CursorsDep = Annotated[Cursors, Depends(_cursors)]
ConfirmationsDep = Annotated[Confirmations, Depends(_confirmations)]


class Routes:
    """Routes of one context. Each names its permission, or ``PUBLIC``."""

    def __init__(self, *, tag: str, prefix: str = "/api/v1") -> None:
        self.router = APIRouter(tags=[tag], prefix=prefix)

    def get(self, path: str, permission: StrEnum | str, **options: Any) -> Callable[[Handler], Handler]:
        """Add a route that reads."""
        return self._add("GET", path, permission, options)

    def post(
        self, path: str, permission: StrEnum | str, *, keyed: bool = False, **options: Any
    ) -> Callable[[Handler], Handler]:
        """Add a route that does something; ``keyed``: an ``Idempotency-Key`` is required."""
        return self._add("POST", path, permission, options, keyed=keyed)

    def put(self, path: str, permission: StrEnum | str, **options: Any) -> Callable[[Handler], Handler]:
        """Add a route that replaces something whole."""
        return self._add("PUT", path, permission, options)

    def patch(self, path: str, permission: StrEnum | str, **options: Any) -> Callable[[Handler], Handler]:
        """Add a route that changes something."""
        return self._add("PATCH", path, permission, options)

    def delete(self, path: str, permission: StrEnum | str, **options: Any) -> Callable[[Handler], Handler]:
        """Add a route that removes something."""
        return self._add("DELETE", path, permission, options)

    def _add(
        self, method: str, path: str, permission: StrEnum | str, options: dict[str, Any], *, keyed: bool = False
    ) -> Callable[[Handler], Handler]:
        name = str(permission)
        guards = [Depends(known_query)] if name == PUBLIC else [Depends(_admitted(name)), Depends(known_query)]

        def add(handler: Handler) -> Handler:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                dependencies=guards,
                operation_id=handler.__name__,
                openapi_extra={MARK: name, KEYED: keyed},
                responses={"default": PROBLEM, **options.pop("responses", {})},
                **options,
            )
            return handler

        return add


def _admitted(permission: str) -> Callable[[Request], Awaitable[None]]:
    async def admitted(request: Request) -> None:
        request.state.permission = permission
        request.state.caller = await _parts(request).admit(request, permission)

    return admitted
