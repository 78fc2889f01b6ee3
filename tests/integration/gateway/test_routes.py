"""Every route of the gateway declares who may use it, and takes no credential of another class (AX1, AX4)."""

import re
from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi import APIRouter
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import DOCUMENT, Gateway

from stagewright.contexts.identity.api import Permission
from stagewright.contexts.intake.http import ROUTES as WEBHOOKS
from stagewright.kit.crypto import AttemptClaims, TokenSigner, make_api_token
from stagewright.kit.http.routes import MARK, PUBLIC
from stagewright.processes.gateway.app import routers

WORDS = {str(permission) for permission in Permission} | {PUBLIC}
LOGINS = {
    "/auth/options",
    "/auth/local",
    "/auth/cli/exchange",
    "/auth/github/login",
    "/auth/github/callback",
}
SCHEMAS = {f"/schema/v1alpha1/{name}.json" for name in ("policy", "service-stack", "service-stack-fragment")}
OPEN = {"/healthz", "/readyz", *SCHEMAS, *LOGINS, *WEBHOOKS}
PLACES = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if operation[MARK] != PUBLIC
]


def undeclared(routers: Iterable[APIRouter]) -> list[str]:
    """Return the routes that name no permission."""
    return [
        route.path  # type: ignore[attr-defined]
        for router in routers
        for route in router.routes
        if (getattr(route, "openapi_extra", None) or {}).get(MARK) not in WORDS
    ]


def filled(path: str) -> str:
    """Return ``path`` with an id of nothing in every place."""
    words = {"generation": "1", "stream": "engine", "purpose": "bot", "seq": "1"}
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], str(uuid4())), path).removeprefix("/api/v1")


def test_every_route_declares_a_permission_or_that_it_is_public() -> None:
    assert undeclared(routers()) == []


def test_a_route_without_a_permission_is_found() -> None:
    router = APIRouter()

    @router.get("/secret")
    async def secret() -> str:
        return "open to all"

    assert undeclared([router]) == ["/secret"]


def test_no_route_hides_from_the_document() -> None:
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item if path not in WEBHOOKS}
    served = {
        (route.path, method.lower())  # type: ignore[attr-defined]
        for router in routers()
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert described == served


def test_only_these_routes_are_public() -> None:
    public = {path for path, item in DOCUMENT["paths"].items() for op in item.values() if op[MARK] == PUBLIC}
    assert public == OPEN


def test_every_operation_has_its_own_name() -> None:
    names = [op["operationId"] for item in DOCUMENT["paths"].values() for op in item.values()]
    assert len(names) == len(set(names))


def a_wrong_credential(kind: str, clock: FakeClock) -> str | None:
    now = clock.now()
    claims = AttemptClaims(
        jti="1",
        run=uuid4(),
        attempt=uuid4(),
        generation=1,
        project=uuid4(),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
    )
    signer = TokenSigner(factories.KEYRING, purpose="token-run", audience="run", issuer="stagewright/test")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbm4ifQ."
    texts = {"none": None, "unknown token": make_api_token(), "malformed token": "swt_1", "attempt token": ""}
    return signer.sign(claims) if kind == "attempt token" else none if kind == "alg none" else texts[kind]


@pytest.mark.parametrize("kind", ["none", "unknown token", "malformed token", "attempt token", "alg none"])
async def test_no_other_credential_opens_any_route(gateway: Gateway, clock: FakeClock, kind: str) -> None:
    credential = a_wrong_credential(kind, clock)
    for method, path, _ in PLACES:
        answer = await gateway.call(method.upper(), filled(path), credential, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_that_ended_or_whose_user_is_disabled_opens_nothing(gateway: Gateway, clock: FakeClock) -> None:
    ann, bob = await gateway.person("ann"), await gateway.person("bob")
    short = await gateway.token(ann, "read", life=timedelta(minutes=5))
    revoked = await gateway.token(ann, "read")
    tokens = (await gateway.get("/me/tokens", revoked)).json()["items"]
    assert (await gateway.call("DELETE", f"/me/tokens/{tokens[-1]['id']}", ann)).status_code == 200
    async with gateway.db.transaction() as tx:
        await tx.execute("update users set state = 'disabled' where id = %(id)s", id=bob.user.id)
    clock.advance(timedelta(minutes=6))
    for token in (short, revoked, bob.token):
        assert (await gateway.get("/me", token)).status_code == 401
    assert (await gateway.get("/me", ann)).status_code == 200


async def test_cookies_and_identity_headers_of_proxies_are_never_read(gateway: Gateway) -> None:
    ann = await gateway.person()
    headers = {
        "Cookie": f"sw_session={ann.token}",
        "X-Forwarded-User": "ann",
        "X-Auth-Request-Email": "ann@example.test",
    }
    assert (await gateway.get("/me", headers=headers)).status_code == 401
