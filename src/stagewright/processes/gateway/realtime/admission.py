"""Who may open a socket: by API token. Asked again whenever something about the person or the credential changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission
from stagewright.kit.errors import Unauthenticated
from stagewright.kit.http.asgi import Scope, header
from stagewright.processes.common import Platform


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who is at the socket, and when the credential ends (None: when it is told)."""

    caller: Caller
    until: datetime | None = None

    @property
    def access_version(self) -> int:
        """Return the version of the person's rights."""
        return self.caller.user.access_version


class Admission(Protocol):
    """Reads who is at a socket from its handshake."""

    async def admit(self, scope: Scope) -> Admitted:
        """Return who it is now. Changes nothing: neither idle times nor a token's last use.

        Raises ``Unauthenticated`` without a valid credential, ``Denied`` when it may not open a socket at all.
        """
        ...


class TokenAdmission:
    """Admits by the API token of the handshake's ``Authorization`` header."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def admit(self, scope: Scope) -> Admitted:
        """Return who presents the token, with every right as it is now."""
        kind, _, token = (header(scope, b"authorization") or "").partition(" ")
        if kind.casefold() != "bearer" or not token:
            raise Unauthenticated("send an API token as `Authorization: Bearer swt_…`")
        now = self._platform.clock.now()
        async with self._platform.db.reading() as reader:
            principal = await identity.authenticate_token(
                reader, token.strip(), now=now, embedded=self._platform.settings.embedded
            )
            tokens = await identity.list_tokens(reader, principal.user.id)
        caller = Caller(principal, Permission.SIGNED_IN)
        caller.enter()
        until = next((item.expires_at for item in tokens if item.id == principal.token_id), None)
        return Admitted(caller, until)
