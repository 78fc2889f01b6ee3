"""Signing in with GitHub, against the practice forge: who gets in, and everything that must not (AX6)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.devforge import RunningForge, devforge
from tests.fakes.gateway import COOKIE, PUBLIC_URL, Gateway, Person, open_gateway

from stagewright.adapters.github import GitHubOAuth, Reach, open_http
from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.rules.login import safe_next
from stagewright.processes.devforge.oauth import CLIENT_ID, CLIENT_SECRET

__all__ = ["devforge"]
CALLBACK = f"{PUBLIC_URL}/auth/github/callback"


class Browser:
    """A person with a browser who signs in."""

    def __init__(self, gateway: Gateway, forge: RunningForge, http: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.forge = forge
        self.http = http
        self.cookie = ""

    async def begin(self, path: str = "/") -> dict[str, str]:
        """Go to the login; return what the forge's page is asked."""
        answer = await self.gateway.client.get("/auth/github/login", params={"next": path})
        assert answer.status_code == 303
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/auth/github"} <= set(
            answer.headers["set-cookie"].split("; ")
        )
        link = urlsplit(answer.headers["location"])
        assert f"{link.scheme}://{link.netloc}" == self.forge.url
        return {name: values[0] for name, values in parse_qs(link.query).items()}

    async def agree(self, asked: dict[str, str], login: str) -> dict[str, str]:
        """Agree on the forge's page; return what comes back."""
        page = await self.http.get(f"{self.forge.url}/login/oauth/authorize", params=asked)
        assert f'value="{login}"' in page.text
        answer = await self.http.post(f"{self.forge.url}/login/oauth/authorize", data={**asked, "login": login})
        back = answer.headers["location"]
        assert back.startswith(f"{CALLBACK}?")
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    async def come_back(self, query: dict[str, str], cookie: str | None = None) -> httpx.Response:
        """Follow the redirect to the callback."""
        sent = {"Cookie": self.cookie if cookie is None else cookie}
        return await self.gateway.client.get("/auth/github/callback", params=query, headers=sent)

    async def sign_in(self, login: str, path: str = "/") -> httpx.Response:
        """Do the whole thing."""
        return await self.come_back(await self.agree(await self.begin(path), login))


@pytest.fixture
async def browser(dsn: str, clock: FakeClock, tmp_path: Path, devforge: RunningForge) -> AsyncIterator[Browser]:
    """Return a browser at a gateway that knows the practice forge."""
    async with open_http(Reach(loopback=True)) as http:
        github = GitHubOAuth(
            http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, web_url=devforge.url, api_url=devforge.api_url
        )
        async with open_gateway(dsn, clock, tmp_path, github=github, github_oauth_client_id=CLIENT_ID) as gateway:
            yield Browser(gateway, devforge, http)


class Account:
    """An account of the forge."""

    def __init__(self, browser: Browser, login: str, github_id: int) -> None:
        self.login = login
        self.id = github_id
        self._browser = browser

    async def has(self, *emails: dict[str, Any]) -> None:
        """Set the account's addresses."""
        answer = await self._browser.http.post(
            f"{self._browser.forge.url}/_control/emails", json={"login": self.login, "emails": list(emails)}
        )
        assert answer.status_code == 200


async def an_account(browser: Browser, *emails: dict[str, Any]) -> Account:
    browser.forge.planted += 1
    login = f"person-{browser.forge.planted}"
    made = await browser.http.post(f"{browser.forge.url}/_control/users", json={"login": login})
    assert made.status_code < 300, made.text
    account = Account(browser, login, made.json()["id"])
    await account.has(*emails)
    return account


def an_email(address: str, *, verified: bool = True, primary: bool = True) -> dict[str, Any]:
    return {"email": address, "verified": verified, "primary": primary}


async def a_user(browser: Browser, name: str = "ann", role: str = "member") -> Person:
    return await browser.gateway.person(name, role=role)


def session_of(answer: httpx.Response) -> str | None:
    cookies = [item for item in answer.headers.get_list("set-cookie") if item.startswith(f"{COOKIE}=")]
    return cookies[0].partition(";")[0] if cookies else None


async def events(browser: Browser, kind: str) -> list[dict[str, Any]]:
    async with browser.gateway.db.reading() as reader:
        sql = "select body from journal where kind = %(k)s order by seq"
        return [row["body"] for row in await reader.all(dict, sql, k=kind)]


async def refused_with(browser: Browser, answer: httpx.Response, code: str) -> None:
    assert answer.status_code >= 400
    assert session_of(answer) is None
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (code in answer.text, 'href="/login"' in answer.text) == (True, True)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (await events(browser, "identity.login_refused"))[-1]["code"] == code


async def test_a_listed_person_signs_in_and_is_pinned(browser: Browser) -> None:
    ann = await a_user(browser)
    account = await an_account(browser, an_email("Ann@Example.test"))
    asked = await browser.begin("/runs?status=failed")
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "read:user user:email")
    assert asked["redirect_uri"] == CALLBACK
    answer = await browser.come_back(await browser.agree(asked, account.login))
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?status=failed")
    cookie = session_of(answer)
    assert cookie is not None
    me = (await browser.gateway.get("/me", headers={"Cookie": cookie})).json()
    assert (me["id"], me["github_user_id"], me["github_login"]) == (str(ann.user.id), account.id, account.login)
    assert (await events(browser, "identity.login"))[-1]["github_user_id"] == account.id
    sessions = (await browser.gateway.get("/me/sessions", headers={"Cookie": cookie})).json()["items"]
    assert [(item["method"], item["ip_prefix"]) for item in sessions] == [("github", "127.0.0.0/24")]


async def test_an_invited_person_becomes_active(browser: Browser) -> None:
    admin = await a_user(browser, "root", "admin")
    await browser.gateway.post("/users", admin, {"email": "new@example.test"})
    account = await an_account(browser, an_email("new@example.test"))
    assert session_of(await browser.sign_in(account.login)) is not None
    users = (await browser.gateway.get("/users", admin)).json()["items"]
    assert [item["state"] for item in users if item["email"] == "new@example.test"] == ["active"]


async def test_nobody_registers_themself(browser: Browser) -> None:
    await a_user(browser)
    account = await an_account(browser, an_email("eve@example.test"))
    await refused_with(browser, await browser.sign_in(account.login), "identity.email_not_allowed")
    async with browser.gateway.db.reading() as reader:
        assert await reader.value("select count(*) from users") == 1


async def test_only_verified_addresses_match(browser: Browser) -> None:
    await a_user(browser)
    account = await an_account(
        browser, an_email("ann@example.test", verified=False), an_email("eve@example.test", primary=False)
    )
    await refused_with(browser, await browser.sign_in(account.login), "identity.email_not_allowed")


async def test_a_second_verified_address_matches_only_when_it_is_the_only_one(browser: Browser) -> None:
    await a_user(browser)
    other = an_email("ann@example.test", primary=False)
    account = await an_account(browser, an_email("private@example.test"), other)
    assert session_of(await browser.sign_in(account.login)) is not None
    await a_user(browser, "bob")
    await a_user(browser, "cat")
    both = [an_email(f"{name}@example.test", primary=False) for name in ("bob", "cat")]
    second = await an_account(browser, an_email("private@example.test"), *both)
    await refused_with(browser, await browser.sign_in(second.login), "identity.email_not_allowed")


async def test_another_account_with_the_same_address_is_refused_and_an_incident(browser: Browser) -> None:
    await a_user(browser)
    owner = await a_user(browser, "root", "owner")
    first = await an_account(browser, an_email("ann@example.test"))
    assert session_of(await browser.sign_in(first.login)) is not None
    thief = await an_account(browser, an_email("ann@example.test"))
    await refused_with(browser, await browser.sign_in(thief.login), "identity.github_mismatch")
    found = (await browser.gateway.get("/incidents", owner)).json()["items"]
    assert [item["code"] for item in found] == ["identity.github_mismatch"]
    await first.has(an_email("new-address@example.test"))
    assert session_of(await browser.sign_in(first.login)) is not None


async def test_a_disabled_person_stays_out(browser: Browser) -> None:
    ann = await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    async with browser.gateway.db.transaction() as tx:
        await tx.execute("update users set state = 'disabled' where id = %(id)s", id=ann.user.id)
    await refused_with(browser, await browser.sign_in(account.login), "identity.account_disabled")


async def test_a_login_is_finished_once_in_its_own_browser_within_ten_minutes(
    browser: Browser, clock: FakeClock
) -> None:
    await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    back = await browser.agree(await browser.begin(), account.login)
    assert session_of(await browser.come_back(back)) is not None
    await refused_with(browser, await browser.come_back(back), "identity.login_state")
    for spoil in ("state", "cookie", "other browser", "late"):
        back = await browser.agree(await browser.begin(), account.login)
        cookie = browser.cookie
        if spoil == "state":
            back.pop("state")
        elif spoil == "cookie":
            cookie = ""
        elif spoil == "other browser":
            await browser.begin()
            cookie = browser.cookie
        else:
            clock.advance(timedelta(minutes=10))
        await _forget_failures(browser)
        await refused_with(browser, await browser.come_back(back, cookie), "identity.login_state")


async def test_a_code_of_another_login_is_refused_by_pkce(browser: Browser) -> None:
    await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    stolen = await browser.agree(await browser.begin(), account.login)
    mine = await browser.begin()
    answer = await browser.come_back({"code": stolen["code"], "state": mine["state"]})
    await refused_with(browser, answer, "identity.forge_login_failed")


async def test_a_code_that_was_used_or_never_given_is_refused_without_the_providers_words(browser: Browser) -> None:
    await a_user(browser)
    for query in ({"code": "0" * 20}, {"error": "access_denied", "error_description": "<b>The user said no</b>"}):
        asked = await browser.begin()
        answer = await browser.come_back({**query, "state": asked["state"]})
        await refused_with(browser, answer, "identity.forge_login_failed")
        assert "said no" not in answer.text
        assert "bad_verification_code" not in answer.text


@pytest.mark.parametrize("wanted", ["//evil.test", "/\\evil.test", "https://evil.test", "", "javascript:alert(1)"])
async def test_a_login_goes_on_at_a_path_of_ours_only(browser: Browser, wanted: str) -> None:
    await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    assert (await browser.sign_in(account.login, wanted)).headers["location"] == "/"


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/runs/1?tab=logs#L7", "/runs/1?tab=logs#L7"),
        ("/", "/"),
        (None, "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.test", "/"),
        ("/\n/evil.test", "/"),
        ("runs", "/"),
        ("https://evil.test/", "/"),
        ("/" + "x" * 2000, "/"),
    ],
)
def test_only_relative_paths_are_followed(wanted: str | None, goes: str) -> None:
    assert safe_next(wanted) == goes


async def test_the_ways_to_sign_in_are_told(browser: Browser, gateway: Gateway) -> None:
    assert (await browser.gateway.get("/auth/options")).json()["ways"] == ["github"]
    assert (await gateway.get("/auth/options")).json()["ways"] == ["local"]
    absent = await gateway.client.get("/auth/github/login")
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")


async def test_an_address_of_a_user_never_changes_who_they_are(browser: Browser) -> None:
    ann = await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    await browser.sign_in(account.login)
    async with browser.gateway.db.transaction() as tx:
        standing = await identity.standing_of_sender(tx, account.id, ann.user.id)
    assert standing.platform_user


async def _forget_failures(browser: Browser) -> None:
    async with browser.gateway.db.transaction() as tx:
        await tx.execute("delete from login_failures")
        await tx.execute("delete from rate_buckets where bucket = 'logins'")


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "POST", "path": "/login/oauth/access_token$", "status": 502},
        {"method": "POST", "path": "/login/oauth/access_token$", "drop_before": True},
        {"path": "/api/user/emails$", "status": 404},
        {"path": "/api/user$", "status": 500},
    ],
)
async def test_a_forge_that_does_not_answer_signs_nobody_in(browser: Browser, fault: dict[str, Any]) -> None:
    await a_user(browser)
    account = await an_account(browser, an_email("ann@example.test"))
    back = await browser.agree(await browser.begin(), account.login)
    browser.forge.control.fault(**fault)
    answer = await browser.come_back(back)
    assert answer.status_code == 503
    await refused_with(browser, answer, "identity.forge_login_failed")
    assert session_of(await browser.sign_in(account.login)) is not None
