"""Serve the gateway until told to stop."""

from typing import Any

from stagewright.adapters.github import GitHubDirectory, Rates, Wire, open_http
from stagewright.kit.http import serving
from stagewright.kit.http.browser import Browser
from stagewright.kit.logs import get_logger
from stagewright.processes.common import Platform, observed
from stagewright.processes.gateway import realtime
from stagewright.processes.gateway.app import make_app
from stagewright.processes.gateway.doorkeeper import Doorkeeper, SocketDoor

BACKLOG = 2048
SOCKETS: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": 256 * 1024,  # longer than what the protocol takes, so that a client reads why its socket ends
    "ws_ping_interval": 20,
    "ws_ping_timeout": 45,
    "ws_per_message_deflate": False,  # its windows would be most of a socket's memory
}
log = get_logger(__name__)


async def main(platform: Platform) -> None:
    """Open the listener and wait for the end."""
    doorkeeper = Doorkeeper(platform, Browser(platform.settings.public_url, platform.keyring))
    async with open_http() as http:
        app = make_app(platform, GitHubDirectory(Wire(http, Rates(), platform.clock)))
        async with (
            realtime.open_live(platform, SocketDoor(doorkeeper)) as live,
            observed(platform, {"reader": live.fresh}),
            serving(
                realtime.Door(app, live), platform.settings.listen, http="httptools", backlog=BACKLOG, **SOCKETS
            ) as bound,
        ):
            log.info("gateway listens", address=bound.url)
            await platform.stop.wait()
