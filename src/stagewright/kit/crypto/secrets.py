"""Random secrets, their hashes and comparisons in constant time; API tokens; webhook signatures."""

import hashlib
import hmac
import re
import secrets as random
import string
import zlib
from collections.abc import Iterable

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "swt_"
BODY = 43  # base62 digits that hold 32 bytes
CHECK = 6
API_TOKEN = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{BODY}}})([0-9A-Za-z]{{{CHECK}}})")
SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")


def new_secret() -> str:
    """Make a secret of 256 random bits, in base64url."""
    return random.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 that is stored instead of ``secret``. For secrets of full strength only, never passwords."""
    return hashlib.sha256(secret.encode()).digest()


def equal(left: str | bytes, right: str | bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(_raw(left), _raw(right))


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def hmac_sha256_header(secret: bytes, raw: bytes) -> str:
    """Return the value of GitHub's ``X-Hub-Signature-256`` for the body ``raw``."""
    return "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()


def hmac_sha256_matches(secrets: Iterable[bytes], raw: bytes, header: str | None) -> bool:
    """Say whether ``header`` signs ``raw`` with one of the live ``secrets``. All are tried, whichever fits."""
    match = SIGNATURE.fullmatch(header or "")
    if match is None:
        return False
    given = bytes.fromhex(match[1])
    fits = False
    for secret in secrets:
        fits |= bool(secret) and hmac.compare_digest(hmac.digest(secret, raw, "sha256"), given)
    return fits


def make_api_token() -> str:
    """Make an API token: ``swt_``, 32 random bytes in base62, and a checksum of 6 characters."""
    body = _base62(int.from_bytes(random.token_bytes(32), "big"), BODY)
    return PREFIX + body + _checksum(body)


def is_api_token(text: str) -> bool:
    """Say whether ``text`` has the form and checksum of an API token, before anybody looks it up."""
    match = API_TOKEN.fullmatch(text)
    return match is not None and equal(_checksum(match[1]), match[2])


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits)).rjust(width, ALPHABET[0])
