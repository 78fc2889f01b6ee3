"""Each class of credential counts at its own door only; sockets are admitted as requests are (AX1, AX4, AX5)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import COOKIE, DOCUMENT, PUBLIC_URL, Gateway, Person, Visitor

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.rules.login import challenge_of
from stagewright.kit.errors import Unauthenticated
from stagewright.kit.http.browser import Browser, CsrfRefused
from stagewright.kit.http.routes import MARK, PUBLIC
from stagewright.processes.gateway.doorkeeper import Doorkeeper, SocketDoor

READS = [
    path
    for path, item in DOCUMENT["paths"].items()
    if "get" in item and item["get"][MARK] != PUBLIC and "{" not in path
]


async def one_of_each(gateway: Gateway) -> tuple[Person, Visitor, str, str]:
    """Return an API token, a session, a one-time code and a code of the CLI, all of one owner."""
    owner = await gateway.person("ann", role="owner")
    browser = await gateway.visitor(owner)
    async with gateway.db.transaction() as tx:
        code = (await identity.make_local_code(tx, owner.user, now=gateway.clock.now())).text
    form = {"name": "cli", "scopes": ["read"], "challenge": challenge_of("v" * 43)}
    granted = (await gateway.post("/me/cli-codes", browser, form)).json()["code"]
    return owner, browser, code, granted


async def test_no_credential_counts_in_the_place_of_another(gateway: Gateway) -> None:
    token, session, code, granted = await one_of_each(gateway)
    confused: list[dict[str, str]] = [
        *({"Authorization": f"Bearer {text}"} for text in (session.cookie, session.csrf, code, granted)),
        *({"Cookie": f"{COOKIE}={text}"} for text in (token.token, session.csrf, code, granted)),
        {"Cookie": f"sw_session={session.cookie}"},
        {"Cookie": f"sw_login={session.cookie}"},
        {"Authorization": session.cookie},
        {"Authorization": f"Basic {token.token}"},
        {"X-CSRF-Token": session.csrf, "Origin": PUBLIC_URL},
    ]
    for path in READS:
        for headers in confused:
            answer = await gateway.client.get(path, headers=headers)
            assert answer.status_code == 401, f"{path} with {sorted(headers)}"
    page = {"Origin": PUBLIC_URL}
    for text in (token.token, session.cookie, granted):
        assert (await gateway.post("/auth/local", None, {"code": text}, headers=page)).status_code == 401
    for text in (token.token[:50], session.cookie):
        body = {"code": text, "verifier": "v" * 43}
        async with gateway.db.transaction() as tx:
            await tx.execute("delete from login_failures")
        assert (await gateway.post("/auth/cli/exchange", None, body)).status_code == 401


@pytest.mark.parametrize("credential", ["token", "session"])
async def test_every_read_without_an_id_opens_to_the_owner(gateway: Gateway, credential: str) -> None:
    token, session, *_ = await one_of_each(gateway)
    for path in READS:
        if path == "/api/v1/audit/verify":
            continue  # asks for a stream
        answer = await gateway.get(path.removeprefix("/api/v1"), token if credential == "token" else session)
        assert answer.status_code == 200, path


async def test_identity_headers_of_proxies_change_nothing(gateway: Gateway) -> None:
    _, session, *_ = await one_of_each(gateway)
    bob = await gateway.person("bob")
    names = ("X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-Auth-Request-Email", "Remote-User")
    claims = dict.fromkeys(names, "bob@example.test")
    assert (await gateway.get("/me", headers=claims)).status_code == 401
    me = (await gateway.get("/me", session, headers=claims)).json()
    assert me["id"] != str(bob.user.id)


async def test_a_forged_forwarded_address_does_not_escape_the_limit(gateway: Gateway) -> None:
    for number in range(5):
        headers = {"Origin": PUBLIC_URL, "X-Forwarded-For": f"198.51.{number}.1"}
        await gateway.post("/auth/local", None, {"code": "x" * 43}, headers=headers)
    headers = {"Origin": PUBLIC_URL, "X-Forwarded-For": "198.51.100.1"}
    assert (await gateway.post("/auth/local", None, {"code": "x" * 43}, headers=headers)).status_code == 429


def a_handshake(**headers: str) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "path": "/api/v1/realtime", "headers": raw, "query_string": b"", "state": {}}


def a_door(gateway: Gateway) -> tuple[SocketDoor, Doorkeeper]:
    keeper = Doorkeeper(gateway.platform, Browser(PUBLIC_URL, gateway.platform.keyring))
    return SocketDoor(keeper), keeper


async def test_a_socket_needs_our_origin_with_a_cookie_and_none_with_a_token(
    gateway: Gateway, clock: FakeClock
) -> None:
    token, session, *_ = await one_of_each(gateway)
    door, _ = a_door(gateway)
    cookie = session.headers["Cookie"]
    admitted = await door.admit(a_handshake(Cookie=cookie, Origin=PUBLIC_URL))
    assert (admitted.caller.user.id, admitted.until) == (session.user.id, clock.now() + timedelta(hours=1))
    for origin in ({}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        with pytest.raises(CsrfRefused):
            await door.admit(a_handshake(Cookie=cookie, **origin))
    by_token = await door.admit(a_handshake(Authorization=f"Bearer {token.token}"))
    assert by_token.until == clock.now() + timedelta(days=30)
    with pytest.raises(Unauthenticated):
        await door.admit(a_handshake(Origin=PUBLIC_URL))
    no_reader = await gateway.token(token, "manage")
    with pytest.raises(identity.PermissionMissing):
        await door.admit(a_handshake(Authorization=f"Bearer {no_reader}"))


async def test_a_socket_is_looked_at_again_without_renewing_anything(gateway: Gateway, clock: FakeClock) -> None:
    _, session, *_ = await one_of_each(gateway)
    door, keeper = a_door(gateway)
    handshake = a_handshake(Cookie=session.headers["Cookie"], Origin=PUBLIC_URL)
    caller = (await door.admit(handshake)).caller
    async with gateway.db.transaction() as tx:
        await tx.execute("update users set access_version = access_version + 1")
    clock.advance(timedelta(minutes=59))
    later = await keeper.again(caller)
    assert (later.access_version, later.expires_at) == (caller.access_version + 1, caller.expires_at)
    assert (await door.admit(handshake)).until == caller.expires_at
    clock.advance(timedelta(minutes=1))
    with pytest.raises(identity.SessionEnded):
        await keeper.again(caller)
    with pytest.raises(identity.SessionEnded):
        await door.admit(handshake)
