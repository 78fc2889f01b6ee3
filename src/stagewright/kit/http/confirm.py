"""Confirmation of acts that stop or lose something: a preview answers a token, the act needs it (access.md §4)."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from stagewright.kit.clock import Clock
from stagewright.kit.consequences import Consequence, Consequences
from stagewright.kit.crypto import BadSignature, Keyring, MacSigner
from stagewright.kit.errors import Conflict
from stagewright.kit.http.shapes import Instant
from stagewright.kit.http.versions import VersionRequired

LIFE = timedelta(minutes=5)
LONGEST = 2048


class ConfirmRequired(VersionRequired):
    """The act needs a token of its own preview."""

    code = "confirm.required"


class ConfirmOutdated(Conflict):
    """The resource changed since the preview."""

    code = "confirm.outdated"


class Preview(BaseModel):
    """What an act would stop, lose and leave, and the token that confirms exactly this for five minutes.

    Each consequence is a code with parameters; the client has the words. ``confirm_name`` is what a person types,
    exactly, where an act needs that too.
    """

    stops: list[Consequence]
    lost: list[Consequence]
    survives: list[Consequence]
    confirm_token: str
    expires_at: Instant
    confirm_name: str | None = None


class NameRequired(VersionRequired):
    """The act needs the exact name of what it is done to."""

    code = "confirm.name"


def check_name(given: str | None, name: str) -> None:
    """Raise ``NameRequired`` unless ``given`` is exactly the name."""
    if given != name:
        raise NameRequired("type the exact name of what this is done to: `confirm_name` of the preview")


class ReasonRequired(VersionRequired):
    """The act needs a reason, which is kept in the journal."""

    code = "confirm.reason"


def check_reason(given: str | None) -> str:
    """Return the reason a person gave, or raise ``ReasonRequired``."""
    reason = (given or "").strip()
    if not reason:
        raise ReasonRequired("say why in `reason`: it is kept in the journal")
    return reason


class Confirmations:
    """Makes and checks confirmation tokens. A token counts for one user, verb, resource and version."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._signer = MacSigner(keyring, "confirm")
        self._clock = clock

    def preview(
        self,
        subject: Mapping[str, str],
        version: int,
        shown: Consequences,
        *,
        name: str | None = None,
    ) -> Preview:
        """Return the preview of an act; ``subject`` names user, verb and resource."""
        expires_at = self._clock.now() + LIFE
        payload = {"s": dict(subject), "n": version, "p": _digest(shown), "e": expires_at.isoformat()}
        signed = self._signer.sign(json.dumps(payload, sort_keys=True).encode())
        token = base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
        return Preview(
            stops=list(shown.stops),
            lost=list(shown.lost),
            survives=list(shown.survives),
            confirm_token=token,
            expires_at=expires_at.isoformat(),
            confirm_name=name,
        )

    def check(self, token: str | None, subject: Mapping[str, str], version: int, shown: Consequences) -> None:
        """Raise ``ConfirmRequired`` (428) without a valid token, ``ConfirmOutdated`` (409) when things changed.

        The act itself raises the version, so a token is used once.
        """
        payload = self._open(token)
        if payload is None or payload["s"] != dict(subject):
            raise ConfirmRequired("confirm this act: ask for it with ?preview=1 and send its confirm_token")
        if datetime.fromisoformat(payload["e"]) <= self._clock.now():
            raise ConfirmRequired("the confirmation is older than 5 minutes: look at the preview again")
        if payload["n"] != version or payload["p"] != _digest(shown):
            raise ConfirmOutdated("this changed since the preview: look at the preview again")

    def _open(self, token: str | None) -> dict[str, Any] | None:
        if not token or len(token) > LONGEST:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            payload: dict[str, Any] = json.loads(self._signer.verify(raw))
        except (binascii.Error, BadSignature, ValueError):
            return None
        return payload


def _digest(shown: Consequences) -> str:
    return hashlib.sha256(json.dumps(asdict(shown), sort_keys=True).encode()).hexdigest()[:32]
