"""The JWT by which a GitHub App proves itself: RS256, at most ten minutes, ``iss`` is the App's id."""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from stagewright.processes.devforge.model import App
from stagewright.processes.devforge.problems import ApiProblem

LONGEST = 600  # seconds between now and exp
DRIFT = 60  # seconds a client's clock may run ahead


def looks_like_jwt(secret: str) -> bool:
    """Say whether a bearer credential is a JWT and no token."""
    return secret.count(".") == 2 and secret.startswith("ey")


def app_of_jwt(apps: Iterable[App], jwt: str, now: datetime) -> App:
    """Return the App that signed ``jwt``; everything wrong with it is a 401 that says what."""
    header, claims, signed, signature = _parts(jwt)
    if header.get("alg") != "RS256":
        raise _refused("A JSON web token could not be decoded")
    issuer = str(claims.get("iss"))
    app = next((app for app in apps if issuer == str(app.id)), None)
    if app is None:
        raise ApiProblem(404, "Integration not found")
    key = load_pem_public_key(app.public_key)
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise _refused("A JSON web token could not be decoded") from error
    _check_times(claims, int(now.timestamp()))
    return app


def _check_times(claims: dict[str, Any], now: int) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now + DRIFT:
        raise _refused(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    if not isinstance(expires, int) or expires <= now:
        raise _refused("'Expiration time' claim ('exp') must be a numeric value representing a time in the future")
    if expires > now + LONGEST + DRIFT:
        raise _refused("'Expiration time' claim ('exp') is too far in the future")


def _parts(jwt: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, body, signature = jwt.split(".")
    try:
        header, claims = json.loads(_decode(head)), json.loads(_decode(body))
        signed_by = _decode(signature)
    except (ValueError, binascii.Error) as error:
        raise _refused("A JSON web token could not be decoded") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _refused("A JSON web token could not be decoded")
    return header, claims, f"{head}.{body}".encode(), signed_by


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _refused(message: str) -> ApiProblem:
    return ApiProblem(401, message)
