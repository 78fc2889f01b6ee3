"""Who is at a socket. Asked again whenever something about the person or the credential changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stagewright.contexts.identity.api import Caller
from stagewright.kit.http.asgi import Scope


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

        Raises ``Unauthenticated`` without a valid credential, ``Denied`` when it may not open a socket at all, and
        ``CsrfRefused`` when a page of another origin asked.
        """
        ...
