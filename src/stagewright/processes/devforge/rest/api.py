"""The API's dispatcher: finds the route, knows the caller, counts limits, writes GitHub's headers on every answer."""

import hashlib
import json
import re
from secrets import token_hex
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from stagewright.processes.devforge.access import Caller, authenticate, authorise
from stagewright.processes.devforge.faults import Fault
from stagewright.processes.devforge.limits import CORE, Window
from stagewright.processes.devforge.problems import ApiProblem, bad_request, not_found
from stagewright.processes.devforge.rest import (
    apps,
    comments,
    contents,
    gitdata,
    hooks,
    issues,
    labels,
    pulls,
    repositories,
    reviews,
    search,
    users,
)
from stagewright.processes.devforge.rest.call import WIDE, Answer, Call, Route
from stagewright.processes.devforge.state import Forge

MODULES = (users, repositories, labels, issues, comments, pulls, reviews, gitdata, contents, hooks, apps, search)
PREFIX = "/api"
API_VERSION = "2022-11-28"
FREE = "/rate_limit"
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def specificity(route: Route) -> list[int]:
    """Order routes so that a spelled-out segment wins over a placeholder, and both over a path of any length."""
    return [_breadth(segment) for segment in route.template.split("/")]


def _breadth(segment: str) -> int:
    return 0 if not segment.startswith("{") else 2 if segment.strip("{}") in WIDE else 1


ROUTES: tuple[Route, ...] = tuple(sorted((one for module in MODULES for one in module.ROUTES), key=specificity))


class Api:
    """Answers everything under ``/api``."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._patterns: list[tuple[re.Pattern[str], Route]] = [(route.pattern(), route) for route in ROUTES]

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        caller = Caller()
        window = self._window(caller, CORE)
        try:
            caller = authenticate(self._forge, request.headers.get("authorization"))
            request.state.login = caller.user.login if caller.user else None
            route, path = self._find(request)
            window = self._window(caller, route.resource)
            self._check_limits(caller, window, getattr(request.state, "fault", None))
            answer = await self._act(request, caller, route, path)
        except ApiProblem as problem:
            self._count(window, request)
            answer = Answer(problem.as_json(), status=problem.status, headers=problem.headers)
            return self._response(answer, caller, window)
        response = self._response(answer, caller, window)
        if request.method == "GET" and answer.status == 200 and _matches(request, response):
            return Response(status_code=304, headers=self._common(caller, window) | {"ETag": response.headers["etag"]})
        self._count(window, request)
        response.headers.update(window.as_headers())
        return response

    def _find(self, request: Request) -> tuple[Route, dict[str, str]]:
        raw = request.scope["raw_path"].decode("ascii", "replace").removeprefix(PREFIX)
        if "%00" in raw or b"%00" in request.scope["query_string"]:
            raise bad_request("Addresses hold no null bytes")  # nor do arguments of git
        for pattern, route in self._patterns:
            found = pattern.fullmatch(raw) if route.method == request.method else None
            if found:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        raise not_found()

    async def _act(self, request: Request, caller: Caller, route: Route, path: dict[str, str]) -> Answer:
        call = Call(
            forge=self._forge,
            caller=caller,
            path=path,
            query=dict(request.query_params),
            url=f"{self._forge.web_url}{request.scope['raw_path'].decode('ascii', 'replace')}",
            accept=request.headers.get("accept", ""),
            json=await _json(request),
        )
        if route.needs is None:
            return await route.act(call)
        call.found = self._forge.repo(path["owner"], path["repo"])
        authorise(caller, call.found, route.needs)
        if request.method == "GET":
            return await route.act(call)
        async with call.found.lock:
            return await route.act(call)

    def _window(self, caller: Caller, resource: str) -> Window:
        return self._forge.limits.window(caller.bucket, resource, self._forge.now())

    def _check_limits(self, caller: Caller, window: Window, fault: Fault | None) -> None:
        """Refuse when the window is used up, or when a test ordered a limit for this request."""
        if fault is not None and fault.kind == "rate_limit":
            if fault.limit == "secondary":
                wait = {"Retry-After": str(fault.retry_after or 60)}
                raise ApiProblem(fault.limit_status, SECONDARY, headers=wait)
            window.used = window.limit
            window.reset = fault.reset or window.reset
        if window.remaining == 0:
            whose = f"user ID {caller.user.id}" if caller.user else "127.0.0.1"
            told = {} if fault is None or fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            status = 403 if fault is None else fault.limit_status
            raise ApiProblem(status, f"API rate limit exceeded for {whose}.", headers=told)

    @staticmethod
    def _count(window: Window, request: Request) -> None:
        if request.url.path != f"{PREFIX}{FREE}":
            window.used = min(window.used + 1, window.limit)

    def _response(self, answer: Answer, caller: Caller, window: Window) -> Response:
        headers = self._common(caller, window) | answer.headers
        if answer.status == 204:
            return Response(status_code=204, headers=headers)
        if answer.text is not None:
            content = answer.text.encode()
        else:
            content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
        if answer.status == 200:
            headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        return Response(content, status_code=answer.status, headers=headers, media_type=answer.media)

    @staticmethod
    def _common(caller: Caller, window: Window) -> dict[str, str]:
        headers = window.as_headers() | {
            "X-GitHub-Request-Id": token_hex(12).upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": API_VERSION,
            "Vary": "Accept, Authorization",
        }
        if caller.token is not None and caller.token.scopes is not None:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(caller.token.scopes))
        return headers


def _matches(request: Request, response: Response) -> bool:
    wanted = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    return response.headers["etag"] in wanted or "*" in wanted


async def _json(request: Request) -> Any:
    raw = await request.body()
    if not raw.strip():
        return None
    if b"\\u0000" in raw:
        raise ApiProblem(422, "Texts hold no null bytes")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise bad_request("Problems parsing JSON") from error
