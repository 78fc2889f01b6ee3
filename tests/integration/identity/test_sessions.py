"""Sessions in the browser: how they begin, what they have to prove, how long they live, how they end (AX7-AX9)."""

from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import COOKIE, DOCUMENT, PUBLIC_URL, Gateway, Visitor, open_gateway

from stagewright.contexts.identity import api as identity
from stagewright.kit.http.routes import MARK, PUBLIC
from stagewright.kit.settings import Listen

COUNTS: dict[str, LiteralString] = {
    "sessions": "select count(*) from sessions",
    "api_tokens": "select count(*) from api_tokens",
    "login_codes": "select count(*) from login_codes",
    "login_failures": "select count(*) from login_failures",
}
PAGE = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}


async def a_code(gateway: Gateway) -> str:
    """Make the owner's one-time code as `stagewright up` does."""
    now = gateway.clock.now()
    async with gateway.db.transaction() as tx:
        owner = await identity.ensure_owner(tx, email="o@local", name="Owner", locale="en", now=now)
        return (await identity.make_local_code(tx, owner, now=now)).text


async def kinds(gateway: Gateway) -> list[str]:
    async with gateway.db.reading() as reader:
        return [row["kind"] for row in await reader.all(dict, "select kind from journal order by seq")]


async def test_the_one_time_link_signs_the_owner_in_once(gateway: Gateway) -> None:
    code = await a_code(gateway)
    answer = await gateway.post("/auth/local", None, {"code": code}, headers=PAGE)
    assert (answer.status_code, answer.json()["method"], answer.json()["current"]) == (200, "local", True)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    text = cookie.partition("=")[2].partition(";")[0]
    assert text not in answer.text
    me = (await gateway.get("/me", headers={"Cookie": f"{COOKIE}={text}"})).json()
    assert (me["email"], me["credential"], me["fresh"]) == ("o@local", "session", True)
    again = await gateway.post("/auth/local", None, {"code": code}, headers=PAGE)
    assert (again.status_code, again.json()["code"]) == (401, "identity.code_refused")
    assert "set-cookie" not in again.headers
    assert (await kinds(gateway))[-2:] == ["identity.login", "identity.login_refused"]


async def test_a_code_counts_for_fifteen_minutes(gateway: Gateway, clock: FakeClock) -> None:
    code = await a_code(gateway)
    clock.advance(timedelta(minutes=15))
    answer = await gateway.post("/auth/local", None, {"code": code}, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.code_refused")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.test"}, {"Origin": "null"}, {**PAGE, "Sec-Fetch-Site": "cross-site"}],
)
async def test_nobody_is_signed_in_by_another_sites_page(gateway: Gateway, headers: dict[str, str]) -> None:
    code = await a_code(gateway)
    answer = await gateway.post("/auth/local", None, {"code": code}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf.refused")
    assert (await gateway.post("/auth/local", None, {"code": code}, headers=PAGE)).status_code == 200


@pytest.mark.parametrize("changes", [{"github_oauth_client_id": "Iv1.abc"}, {"listen": Listen("192.0.2.1", 8080)}])
async def test_elsewhere_the_local_routes_do_not_exist(
    dsn: str, clock: FakeClock, tmp_path: Path, changes: dict[str, Any]
) -> None:
    async with open_gateway(dsn, clock, tmp_path, **changes) as gateway:
        code = await a_code(gateway)
        answer = await gateway.client.post("/auth/local", json={"code": code}, headers=PAGE)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        owner = await gateway.person("ann", role="admin")
        refused = await gateway.client.post(
            "/api/v1/me/login-code", json={}, headers={"Authorization": f"Bearer {owner.token}"}
        )
        assert refused.status_code == 404
        assert "local" not in (await gateway.get("/auth/options")).json()["ways"]


async def test_only_the_token_of_up_makes_a_sign_in_link(gateway: Gateway) -> None:
    owner = await gateway.person("ann", role="owner")
    for who in (owner, await gateway.visitor(owner)):
        refused = await gateway.post("/me/login-code", who)
        assert (refused.status_code, refused.json()["code"]) == (403, "identity.local_token_only")
    async with gateway.db.transaction() as tx:
        made = await identity.replace_local_token(tx, owner.user, now=gateway.clock.now())
    link = (await gateway.post("/me/login-code", made.text)).json()
    assert link["url"] == f"{PUBLIC_URL}/login#{link['code']}"
    answer = await gateway.post("/auth/local", None, {"code": link["code"]}, headers=PAGE)
    assert answer.status_code == 200


async def test_no_token_of_a_person_is_called_local(gateway: Gateway) -> None:
    owner = await gateway.visitor(await gateway.person("ann", role="owner"))
    answer = await gateway.post("/me/tokens", owner, {"name": "Local ", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")


async def test_five_failures_pause_the_network(gateway: Gateway, clock: FakeClock) -> None:
    for _ in range(5):
        answer = await gateway.post("/auth/local", None, {"code": "x" * 43}, headers=PAGE)
        assert answer.status_code == 401
    code = await a_code(gateway)
    paused = await gateway.post("/auth/local", None, {"code": code}, headers=PAGE)
    assert (paused.status_code, paused.json()["code"], paused.headers["retry-after"]) == (429, "login.paused", "900")
    clock.advance(timedelta(minutes=14))
    fresh = await a_code(gateway)
    clock.advance(timedelta(minutes=1))
    assert (await gateway.post("/auth/local", None, {"code": fresh}, headers=PAGE)).status_code == 200


async def test_logins_are_counted_per_network(gateway: Gateway) -> None:
    async with gateway.db.transaction() as tx:
        await tx.execute(
            "insert into rate_buckets values ('logins', '127.0.0.0/24', 0.5, %(now)s)", now=gateway.clock.now()
        )
    answer = await gateway.post("/auth/local", None, {"code": "x" * 43}, headers=PAGE)
    assert (answer.status_code, answer.json()["params"]["bucket"]) == (429, "logins")
    figures = gateway.platform.metrics.registry
    assert figures.get_sample_value("stagewright_rate_limited_total", {"bucket": "logins"}) == 1


async def test_a_login_never_takes_over_the_cookie_that_was_there(gateway: Gateway) -> None:
    code = await a_code(gateway)
    planted = {**PAGE, "Cookie": f"{COOKIE}=planted-by-somebody-else-0000000000000000000"}
    answer = await gateway.post("/auth/local", None, {"code": code}, headers=planted)
    assert "planted" not in answer.headers["set-cookie"]


async def test_a_session_ends_unused_after_an_hour(gateway: Gateway, clock: FakeClock) -> None:
    ann = await gateway.visitor(await gateway.person())
    clock.advance(timedelta(minutes=59))
    assert (await gateway.get("/projects", ann)).status_code == 200
    assert (await gateway.post("/realtime/poll", ann)).status_code == 200
    clock.advance(timedelta(minutes=1))
    ended = await gateway.get("/projects", ann)
    assert (ended.status_code, ended.json()["code"]) == (401, "identity.session_ended")


async def test_reading_me_and_writing_renew_the_idle_time(gateway: Gateway, clock: FakeClock) -> None:
    ann = await gateway.visitor(await gateway.person())
    clock.advance(timedelta(minutes=59))
    assert (await gateway.get("/me", ann)).status_code == 200
    clock.advance(timedelta(minutes=59))
    version = (await gateway.get("/me", ann)).json()["version"]
    clock.advance(timedelta(minutes=59))
    headers = {"If-Match": f'"{version}"'}
    assert (await gateway.call("PATCH", "/me", ann, headers=headers, json={"locale": "ru"})).status_code == 200
    clock.advance(timedelta(minutes=59))
    assert (await gateway.get("/me", ann)).json()["locale"] == "ru"


async def test_a_session_ends_after_twelve_hours_however_much_it_is_used(gateway: Gateway, clock: FakeClock) -> None:
    ann = await gateway.visitor(await gateway.person())
    for _ in range(14):
        clock.advance(timedelta(minutes=51))
        assert (await gateway.get("/me", ann)).status_code == 200
    clock.advance(timedelta(minutes=6))
    assert (await gateway.get("/me", ann)).status_code == 401


async def test_a_session_is_fresh_for_an_hour(gateway: Gateway, clock: FakeClock) -> None:
    ann = await gateway.visitor(await gateway.person())
    clock.advance(timedelta(minutes=59))
    assert (await gateway.get("/me", ann)).json()["fresh"] is True
    clock.advance(timedelta(minutes=1))
    assert (await gateway.get("/me", ann)).json()["fresh"] is False


async def test_sessions_are_listed_and_revoked(gateway: Gateway) -> None:
    person = await gateway.person()
    here, there = await gateway.visitor(person), await gateway.visitor(person)
    other = await gateway.visitor(await gateway.person("bob"))
    items = (await gateway.get("/me/sessions", here)).json()["items"]
    assert {item["id"]: item["current"] for item in items} == {str(here.session_id): True, str(there.session_id): False}
    strange = await gateway.call("DELETE", f"/me/sessions/{there.session_id}", other)
    assert (strange.status_code, strange.json()["code"]) == (404, "session.not_found")
    gone = await gateway.call("DELETE", f"/me/sessions/{there.session_id}", here)
    assert (gone.status_code, gone.json()["end_reason"]) == (200, "revoked")
    assert (await gateway.get("/me", there)).status_code == 401
    assert (await gateway.get("/me", here)).status_code == 200
    assert (await kinds(gateway))[-1] == "session.revoked"


async def test_signing_out_everywhere_ends_every_session(gateway: Gateway) -> None:
    person = await gateway.person()
    here, there = await gateway.visitor(person), await gateway.visitor(person)
    assert (await gateway.post("/me/sessions:revoke-all", here)).json() == {"ended": 2}
    assert [(await gateway.get("/me", who)).status_code for who in (here, there)] == [401, 401]


async def test_signing_out_ends_the_session_and_takes_the_cookie(gateway: Gateway) -> None:
    person = await gateway.person()
    ann = await gateway.visitor(person)
    answer = await gateway.post("/auth/logout", ann)
    assert (answer.status_code, answer.json()["end_reason"]) == (200, "signed_out")
    assert answer.headers["set-cookie"].startswith(f'{COOKIE}=""; ')
    assert (await gateway.get("/me", ann)).status_code == 401
    refused = await gateway.post("/auth/logout", person)
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.session_required")


UNSAFE = [
    (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "get" and operation[MARK] != PUBLIC
]


def without(visitor: Visitor, name: str, value: str | None = None) -> dict[str, str]:
    headers = {key: given for key, given in visitor.headers.items() if key != name}
    return headers if value is None else {**headers, name: value}


async def test_every_write_with_a_cookie_needs_every_proof(gateway: Gateway) -> None:
    ann, bob = await gateway.person("ann", role="owner"), await gateway.person("bob")
    me, other = await gateway.visitor(ann), await gateway.visitor(bob)
    wrong = {
        "origin": [without(me, "Origin"), without(me, "Origin", "https://evil.test"), without(me, "Origin", "null")],
        "sec_fetch_site": [without(me, "Sec-Fetch-Site", "cross-site"), without(me, "Sec-Fetch-Site", "same-site")],
        "content_type": [
            without(me, "Content-Type", "application/x-www-form-urlencoded"),
            without(me, "Content-Type", "text/plain"),
        ],
        "token": [without(me, "X-CSRF-Token"), without(me, "X-CSRF-Token", other.csrf)],
    }
    for method, path in UNSAFE:
        place = path.replace("{", "").replace("}", "")
        for missing, forged in wrong.items():
            for headers in forged:
                answer = await gateway.client.request(method, place, headers=headers, content=b"{}")
                assert answer.status_code == 403, f"{method} {path} without {missing}"
                assert (answer.json()["code"], answer.json()["params"]) == ("csrf.refused", {"missing": missing})
    refused = len(UNSAFE) * sum(map(len, wrong.values()))
    assert gateway.platform.metrics.registry.get_sample_value("stagewright_csrf_refused_total") == refused


async def test_a_token_and_a_cookie_together_are_the_token(gateway: Gateway) -> None:
    ann, bob = await gateway.person("ann"), await gateway.person("bob")
    cookie = (await gateway.visitor(bob)).headers["Cookie"]
    me = (await gateway.get("/me", ann, headers={"Cookie": cookie})).json()
    assert (me["email"], me["credential"], me["csrf"]) == ("ann@example.test", "token", None)
    refused = await gateway.get("/me", None, headers={"Cookie": cookie, "Authorization": "Basic YTpi"})
    assert refused.status_code == 401


async def test_walking_all_reads_leaves_the_journal_as_it_is(gateway: Gateway) -> None:
    project, repository, run = await gateway.scene()
    me = await gateway.visitor(await gateway.person("ann", role="owner"))
    ids = {"project_id": project.id, "repository_id": repository.id, "run_id": run.id, "seq": 1, "stream": "engine"}
    before = await kinds(gateway)
    for path, item in DOCUMENT["paths"].items():
        if "get" not in item or path == "/api/v1/audit":
            continue
        place = path
        for name, value in ids.items():
            place = place.replace(f"{{{name}}}", str(value))
        answer = await gateway.client.get(place, headers=me.headers)
        assert answer.status_code < 500 or path == "/readyz", path
    assert await kinds(gateway) == before


async def test_answers_carry_the_headers_that_stop_framing_and_sniffing(gateway: Gateway) -> None:
    answer = await gateway.get("/auth/options")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    asked = await gateway.client.options(
        "/api/v1/me", headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
    )
    assert not [name for name in asked.headers if name.startswith("access-control")]


async def test_what_ended_is_forgotten_after_thirty_days_and_logins_after_one(
    gateway: Gateway, clock: FakeClock
) -> None:
    person = await gateway.person()
    ended, revoked = await gateway.visitor(person), await gateway.token(person, "read")
    await gateway.post("/auth/logout", ended)
    for item in (await gateway.get("/me/tokens", revoked)).json()["items"]:
        await gateway.call("DELETE", f"/me/tokens/{item['id']}", await gateway.visitor(person))
    await a_code(gateway)
    await gateway.post("/auth/local", None, {"code": "x" * 43}, headers=PAGE)

    async def left() -> dict[str, int]:
        names = ("sessions", "api_tokens", "login_codes", "login_failures")
        async with gateway.db.transaction() as tx:
            await identity.forget_ended(tx, now=clock.now())
            return {name: int(await tx.value(COUNTS[name])) for name in names}

    assert await left() == {"sessions": 3, "api_tokens": 2, "login_codes": 1, "login_failures": 1}
    clock.advance(timedelta(days=1, minutes=16))
    live = await gateway.visitor(person)
    assert await left() == {"sessions": 4, "api_tokens": 2, "login_codes": 0, "login_failures": 0}
    clock.advance(timedelta(days=29))
    still = await gateway.visitor(person)
    assert await left() == {"sessions": 2, "api_tokens": 0, "login_codes": 0, "login_failures": 0}
    assert [(await gateway.get("/me", who)).status_code for who in (live, still)] == [401, 200]
