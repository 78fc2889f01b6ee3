"""Cookies and proofs of one public address."""

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import Response
from tests import factories

from stagewright.kit.crypto import Keyring
from stagewright.kit.http.browser import Browser, CsrfRefused


def test_on_https_the_cookie_is_bound_to_the_host_and_on_loopback_it_has_another_name() -> None:
    assert Browser("https://sw.test", factories.KEYRING).session_cookie == "__Host-sw_session"
    assert Browser("http://127.0.0.1:8080", factories.KEYRING).session_cookie == "sw_session"


def test_the_proof_of_a_session_is_its_own_and_outlives_a_new_root_key() -> None:
    first, second = Keyring.generate("k1"), Keyring.generate("k2")
    before = Browser("https://sw.test", Keyring.parse(first))
    after = Browser("https://sw.test", Keyring.parse(f"{second},{first}"))
    token = before.csrf_token("one")
    assert token != before.csrf_token("two")
    assert token != after.csrf_token("one")
    after.check_write(a_request(token), "one")
    with pytest.raises(CsrfRefused):
        after.check_write(a_request(token), "two")
    with pytest.raises(CsrfRefused):
        Browser("https://sw.test", Keyring.parse(second)).check_write(a_request(token), "one")


def a_request(token: str, **changes: str) -> HTTPConnection:
    headers = {"origin": "https://sw.test", "content-type": "application/json; charset=utf-8", "x-csrf-token": token}
    raw = [(name.encode(), value.encode()) for name, value in (headers | changes).items()]
    return HTTPConnection({"type": "http", "method": "POST", "headers": raw})


def test_two_origins_are_none() -> None:
    browser = Browser("https://sw.test", factories.KEYRING)
    connection = a_request(browser.csrf_token("one"))
    connection.scope["headers"].append((b"origin", b"https://evil.test"))
    with pytest.raises(CsrfRefused, match="Origin"):
        browser.check_write(HTTPConnection(connection.scope), "one")


def test_a_cookie_is_taken_away_with_the_attributes_it_was_given_with() -> None:
    response = Response()
    browser = Browser("https://sw.test", factories.KEYRING)
    browser.forget_session(response)
    browser.forget_login(response)
    gone = response.headers.getlist("set-cookie")
    assert ["Max-Age=0" in one for one in gone] == [True, True]
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=strict"} <= set(gone[0].split("; "))
    assert {"Path=/auth/github", "Secure", "HttpOnly", "SameSite=lax"} <= set(gone[1].split("; "))
