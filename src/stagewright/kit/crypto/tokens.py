"""Tokens of an attempt: JWT HS256, one derived key and one audience per class, accepted at one door only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import GuestProtocol, OctKey

from stagewright.kit.crypto.errors import KeyUnknown, TokenInvalid
from stagewright.kit.crypto.keyring import KID, Keyring

ALGORITHM = "HS256"
LEEWAY = timedelta(seconds=30)
LONGEST = 4096
SUBJECT = "attempt:"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptClaims:
    """What a token says of its holder: one attempt of one run, at one generation, until a time."""

    jti: str
    run: UUID
    attempt: UUID
    generation: int
    project: UUID
    issued_at: datetime
    expires_at: datetime


class TokenSigner:
    """Makes and checks the tokens of one class (``token-run`` with audience ``run``, and so on)."""

    def __init__(self, keyring: Keyring, *, purpose: str, audience: str, issuer: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._audience = audience
        self._issuer = issuer
        keyring.derive(purpose)

    def sign(self, claims: AttemptClaims) -> str:
        """Return the token. Times are cut to seconds."""
        kid = self._keyring.current
        issued_at = int(claims.issued_at.timestamp())
        body = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": f"{SUBJECT}{claims.attempt}",
            "jti": claims.jti,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": int(claims.expires_at.timestamp()),
            "run": str(claims.run),
            "attempt": str(claims.attempt),
            "generation": claims.generation,
            "project": str(claims.project),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": kid}, body, self._key(kid), algorithms=[ALGORITHM])

    def verify(self, token: str, *, now: datetime) -> AttemptClaims:
        """Return the claims of a token that counts at ``now``, or raise ``TokenInvalid`` without saying why."""
        try:
            body = self._decoded(token)
            self._check_place(body)
            self._check_times(body, now)
            return _claims(body)
        except (JoseError, KeyUnknown, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenInvalid("the token does not count here: get the attempt's present one") from error

    def _decoded(self, token: str) -> Mapping[str, Any]:
        if len(token) > LONGEST:
            raise ValueError("longer than any of ours")
        return jwt.decode(token, self._chosen, algorithms=[ALGORITHM]).claims

    def _chosen(self, token: GuestProtocol) -> OctKey:
        kid = token.headers().get("kid")
        if not isinstance(kid, str) or not KID.fullmatch(kid):
            raise InvalidKeyIdError
        return self._key(kid)

    def _key(self, kid: str) -> OctKey:
        return OctKey.import_key(self._keyring.derive(self._purpose, kid))

    def _check_place(self, body: Mapping[str, Any]) -> None:
        if body.get("iss") != self._issuer or body.get("aud") != self._audience:
            raise ValueError("issuer or audience")

    def _check_times(self, body: Mapping[str, Any], now: datetime) -> None:
        issued_at, not_before, expires_at = (_number(body, name) for name in ("iat", "nbf", "exp"))
        moment, leeway = now.timestamp(), LEEWAY.total_seconds()
        if max(issued_at, not_before) > moment + leeway or expires_at <= moment - leeway:
            raise ValueError("times")


def _claims(body: Mapping[str, Any]) -> AttemptClaims:
    claims = AttemptClaims(
        jti=_text(body, "jti"),
        run=UUID(_text(body, "run")),
        attempt=UUID(_text(body, "attempt")),
        generation=_number(body, "generation"),
        project=UUID(_text(body, "project")),
        issued_at=datetime.fromtimestamp(_number(body, "iat"), UTC),
        expires_at=datetime.fromtimestamp(_number(body, "exp"), UTC),
    )
    if _text(body, "sub") != f"{SUBJECT}{claims.attempt}":
        raise ValueError("subject")
    return claims


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(name)
    return value
