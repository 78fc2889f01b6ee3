"""Problem documents (RFC 9457) from our five kinds of errors: the HTTP column of the one error mapping."""

import math
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from stagewright.kit import errors, logs
from stagewright.kit.errors import FieldProblem, Invalid, StagewrightError
from stagewright.kit.http.asgi import App, Headers, Scope
from stagewright.kit.http.confirm import ConfirmOutdated, ConfirmRequired, NameRequired, ReasonRequired
from stagewright.kit.http.middleware import API_HEADERS, BODY_LIMIT, BodyLimit, RequestIds, SafetyNet, SecurityHeaders
from stagewright.kit.http.versions import VersionMismatch, VersionRequired
from stagewright.kit.metrics import Metrics

TYPE = "https://stagewright.dev/problems/"
OnBug = Callable[[Exception, str], Awaitable[None]]
Redact = Callable[[str], str]
# The first fitting line counts.
STATUSES: Sequence[tuple[type[Exception], int, str]] = (
    (errors.Unauthenticated, 401, "Sign in or use another credential"),
    (errors.TooLarge, 413, "The request is too large"),
    (ConfirmRequired, 428, "A confirmation is required"),
    (NameRequired, 428, "The exact name is required"),
    (ReasonRequired, 428, "A reason is required"),
    (VersionRequired, 428, "A version is required"),
    (errors.Invalid, 400, "The request is malformed"),
    (errors.Denied, 403, "Not permitted"),
    (errors.NotFound, 404, "Not found"),
    (errors.Refused, 422, "Refused by a rule"),
    (VersionMismatch, 412, "The resource changed"),
    (ConfirmOutdated, 409, "The resource changed since the preview"),
    (errors.Conflict, 409, "Another state than expected"),
    (errors.LimitReached, 429, "A limit was reached"),
    (errors.Unavailable, 503, "Not available now"),
    (TimeoutError, 504, "The deadline passed"),
)
INTERNAL = (500, "Internal error")
FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed"}
RETRYABLE = frozenset({429, 503, 504})
MEDIA_TYPE = "application/problem+json"

log = logs.get_logger(__name__)


def status_of(error: Exception) -> tuple[int, str]:
    """Return the status and title of ``error``; 500 for everything that is not ours."""
    return next(((status, title) for kind, status, title in STATUSES if isinstance(error, kind)), INTERNAL)


def problem(
    error: Exception, *, instance: str = "", request_id: str | None = None, redact: Redact = str
) -> JSONResponse:
    """Return the answer for ``error``. Of an error that is not ours, nothing is shown."""
    status, title = status_of(error)
    headers: dict[str, str] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    body = _document(status, title, "timeout" if status == 504 else "internal", instance, request_id)
    if isinstance(error, StagewrightError):
        body |= {"type": TYPE + error.stable_code, "code": error.stable_code, "detail": redact(error.message)}
        body["params"] = _plain(error.params, redact)
    if isinstance(error, errors.Unavailable) and error.retry_after is not None:
        body["retry_after_s"] = max(0, math.ceil(error.retry_after.total_seconds()))
        headers["Retry-After"] = str(body["retry_after_s"])
    if isinstance(error, Invalid) and error.problems:
        body["errors"] = [_plain(item.as_json(), redact) for item in error.problems]
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def _document(status: int, title: str, code: str, instance: str, request_id: str | None) -> dict[str, Any]:
    return {
        "type": TYPE + code,
        "title": title,
        "status": status,
        "code": code,
        "detail": title,
        "instance": instance,
        "request_id": request_id or logs.current("request_id") or "",
        "retryable": status in RETRYABLE,
        "params": {},
    }


def _plain(value: Any, redact: Redact) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, redact) for item in value]
    return redact(str(value))


def install(
    app: FastAPI,
    *,
    on_bug: OnBug | None = None,
    metrics: Metrics | None = None,
    redact: Redact = str,
    body_limit: int = BODY_LIMIT,
    headers: Headers | None = None,
) -> None:
    """Give ``app`` the shared middlewares and one answer per kind of error.

    ``on_bug(error, request_id)`` is told of every unforeseen exception after it was logged. ``headers`` replace the
    security headers of API answers.
    """
    answers = _Answers(on_bug, redact)
    app.add_exception_handler(StagewrightError, answers.handle)
    app.add_exception_handler(TimeoutError, answers.handle)
    app.add_exception_handler(RequestValidationError, answers.handle)
    app.add_exception_handler(HTTPException, answers.handle)
    app.add_middleware(BodyLimit, answer=answers.answer, limit=body_limit)
    app.add_middleware(SafetyNet, answer=answers.answer, metrics=metrics)
    app.add_middleware(SecurityHeaders, headers=API_HEADERS if headers is None else headers)
    app.add_middleware(RequestIds)


class _Answers:
    """Makes the answer for any exception, and reports the unforeseen ones."""

    def __init__(self, on_bug: OnBug | None, redact: Redact) -> None:
        self._on_bug = on_bug
        self._redact = redact

    async def handle(self, request: Request, error: Exception) -> Response:
        """Answer an exception inside the application (a FastAPI exception handler)."""
        return await self._response(error, request.scope)

    async def answer(self, error: Exception, scope: Scope) -> App:
        """Answer an exception outside of it."""
        return await self._response(error, scope)

    async def _response(self, error: Exception, scope: Scope) -> Response:
        request_id = scope.get("state", {}).get("request_id", "")
        if isinstance(error, HTTPException):
            return _of_framework(error, scope, request_id)
        known = _of_validation(error) if isinstance(error, RequestValidationError) else error
        if status_of(known) == INTERNAL:
            await self._report(known, request_id)
        return problem(known, instance=scope["path"], request_id=request_id, redact=self._redact)

    async def _report(self, error: Exception, request_id: str) -> None:
        log.error("request failed", exc_info=error)
        if self._on_bug is None:
            return
        try:
            await self._on_bug(error, request_id)
        except Exception as failure:  # the report of a failure must not become one
            log.error("request failure could not be reported", exc_info=failure)


def _of_framework(error: HTTPException, scope: Scope, request_id: str) -> Response:
    """Answer what the framework itself refuses: an unknown path, another method."""
    title = HTTPStatus(error.status_code).phrase
    code = FRAMEWORK_CODES.get(error.status_code, "http.refused")
    body = _document(error.status_code, title, code, scope["path"], request_id)
    return JSONResponse(body, error.status_code, dict(error.headers or {}), media_type=MEDIA_TYPE)


def _of_validation(error: RequestValidationError) -> Invalid:
    """Translate the framework's list: pointers into the body as they are, others below /query, /path, /header."""
    problems = tuple(
        FieldProblem(_pointer(item["loc"]), f"invalid.{item['type']}", str(item["msg"])) for item in error.errors()
    )
    return Invalid("the request does not have the form of this endpoint", problems=problems)


def _pointer(place: Sequence[str | int]) -> str:
    parts = place[1:] if place and place[0] == "body" else place
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
