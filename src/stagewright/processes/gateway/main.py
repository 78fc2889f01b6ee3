"""Serve the gateway until told to stop."""

from stagewright.adapters.github import GitHubDirectory, Rates, Wire, open_http
from stagewright.kit.http import serving
from stagewright.kit.logs import get_logger
from stagewright.processes.common import Platform, observed
from stagewright.processes.gateway.app import make_app

BACKLOG = 2048
log = get_logger(__name__)


async def main(platform: Platform) -> None:
    """Open the listener and wait for the end."""
    async with open_http() as http:
        app = make_app(platform, GitHubDirectory(Wire(http, Rates(), platform.clock)))
        async with (
            observed(platform, {}),
            serving(app, platform.settings.listen, http="httptools", ws="none", backlog=BACKLOG) as bound,
        ):
            log.info("gateway listens", address=bound.url)
            await platform.stop.wait()
