"""Sealing values at rest: AES-256-GCM with a random key per value, wrapped by the key of the purpose.

A sealed value is ``version | len(kid) | kid | nonce | wrapped key | nonce | ciphertext``. ``context`` says where the
value belongs (table, row, column): a value moved elsewhere does not open.
"""

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stagewright.kit.crypto.errors import Undecryptable
from stagewright.kit.crypto.keyring import Keyring

VERSION = 1
NONCE = 12
WRAPPED = 32 + 16
TAG = 16


@dataclass(frozen=True, slots=True)
class _Parts:
    kid: str
    wrap: bytes
    value: bytes


class Sealer:
    """Seals and opens the values of one purpose."""

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        keyring.derive(purpose)

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Return ``plaintext`` sealed for ``context`` under the current key."""
        data_key = AESGCM.generate_key(256)
        nonce = os.urandom(NONCE)
        value = nonce + AESGCM(data_key).encrypt(nonce, plaintext, self._bound("value", context))
        return self._wrapped(data_key, context) + value

    def open(self, blob: bytes, *, context: str) -> bytes:
        """Return the plaintext. Raise ``Undecryptable``, or ``KeyUnknown`` when its root key is gone."""
        parts = _split(blob)
        data_key = self._unwrapped(parts, context)
        try:
            return AESGCM(data_key).decrypt(parts.value[:NONCE], parts.value[NONCE:], self._bound("value", context))
        except InvalidTag as error:
            raise _undecryptable() from error

    def key_id(self, blob: bytes) -> str:
        """Return the id of the root key that ``blob`` needs."""
        return _split(blob).kid

    def needs_rotation(self, blob: bytes) -> bool:
        """Say whether ``blob`` was sealed under another key than the current one."""
        return self.key_id(blob) != self._keyring.current

    def rotate(self, blob: bytes, *, context: str) -> bytes:
        """Return ``blob`` under the current key; only the wrapped data key changes."""
        parts = _split(blob)
        return self._wrapped(self._unwrapped(parts, context), context) + parts.value

    def _wrapped(self, data_key: bytes, context: str) -> bytes:
        kid = self._keyring.current
        nonce = os.urandom(NONCE)
        wrapping = AESGCM(self._keyring.derive(self._purpose, kid))
        wrapped = wrapping.encrypt(nonce, data_key, self._bound(f"key {kid}", context))
        return bytes([VERSION, len(kid)]) + kid.encode() + nonce + wrapped

    def _unwrapped(self, parts: _Parts, context: str) -> bytes:
        wrapping = AESGCM(self._keyring.derive(self._purpose, parts.kid))
        try:
            return wrapping.decrypt(parts.wrap[:NONCE], parts.wrap[NONCE:], self._bound(f"key {parts.kid}", context))
        except InvalidTag as error:
            raise _undecryptable() from error

    def _bound(self, part: str, context: str) -> bytes:
        return "\0".join((str(VERSION), part, self._purpose, context)).encode()


def _undecryptable() -> Undecryptable:
    return Undecryptable("a sealed value cannot be opened: it was changed or belongs elsewhere; store it anew")


def _split(blob: bytes) -> _Parts:
    if len(blob) < 2 or blob[0] != VERSION:
        raise _undecryptable()
    start = 2 + blob[1]
    wrap_end = start + NONCE + WRAPPED
    if len(blob) < wrap_end + NONCE + TAG:
        raise _undecryptable()
    try:
        kid = blob[2:start].decode("ascii")
    except UnicodeDecodeError as error:
        raise _undecryptable() from error
    return _Parts(kid, blob[start:wrap_end], blob[wrap_end:])
