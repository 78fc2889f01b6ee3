"""The gateway's application: every context's door behind one doorkeeper, and the webhook door beside them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals import http as approvals_door
from stagewright.contexts.deploys import http as deploys_door
from stagewright.contexts.identity import http as identity_door
from stagewright.contexts.identity.ports import GitHubLogin
from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.incidents import http as incidents_door
from stagewright.contexts.intake import http as intake_door
from stagewright.contexts.intake.http import steps
from stagewright.contexts.intake.ports import ForgeThreads
from stagewright.contexts.overview import http as overview_door
from stagewright.contexts.projects import http as projects_door
from stagewright.contexts.projects.api import ForgeDirectory
from stagewright.contexts.runs import http as runs_door
from stagewright.contexts.runs.http import repositories
from stagewright.contexts.runs.usecases.binding import Sealers
from stagewright.contexts.vault import http as vault_door
from stagewright.contexts.workflow import http as workflow_door
from stagewright.kit import logs
from stagewright.kit.crypto import MacSigner
from stagewright.kit.errors import StagewrightError
from stagewright.kit.http import Cursors, install, problem
from stagewright.kit.http.asgi import App, Receive, Scope, Send
from stagewright.kit.http.browser import Browser
from stagewright.kit.http.confirm import Confirmations
from stagewright.kit.http.middleware import headers_for
from stagewright.kit.http.routes import Parts
from stagewright.processes.common import VERSION, Platform, Purpose
from stagewright.processes.gateway import audit, health, realtime, settings, system
from stagewright.processes.gateway.accounts import StoredAccess
from stagewright.processes.gateway.console import Console
from stagewright.processes.gateway.doorkeeper import Doorkeeper, LateWords
from stagewright.processes.gateway.live_threads import LiveThreads
from stagewright.processes.gateway.origin import OriginGate

log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to sign in whose routes exist in this process."""

    local: bool = True
    github: bool = True


EVERY_WAY = Ways()


def routers(ways: Ways = EVERY_WAY) -> Iterator[APIRouter]:
    """Yield all routes of the gateway but the webhook door, which is no part of the framework."""
    if ways.local:
        yield from identity_door.local
    if ways.github:
        yield from identity_door.oauth
    yield health.routes.router
    yield system.routes.router
    yield from identity_door.routes
    yield projects_door.routes.router
    yield vault_door.routes.router
    yield workflow_door.routes.router
    yield workflow_door.schemas.router
    yield deploys_door.schemas.router
    yield from runs_door.routes
    yield from intake_door.routes
    yield approvals_door.routes.router
    yield incidents_door.routes.router
    yield from overview_door.routes
    yield audit.routes.router
    yield settings.routes.router
    yield realtime.routes.router


@dataclass(frozen=True, slots=True)
class Forge:
    """How the gateway reads forges: with a credential that somebody gives it, and with the stored ones."""

    directory: ForgeDirectory
    threads: ForgeThreads


def make_framework(ways: Ways = EVERY_WAY) -> FastAPI:
    """Return the framework's application with its routes: enough to describe them.

    They are taken as they are: ``include_router`` would build each a second time, and the first request would wait for
    it. It adds nothing: a route of ours knows its whole path and its guards.
    """
    app = FastAPI(
        title="Stagewright",
        version=VERSION,
        summary="From a label on an issue to a pull request",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in routers(ways):
        app.router.routes.extend(router.routes)
    return app


def make_app(platform: Platform, forge: Forge, github: GitHubLogin | None = None) -> App:
    """Return what the listener serves; ``github`` is how people sign in there, None without an OAuth client."""
    app = make_framework(Ways(local=platform.settings.local_login, github=github is not None))
    app.add_middleware(Console)
    app.add_middleware(LateWords, metrics=platform.metrics)
    _give_parts(app, platform, forge, github)

    headers = headers_for(platform.settings.public_url)

    async def on_bug(error: Exception, request_id: str) -> None:
        await platform.report_bug("gateway", error, request_id)

    install(app, on_bug=on_bug, metrics=platform.metrics, redact=platform.redactor.to("http"), headers=headers)
    webhooks = intake_door.WebhookDoor(
        platform.db,
        sealer=platform.sealer(Purpose.WEBHOOK_SECRETS),
        clock=platform.clock,
        metrics=platform.metrics,
    )
    return Doors(app, webhooks, platform)


def _give_parts(app: FastAPI, platform: Platform, forge: Forge, github: GitHubLogin | None) -> None:
    credentials = platform.sealer(Purpose.CREDENTIALS)
    browser = Browser(platform.settings.public_url, platform.keyring)
    app.state.platform = platform
    app.state.parts = Parts(
        db=platform.db,
        clock=platform.clock,
        cursors=Cursors(platform.keyring),
        answers=platform.sealer(Purpose.ANSWERS),
        confirmations=Confirmations(platform.keyring, platform.clock),
        admit=OriginGate(settings.WriteGate(Doorkeeper(platform, browser), platform.stored), platform),
    )
    app.state.identity = identity_door.Parts(
        public_url=platform.settings.public_url,
        idle=platform.settings.session_idle,
        longest=platform.settings.session_max,
        trusted_proxies=platform.settings.trusted_proxies,
        browser=browser,
        metrics=platform.metrics,
        local_login=platform.settings.local_login,
        github=github,
        accounts=StoredAccess(platform, forge.directory),
        report_mismatch=partial(_report_mismatch, platform),
    )
    app.state.vault = vault_door.Parts(credentials, MacSigner(platform.keyring, "fingerprint"), forge.directory)
    signer = MacSigner(platform.keyring, approvals.PURPOSE)
    app.state.approvals = approvals_door.Parts(signer, sole_may=platform.settings.embedded)
    app.state.repositories = repositories.Parts(
        directory=forge.directory,
        sealers=Sealers(credentials, platform.sealer(Purpose.WEBHOOK_SECRETS)),
        public_url=platform.settings.public_url,
        loopback_forges=platform.settings.listen.loopback,
    )
    app.state.next_steps = steps.Parts(LiveThreads(platform, forge.threads).look)


async def _report_mismatch(platform: Platform, error: StagewrightError, github_user_id: int | None) -> None:
    """Open an incident: somebody may have taken over an e-mail address."""
    async with platform.db.transaction() as tx:
        await incidents.report(
            tx,
            level="error",
            source="identity.login",
            code=error.stable_code,
            message=error.message,
            details={"github_user_id": github_user_id},
            now=platform.clock.now(),
        )


class Doors:
    """Sends deliveries to the webhook door, which is on the shortest way, and everything else to the framework."""

    def __init__(self, app: App, webhooks: App, platform: Platform) -> None:
        self._app = app
        self._webhooks = webhooks
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _is_webhook(scope["path"]):
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._webhooks(scope, receive, send_noting)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the door wrapper of a door that the framework's own does not cover
            log.error("delivery failed", exc_info=error)
            await self._platform.report_bug("gateway.webhooks", error)
            if not started:
                await problem(error, instance=scope["path"])(scope, receive, send)


def _is_webhook(path: str) -> bool:
    return path == intake_door.PATH or path.startswith(intake_door.PATH + "/")
