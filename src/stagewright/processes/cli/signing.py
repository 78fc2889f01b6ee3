"""`login` with a browser: a person agrees in the console, a one-time code comes back, PKCE makes it ours."""

import base64
import hashlib
import hmac
import secrets
import selectors
import socket
import sys
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from stagewright.processes.cli import contexts
from stagewright.processes.cli.browsing import show_address
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.exits import LATER, USAGE, Failure
from stagewright.processes.cli.target import Target, checked_host, chosen_context, variable

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

SCOPES = ("read", "operate", "decide", "manage", "platform")
PAGE = "/cli-login"
PATIENCE = 300.0  # seconds; the code itself lives as long
ASKING = 5.0  # seconds a browser gets to send its one line
LONGEST_LINE = 4096
SEEN = "You are signed in. Close this page and go back to the terminal."
ODD = "This is not the answer that was waited for."


class Proof(NamedTuple):
    """What ties the code that comes back to this call."""

    verifier: str
    state: str

    @property
    def challenge(self) -> str:
        """Return what the console keeps of the verifier (PKCE, S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def sign_in(call: "Call", *, host: str | None, scopes: str, name: str | None, browser: bool) -> None:
    """Send the person to the console, wait for the code, exchange it, keep the token in a context."""
    wanted = _scopes(scopes)
    chosen, entry = chosen_context(call)
    where = host or call.host or variable(call.environ, "HOST") or entry.get("host")
    if not where:
        raise Failure(USAGE, "--host: which server?", hint="stagewright login --host URL")
    address = checked_host(where, insecure=bool(entry.get("insecure")))
    proof = Proof(secrets.token_urlsafe(32), secrets.token_urlsafe(16))
    with closing(Client(Target(address, None, None, None, entry.get("ca_file"), None), debug=call.debug)) as client:
        code = _ask(address, proof, wanted, browser=browser, interactive=call.interactive)
        body = {"code": code, "verifier": proof.verifier}
        made = client.request("POST", "/auth/cli/exchange", body=body).json()
    own = chosen if chosen and entry.get("host") in (None, address) else None
    known = name or own or address.partition("://")[2].replace(":", "-")
    fields = {"host": address, "token": made["token"], "token_expires_at": made["expires_at"]}
    contexts.keep(contexts.config_dir(call.environ), known, fields, use=True)
    tell(f"signed in at {address} as {made['email']} with {', '.join(made['scopes'])}; context {known}")


def _scopes(text: str) -> list[str]:
    wanted = [item.strip() for item in text.split(",") if item.strip()]
    unknown = [item for item in wanted if item not in SCOPES]
    if unknown or not wanted:
        raise Failure(USAGE, f"--scopes: {text!r} names no scopes; use {', '.join(SCOPES)}, joined by commas")
    return wanted


def _ask(address: str, proof: Proof, scopes: list[str], *, browser: bool, interactive: bool) -> str:
    """Show the console's page and return the code that comes back to our port, or is pasted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        query = {
            "port": listener.getsockname()[1],
            "state": proof.state,
            "challenge": proof.challenge,
            "scopes": ",".join(scopes),
            "name": f"cli on {socket.gethostname()}"[:100],
        }
        link = f"{address}{PAGE}?{urlencode(query)}"
        tell("Agree in the console, signed in there:")
        tell(f"  {link}")
        if browser:
            show_address(link)
        tell("Waiting for the code" + ("; without a browser here, paste it and press Enter" if interactive else ""))
        return _wait(listener, proof.state, paste=interactive)


def _wait(listener: socket.socket, state: str, *, paste: bool) -> str:
    until = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        if paste:
            selector.register(sys.stdin, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                code = _received(listener, state) if key.fileobj is listener else sys.stdin.readline().strip()
                if code:
                    return code
    raise Failure(LATER, f"nobody agreed within {PATIENCE / 60:.0f} minutes", hint="stagewright login")


def _received(listener: socket.socket, state: str) -> str | None:
    """Read one request of a browser; return the code when it carries our state, and answer in words."""
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.settimeout(ASKING)
        code = _code_of(_first_line(connection), state)
        text = (SEEN if code else ODD).encode()
        head = (
            f"HTTP/1.1 {200 if code else 404} -\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        with suppress(OSError):  # who sees the answer does not matter: the code is here
            connection.sendall(head.encode() + text)
        return code
    return None


def _first_line(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received and len(received) < 4 * LONGEST_LINE:
        part = connection.recv(LONGEST_LINE)
        if not part:
            break
        received += part
    return received.partition(b"\r\n")[0].decode("latin-1")


def _code_of(line: str, state: str) -> str | None:
    words = line.split(" ")
    if len(words) != 3 or words[0] != "GET":
        return None
    parts = urlsplit(words[1])
    given = parse_qs(parts.query)
    theirs = given.get("state", [""])[0]
    if parts.path != "/" or not hmac.compare_digest(theirs.encode(), state.encode()):
        return None
    return given.get("code", [""])[0] or None
