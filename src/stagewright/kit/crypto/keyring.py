"""The root keys of an installation, and the keys derived from them: one per purpose."""

import base64
import binascii
import re
import secrets
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stagewright.kit.crypto.errors import BadKeys, KeyUnknown

KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
PURPOSE = re.compile(r"[a-z][a-z0-9_-]*")
ROOT_BYTES = 32
FORM = "a comma-separated list of kid:base64, where base64 holds 32 random bytes and the first key is the current one"


class Keyring:
    """Root keys by id; the first is current, the others only open what was sealed or signed before."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys:
            raise BadKeys(f"no root key: give {FORM}")
        self._keys = dict(keys)
        self._derive = lru_cache(maxsize=256)(self._derived)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read ``kid:base64,kid:base64``. Raise ``BadKeys`` naming the position, never a value."""
        keys: dict[str, bytes] = {}
        for number, item in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
            kid, colon, encoded = item.partition(":")
            if not colon or not KID.fullmatch(kid):
                raise BadKeys(f"root key {number} has no id of letters, digits, '_', '.' and '-': give {FORM}")
            if kid in keys:
                raise BadKeys(f"root key id {kid} stands twice: give every key its own id")
            keys[kid] = _decoded(kid, encoded)
        return cls(keys)

    @staticmethod
    def generate(kid: str = "k1") -> str:
        """Make one new root key in the form ``parse`` reads."""
        return f"{kid}:{base64.b64encode(secrets.token_bytes(ROOT_BYTES)).decode()}"

    @property
    def current(self) -> str:
        """Return the id of the key that seals and signs now."""
        return next(iter(self._keys))

    @property
    def ids(self) -> tuple[str, ...]:
        """Return all key ids, the current one first."""
        return tuple(self._keys)

    def derive(self, purpose: str, kid: str | None = None) -> bytes:
        """Return the 32-byte key of ``purpose`` under root key ``kid`` (default: current). Raise ``KeyUnknown``."""
        return self._derive(purpose, kid or self.current)

    def _derived(self, purpose: str, kid: str) -> bytes:
        if not PURPOSE.fullmatch(purpose):
            raise ValueError(f"{purpose!r} is no purpose")
        root = self._keys.get(kid)
        if root is None:
            raise KeyUnknown(
                f"the root key {kid} is not among STAGEWRIGHT_ROOT_KEYS: add it again behind the current one", kid=kid
            )
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"stagewright/1/{purpose}".encode()).derive(root)


def _decoded(kid: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeys(f"root key {kid} is not base64: make one with `openssl rand -base64 32`") from error
    if len(key) != ROOT_BYTES:
        raise BadKeys(f"root key {kid} holds {len(key)} bytes, not 32: make one with `openssl rand -base64 32`")
    return key
