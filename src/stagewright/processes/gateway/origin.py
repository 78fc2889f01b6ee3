"""Notes through which door a person's change comes: the console's session or a program's token, and the network."""

from typing import Any

from starlette.requests import HTTPConnection

from stagewright.contexts.identity.api import Caller
from stagewright.kit.http.peers import prefix_of
from stagewright.kit.http.routes import Admit
from stagewright.kit.origins import note_origin
from stagewright.processes.common import Platform
from stagewright.processes.gateway.meta import Channel

READING = ("GET", "HEAD", "OPTIONS")
AUDIT = "/api/v1/audit"  # reading the audit of the installation is itself journalled
POLL = "/api/v1/realtime/poll"


class OriginGate:
    """An ``Admit`` that keeps where a change came from. A WebSocket changes nothing."""

    def __init__(self, admit: Admit, platform: Platform) -> None:
        self._admit = admit
        self._platform = platform

    async def __call__(self, connection: HTTPConnection, permission: str) -> Any:
        """Return who calls. Raises what the inner one raises."""
        caller: Caller = await self._admit(connection, permission)
        if _is_journalled(connection):
            await self._note(connection, caller)
        return caller

    async def again(self, caller: Any) -> Any:
        """Return the caller as they are now."""
        return await self._admit.again(caller)

    async def _note(self, connection: HTTPConnection, caller: Caller) -> None:
        channel = Channel.CONSOLE if caller.principal.credential == "session" else Channel.CLI
        prefix = prefix_of(connection, self._platform.settings.trusted_proxies)
        request_id = str(connection.scope["state"]["request_id"])
        async with self._platform.db.transaction(caller.actor, correlation_id=request_id) as tx:
            await note_origin(tx, channel=channel.value, ip_prefix=prefix, now=self._platform.clock.now())


def _is_journalled(connection: HTTPConnection) -> bool:
    path, method = connection.url.path, connection.scope.get("method", "GET")
    return path == AUDIT if method in READING else path != POLL
