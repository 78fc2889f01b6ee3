"""The control door under ``/_control``: what tests, the demo and rehearsals do to the forge from behind the scenes."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stagewright.kit.errors import Conflict, Invalid, NotFound, StagewrightError
from stagewright.processes.devforge import planting
from stagewright.processes.devforge.acts import founding, threads
from stagewright.processes.devforge.faults import parse_fault
from stagewright.processes.devforge.limits import ALLOWED, CORE
from stagewright.processes.devforge.problems import ApiProblem
from stagewright.processes.devforge.state import Actor, Forge, issue_of
from stagewright.processes.devforge.wishes import Wish

STATUS: tuple[tuple[type[StagewrightError], int], ...] = ((Invalid, 422), (NotFound, 404), (Conflict, 409))
LONGEST_WAIT = 60

Act = Callable[["Control", Request], Awaitable[Any]]


class Control:
    """The control routes of one forge."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge

    async def seed(self, request: Request) -> Any:
        """Make everything a seed document names."""
        return await planting.plant(self.forge, await _json(request))

    async def user(self, request: Request) -> Any:
        """Make an account."""
        return planting.plant_user(self.forge, await _wish(request))

    async def token(self, request: Request) -> Any:
        """Make a token."""
        return planting.plant_token(self.forge, await _wish(request))

    async def revoke(self, request: Request) -> Any:
        """Make a token void."""
        wish = await _wish(request)
        value = wish.text("token")
        wish.done()
        if self.forge.tokens.pop(value, None) is None:
            raise NotFound("token: there is no such token")
        return {}

    async def repository(self, request: Request) -> Any:
        """Make a repository."""
        return await planting.plant_repo(self.forge, await _wish(request))

    async def collaborator(self, request: Request) -> Any:
        """Give an account a role on a repository."""
        wish = await _wish(request)
        role = wish.text("role")
        wish.done()
        repo = planting.named_repo(self.forge, f"{request.path_params['owner']}/{request.path_params['name']}")
        founding.set_role(repo, founding.known_user(self.forge, request.path_params["login"]), role)
        return {}

    async def delete_issue(self, request: Request) -> Any:
        """Delete an issue as the repository's owner."""
        repo = planting.named_repo(self.forge, f"{request.path_params['owner']}/{request.path_params['name']}")
        async with repo.lock:
            thread = issue_of(repo, request.path_params["number"])
            await threads.delete_issue(self.forge, repo, thread, Actor(user=repo.owner))
        return {}

    async def app(self, request: Request) -> Any:
        """Make a GitHub App."""
        return planting.plant_app(self.forge, await _wish(request))

    async def installation(self, request: Request) -> Any:
        """Install a GitHub App."""
        return planting.plant_installation(self.forge, request.path_params["app_id"], await _wish(request))

    async def inject(self, request: Request) -> Any:
        """Order a fault for the next matching requests."""
        wish = await _json(request)
        if not isinstance(wish, dict):
            raise Invalid("fault: must be a JSON object")
        fault = parse_fault(wish)
        self.forge.faults.active.append(fault)
        return fault.as_json()

    async def faults(self, _: Request) -> Any:
        """List the faults in force."""
        return [fault.as_json() for fault in self.forge.faults.active]

    async def heal(self, _: Request) -> Any:
        """Drop all faults."""
        self.forge.faults.active.clear()
        return {}

    async def rate_limit(self, request: Request) -> Any:
        """Set how much of a limit an account or an installation has left."""
        wish = await _wish(request)
        login, installation = wish.maybe_text("user"), wish.whole("installation")
        resource, remaining, reset = wish.maybe_text("resource") or CORE, wish.whole("remaining"), wish.whole("reset")
        wish.done()
        if remaining is None or remaining < 0 or resource not in ALLOWED:
            raise Invalid(f"rate_limit: needs remaining (0 or more) and a resource of {', '.join(ALLOWED)}")
        if (login is None) == (installation is None):
            raise Invalid("rate_limit: needs either user or installation")
        bucket = f"installation:{installation}"
        if login is not None:
            bucket = f"user:{founding.known_user(self.forge, login).id}"
        self.forge.limits.leave(bucket, resource, remaining, reset, self.forge.now())
        return self.forge.limits.window(bucket, resource, self.forge.now()).as_json()

    async def webhooks(self, request: Request) -> Any:
        """Drop or duplicate the next webhooks."""
        wish = await _wish(request)
        drop, duplicate = wish.whole("drop"), wish.whole("duplicate")
        wish.done()
        courier = self.forge.courier
        courier.drop_next = courier.drop_next if drop is None else drop
        courier.duplicate_next = courier.duplicate_next if duplicate is None else duplicate
        return {"drop": courier.drop_next, "duplicate": courier.duplicate_next}

    async def idle(self, request: Request) -> Any:
        """Wait until all webhooks were handed over."""
        text = request.query_params.get("timeout", "10")
        try:
            seconds = min(float(text), LONGEST_WAIT)
        except ValueError as error:
            raise Invalid(f"timeout: must be a number of seconds, not {text!r}") from error
        return {"idle": await self.forge.courier.idle(seconds)}

    async def requests(self, request: Request) -> Any:
        """List journalled requests, oldest first, by method and path expression."""
        method = request.query_params.get("method")
        try:
            path = re.compile(request.query_params.get("path", ""))
        except re.error as error:
            raise Invalid(f"path: is no regular expression: {error}") from error
        kept = self.forge.requests
        return [one for one in kept if method in (None, one["method"]) and path.search(one["path"])]

    async def forget_requests(self, _: Request) -> Any:
        """Empty the request journal."""
        self.forge.requests.clear()
        return {}

    async def effects(self, _: Request) -> Any:
        """List what was done on the forge, oldest first, by whichever door."""
        return list(self.forge.effects)

    async def forget_effects(self, _: Request) -> Any:
        """Empty the list of effects."""
        self.forge.effects.clear()
        return {}

    async def clock(self, request: Request) -> Any:
        """Let time pass on the forge."""
        wish = await _wish(request)
        seconds = wish.whole("advance_seconds")
        wish.done()
        if seconds is None or seconds < 0:
            raise Invalid("clock.advance_seconds: must be a whole number of at least 0")
        self.forge.advance(timedelta(seconds=seconds))
        return {"now": self.forge.now().isoformat()}


TABLE: tuple[tuple[str, str, Act], ...] = (
    ("POST", "/seed", Control.seed),
    ("POST", "/users", Control.user),
    ("POST", "/tokens", Control.token),
    ("POST", "/tokens/revoke", Control.revoke),
    ("POST", "/repositories", Control.repository),
    ("PUT", "/repositories/{owner}/{name}/collaborators/{login}", Control.collaborator),
    ("DELETE", "/repositories/{owner}/{name}/issues/{number:int}", Control.delete_issue),
    ("POST", "/apps", Control.app),
    ("POST", "/apps/{app_id:int}/installations", Control.installation),
    ("POST", "/faults", Control.inject),
    ("GET", "/faults", Control.faults),
    ("DELETE", "/faults", Control.heal),
    ("POST", "/rate_limit", Control.rate_limit),
    ("POST", "/webhooks", Control.webhooks),
    ("GET", "/webhooks/idle", Control.idle),
    ("GET", "/requests", Control.requests),
    ("DELETE", "/requests", Control.forget_requests),
    ("GET", "/effects", Control.effects),
    ("DELETE", "/effects", Control.forget_effects),
    ("POST", "/clock", Control.clock),
)


def control_routes(forge: Forge) -> list[Route]:
    """Return the routes of the control door."""
    control = Control(forge)
    return [Route(path, _endpoint(control, act), methods=[method]) for method, path, act in TABLE]


def _endpoint(control: Control, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(await act(control, request))
        except StagewrightError as error:
            status = next((status for kind, status in STATUS if isinstance(error, kind)), 400)
            return JSONResponse({"message": error.message}, status_code=status)
        except ApiProblem as problem:
            return JSONResponse(problem.as_json(), status_code=problem.status)

    return serve


async def _wish(request: Request) -> Wish:
    return Wish(await _json(request), request.url.path.rpartition("/")[2])


async def _json(request: Request) -> Any:
    raw = await request.body()
    try:
        return json.loads(raw or b"{}")
    except ValueError as error:
        raise Invalid(f"the body is no JSON: {error}") from error
