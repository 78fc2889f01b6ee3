"""The relay listener of the control plane: model calls of attempts, passed on with the platform's key.

Only the calls that the engines make exist here; ``model`` tokens only. Bodies and headers are never logged.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stagewright.adapters.providers import APIS, Endpoint, Providers
from stagewright.contexts.runs.model import AttemptId
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.runs.rules.relay import wrong_model
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Database
from stagewright.kit.errors import Denied, NotFound, StagewrightError, Unavailable
from stagewright.kit.http import OnBug, problem, status_of
from stagewright.kit.http.asgi import App, Receive, Scope, Send
from stagewright.kit.http.middleware import API_HEADERS, RequestIds, SafetyNet, SecurityHeaders
from stagewright.kit.metrics import Metrics
from stagewright.processes.controlplane.relay_answers import refused
from stagewright.processes.controlplane.relay_call import Asked, Caller, ModelCall, Parts, identify
from stagewright.processes.controlplane.relay_figures import Figures
from stagewright.processes.controlplane.relay_request import (
    ClientGone,
    bearer,
    headers_of,
    parse_request,
    query_of,
    read_body,
    unless_gone,
)

MOST_CALLS = 16

log = logs.get_logger(__name__)


def relay_app(
    *,
    db: Database,
    clock: Clock,
    tokens: AttemptTokens,
    sealer: Sealer,
    providers: Providers,
    metrics: Metrics,
    on_bug: OnBug,
) -> App:
    """Return the application of the relay listener. ``sealer`` opens credentials."""
    parts = Parts(db=db, clock=clock, tokens=tokens, sealer=sealer, providers=providers, figures=Figures(metrics))
    answers = _Answers(on_bug)
    app = Starlette(
        routes=[
            Route("/healthz", _healthy, methods=["GET"]),
            Route("/model/{engine}/{rest:path}", ModelDoor(parts)),
        ],
        middleware=[
            Middleware(RequestIds),
            Middleware(SecurityHeaders, headers=API_HEADERS),
            Middleware(SafetyNet, answer=answers.answer, metrics=metrics),
        ],
        exception_handlers={HTTPException: answers.handle},
    )
    app.router.redirect_slashes = False
    return app


async def _healthy(request: Request) -> Response:
    return JSONResponse({})


class ModelDoor:
    """``/model/<engine>/…``: every request is checked here, before its body is read and after."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: Counter[AttemptId] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        engine, rest = scope["path_params"]["engine"], "/" + scope["path_params"]["rest"]
        api = APIS.get(engine)
        endpoint = api.endpoint(scope["method"], rest) if api is not None else None
        if api is None or endpoint is None:
            await _not_found(scope)(scope, receive, send)
            return
        ended = _Ended(self._parts.figures, engine)
        try:
            with ended.timed():
                asked = Asked(
                    api=api,
                    endpoint=endpoint,
                    token=bearer(scope),
                    headers=headers_of(scope),
                    query=query_of(scope, api.queries),
                )
                await self._serve(asked, ended, scope, receive, send)
        except ClientGone:
            return
        except StagewrightError as error:
            if ended.call is not None and ended.call.started:
                log.warning("model call cut", code=error.stable_code)
                return  # an unfinished answer: the server closes the connection, the engine sees the cut
            log.info("model call refused", code=error.stable_code)
            await refused(api, error, request_id=logs.current("request_id") or "")(scope, receive, send)

    async def _serve(self, asked: Asked, ended: "_Ended", scope: Scope, receive: Receive, send: Send) -> None:
        async with self._parts.db.reading() as reader:
            caller = await identify(self._parts, asked, reader)
        with logs.bound(run_id=str(caller.run.id), correlation_id=caller.run.correlation_id), self._slot(caller):
            if asked.endpoint is Endpoint.MODELS:
                await JSONResponse(asked.api.models(caller.model))(scope, receive, send)
                ended.outcome = "ok"
                return
            request = parse_request(await read_body(scope, receive))
            if (wrong := wrong_model(request.fields, caller.model)) is not None:
                raise Denied(wrong, code="model_not_allowed")
            call = ended.call = ModelCall(self._parts, asked, caller, send)
            try:
                await unless_gone(receive, call.exchange(request))
            finally:
                await call.settle()

    @contextmanager
    def _slot(self, caller: Caller) -> Iterator[None]:
        """Count the attempt's calls under way: a body of 32 MiB is held for each."""
        key = caller.attempt.id
        if self._open[key] >= MOST_CALLS:
            raise Unavailable(f"this attempt has {MOST_CALLS} model calls under way; wait for one", code="relay_busy")
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class _Ended:
    """How a request ended, for the figures."""

    def __init__(self, figures: Figures, engine: str) -> None:
        self._figures = figures
        self._engine = engine
        self.outcome = "client_gone"
        self.call: ModelCall | None = None

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the block, by its error or else by what the call says."""
        started = time.perf_counter()
        self._figures.open.labels(self._engine).inc()
        try:
            yield
            self.outcome = self.call.outcome if self.call is not None else self.outcome
        except StagewrightError as error:
            self.outcome = error.stable_code
            raise
        finally:
            self._figures.open.labels(self._engine).dec()
            self._figures.calls.labels(self._engine, self.outcome).inc()
            self._figures.seconds.labels(self._engine).observe(time.perf_counter() - started)


def _not_found(scope: Scope) -> App:
    error = NotFound("the relay passes on the calls of a run's engine only; this is none of them")
    return problem(error, instance=scope["path"])


class _Answers:
    """Answers what escaped a door, and reports the unforeseen."""

    def __init__(self, on_bug: OnBug) -> None:
        self._on_bug = on_bug

    async def handle(self, request: Request, error: Exception) -> Response:
        """Answer what the framework refuses: an unknown path, another method."""
        if isinstance(error, HTTPException) and error.status_code == 405:
            return JSONResponse({"code": "method_not_allowed"}, 405, dict(error.headers or {}))
        return problem(NotFound("the relay has no such path"), instance=request.url.path)

    async def answer(self, error: Exception, scope: Scope) -> App:
        """Answer an exception."""
        request_id = scope.get("state", {}).get("request_id", "")
        if status_of(error)[0] == 500:
            log.error("request failed", exc_info=error)
            await self._on_bug(error, request_id)
        return problem(error, instance=scope["path"], request_id=request_id)
