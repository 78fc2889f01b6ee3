"""Serve the gateway until told to stop."""

from typing import Any

import httpx

from stagewright.adapters.github import Client, GitHubDirectory, GitHubOAuth, GitHubThreads, Rates, Wire, open_http
from stagewright.contexts.identity import api as identity
from stagewright.kit.http import serving
from stagewright.kit.http.browser import Browser
from stagewright.kit.logs import get_logger
from stagewright.processes.common import Platform, observed
from stagewright.processes.gateway import realtime
from stagewright.processes.gateway.app import Forge, make_app
from stagewright.processes.gateway.doorkeeper import Doorkeeper, SocketDoor
from stagewright.processes.outside import stored_access
from stagewright.processes.reach import reach_of
from stagewright.processes.settings import Settings

BACKLOG = 2048
SOCKETS: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": 256 * 1024,  # longer than what the protocol takes, so that a client reads why its socket ends
    "ws_ping_interval": 20,
    "ws_ping_timeout": 45,
    "ws_per_message_deflate": False,  # its windows would be most of a socket's memory
}
log = get_logger(__name__)


def _github(settings: Settings, http: httpx.AsyncClient) -> GitHubOAuth | None:
    client_id, client_secret = settings.github_oauth_client_id, settings.github_oauth_client_secret
    if client_id is None or client_secret is None:
        return None
    return GitHubOAuth(http, client_id=client_id, client_secret=client_secret)


async def _admit_first_users(platform: Platform) -> None:
    """Make the owner and the allowed members who are missing. `up` made its own owner already."""
    settings = platform.settings
    if settings.embedded:
        return
    async with platform.db.transaction() as tx:
        await identity.admit_first_users(
            tx, owner_email=settings.owner_email, allowed=settings.allowed_emails, now=platform.clock.now()
        )


async def main(platform: Platform) -> None:
    """Open the listener and wait for the end."""
    await _admit_first_users(platform)
    doorkeeper = Doorkeeper(platform, Browser(platform.settings.public_url, platform.keyring))
    async with open_http(reach_of(platform.settings)) as http:
        wire = Wire(http, Rates(), platform.clock)
        threads = GitHubThreads(Client(wire, stored_access(platform, wire), platform.clock))
        forge = Forge(directory=GitHubDirectory(wire), threads=threads)
        app = make_app(platform, forge, _github(platform.settings, http))
        async with (
            realtime.open_live(platform, SocketDoor(doorkeeper)) as live,
            observed(platform, {"reader": live.fresh}),
            serving(
                realtime.Door(app, live), platform.settings.listen, http="httptools", backlog=BACKLOG, **SOCKETS
            ) as bound,
        ):
            log.info("gateway listens", address=bound.url)
            await platform.stop.wait()
