"""Signed opaque values that we hand out and take back: page cursors, confirmation tokens."""

import hashlib
import hmac

from stagewright.kit.crypto.errors import BadSignature, KeyUnknown
from stagewright.kit.crypto.keyring import Keyring

TAG = 32


class MacSigner:
    """Signs bytes with HMAC-SHA256 under the key of one purpose. Signed is ``len(kid) | kid | tag | payload``."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        keyring.derive(purpose)

    def sign(self, payload: bytes) -> bytes:
        """Return ``payload`` with its signature in front."""
        kid = self._keyring.current
        return bytes([len(kid)]) + kid.encode() + self.tag(payload, kid) + payload

    def verify(self, signed: bytes) -> bytes:
        """Return the payload. Raise ``BadSignature`` when it is not as we signed it."""
        start = 1 + (signed[0] if signed else 0)
        if len(signed) < start + TAG:
            raise _bad()
        kid = signed[1:start].decode("ascii", errors="replace")
        tag, payload = signed[start : start + TAG], signed[start + TAG :]
        try:
            expected = self.tag(payload, kid)
        except KeyUnknown as error:
            raise _bad() from error
        if not hmac.compare_digest(tag, expected):
            raise _bad()
        return payload

    def tag(self, payload: bytes, kid: str | None = None) -> bytes:
        """Return the bare 32-byte signature of ``payload``."""
        return hmac.new(self._keyring.derive(self._purpose, kid), payload, hashlib.sha256).digest()


def _bad() -> BadSignature:
    return BadSignature("the signed value was changed or is not ours; get a new one")
