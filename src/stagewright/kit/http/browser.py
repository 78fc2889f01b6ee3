"""What a browser gets and has to prove: session cookies, and that our own pages sent a request (access.md §2.4)."""

import base64
from datetime import timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

from stagewright.kit.crypto import Keyring, MacSigner, equal
from stagewright.kit.errors import Denied

CSRF_HEADER = "x-csrf-token"
LOGIN_COOKIE = "sw_login"
LOGIN_PATH = "/auth/github"
JSON = "application/json"


class CsrfRefused(Denied):
    """A request with a cookie that does not prove that a page of ours sent it; ``params`` name what is missing."""

    code = "csrf.refused"


class Browser:
    """The cookies of one public address, and the proofs of requests that carry them."""

    def __init__(self, public_url: str, keyring: Keyring) -> None:
        self._origin = public_url
        self._keyring = keyring
        self._signer = MacSigner(keyring, "csrf")
        self._secure = public_url.startswith("https://")
        self.session_cookie = "__Host-sw_session" if self._secure else "sw_session"

    def session_of(self, connection: HTTPConnection) -> str | None:
        """Return the text of the session cookie."""
        return connection.cookies.get(self.session_cookie) or None

    def keep_session(self, response: Response, text: str, *, longest: timedelta) -> None:
        """Give the browser its session."""
        response.set_cookie(
            self.session_cookie,
            text,
            max_age=int(longest.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def forget_session(self, response: Response) -> None:
        """Take the session cookie away."""
        response.delete_cookie(self.session_cookie, path="/", secure=self._secure, httponly=True, samesite="strict")

    def keep_login(self, response: Response, text: str, *, longest: timedelta) -> None:
        """Bind a login that goes through another site to this browser."""
        response.set_cookie(
            LOGIN_COOKIE,
            text,
            max_age=int(longest.total_seconds()),
            path=LOGIN_PATH,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def forget_login(self, response: Response) -> None:
        """Take the login's cookie away."""
        response.delete_cookie(LOGIN_COOKIE, path=LOGIN_PATH, secure=self._secure, httponly=True, samesite="lax")

    def csrf_token(self, session_id: object) -> str:
        """Return what writes of the session carry in ``X-CSRF-Token``."""
        return self._token(session_id, self._keyring.current)

    def _token(self, session_id: object, kid: str) -> str:
        tag = self._signer.tag(str(session_id).encode(), kid)
        return base64.urlsafe_b64encode(tag).rstrip(b"=").decode()

    def check_origin(self, connection: HTTPConnection) -> None:
        """Raise ``CsrfRefused`` unless our own origin sent this."""
        origins = connection.headers.getlist("origin")
        if origins != [self._origin]:
            raise _refused("origin", f"the header Origin must be {self._origin}")

    def check_page(self, connection: HTTPConnection) -> None:
        """Raise ``CsrfRefused`` unless a page of ours sent this with JSON: what another site's form cannot."""
        self.check_origin(connection)
        if connection.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise _refused("sec_fetch_site", "the request comes from another site")
        kind = connection.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if kind != JSON:
            raise _refused("content_type", f"the header Content-Type must be {JSON}, also without a body")

    def check_write(self, connection: HTTPConnection, session_id: object) -> None:
        """Raise ``CsrfRefused`` unless a page of ours, of this session, sent this."""
        self.check_page(connection)
        given = connection.headers.get(CSRF_HEADER, "").encode()
        if not any(equal(given, self._token(session_id, kid).encode()) for kid in self._keyring.ids):
            raise _refused("token", "the header X-CSRF-Token must hold `csrf` of GET /api/v1/me")


def _refused(what: str, message: str) -> CsrfRefused:
    return CsrfRefused(f"this write is not proven to come from the console: {message}", missing=what)
