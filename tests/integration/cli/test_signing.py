"""`login` with a browser and `open`: what is asked, what comes back, and what is never shown."""

import base64
import hashlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.integration.cli.fake_server import Asked, FakeServer, Reply

from stagewright.processes.cli.main import main

pytestmark = pytest.mark.usefixtures("config")
START = "import sys; from stagewright.processes.cli.main import main; sys.exit(main())"
CODE = "c" * 43
MADE: dict[str, Any] = {
    "token": "swt_made-for-the-cli",
    "expires_at": "2026-06-01T00:00:00+00:00",
    "email": "ann@example.org",
    "scopes": ["operate", "read"],
}


class Login:
    """A running `stagewright login`, as the person in front of it sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process = process
        self.said: list[str] = []
        while not self.said or "/cli-login?" not in self.said[-1]:
            line = process.stderr.readline()
            assert line, self.said
            self.said.append(line)
        self.link = urlsplit(self.said[-1].strip())
        self.asks = {name: values[0] for name, values in parse_qs(self.link.query).items()}

    def come_back(self, **query: str) -> tuple[int, str]:
        """Go where the console sends the browser."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.asks["port"]), timeout=10)
        connection.request("GET", f"/?{urlencode(query)}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def end(self) -> str:
        """Wait for its end; return everything it said."""
        _, rest = self.process.communicate(timeout=30)
        return "".join(self.said) + rest


@contextmanager
def a_login(*arguments: str) -> Iterator[Login]:
    """Start `stagewright login` in a process, without a terminal."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, "--debug", "login", "--no-browser", *arguments],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Login(process)
    finally:
        process.kill()
        process.wait(10)


def test_a_person_agrees_in_the_console_and_the_token_is_kept(server: FakeServer, config: Path) -> None:
    server.on[("POST", "/auth/cli/exchange")] = lambda _: Reply(201, MADE)
    with a_login("--host", server.url, "--name", "team") as login:
        assert f"{login.link.scheme}://{login.link.netloc}{login.link.path}" == f"{server.url}/cli-login"
        assert login.asks["scopes"] == "read,operate"
        assert login.come_back(code="guessed", state="wrong")[0] == 404
        assert login.come_back(code="", state=login.asks["state"])[0] == 404
        status, text = login.come_back(code=CODE, state=login.asks["state"])
        said = login.end()
    assert (status, "go back to the terminal" in text) == (200, True)
    assert login.process.returncode == 0
    [sent] = server.asked
    digest = hashlib.sha256(sent.body["verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == login.asks["challenge"]
    assert (sent.body["code"], "authorization" in sent.headers) == (CODE, False)
    kept = json.loads((config / "contexts.json").read_text())
    assert kept["current"] == "team"
    assert kept["contexts"]["team"]["token"] == MADE["token"]
    assert "as ann@example.org with operate, read" in said
    secrets: tuple[str, ...] = (CODE, sent.body["verifier"], MADE["token"])
    assert not [secret for secret in secrets if secret in said]


def test_a_code_that_does_not_count_keeps_nothing(server: FakeServer, config: Path) -> None:
    refused = {"code": "identity.code_refused", "detail": "the code does not count"}
    server.on[("POST", "/auth/cli/exchange")] = lambda _: Reply(401, refused)
    with a_login("--host", server.url, "--name", "team") as login:
        login.come_back(code=CODE, state=login.asks["state"])
        login.end()
    assert login.process.returncode == 4
    assert "team" not in json.loads((config / "contexts.json").read_text())["contexts"]


def a_link(asked: Asked) -> Reply:
    assert asked.headers["authorization"] == "Bearer sw_secret-token"
    return Reply(
        201, {"code": CODE, "url": f"http://127.0.0.1:8080/login#{CODE}", "expires_at": "2026-06-01T00:00:00Z"}
    )


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], f"http://127.0.0.1:8080/login#{CODE}"),
        (["runs"], f"http://127.0.0.1:8080/login?next=%2Fruns#{CODE}"),
        (["run-0007"], f"http://127.0.0.1:8080/login?next=%2Fr%2Frun-0007#{CODE}"),
        (["acme/shop.js#7"], f"http://127.0.0.1:8080/login?next=%2Fi%2Facme%2Fshop.js%2F7#{CODE}"),
    ],
)
def test_open_prints_a_new_one_time_link_on_this_machine(
    server: FakeServer, capsys: pytest.CaptureFixture[str], arguments: list[str], shown: str
) -> None:
    server.on[("POST", "/api/v1/me/login-code")] = a_link
    assert main(["--debug", "open", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{shown}\n"
    assert CODE not in captured.err


@pytest.mark.parametrize("status", [403, 404])
def test_open_elsewhere_prints_the_plain_address(
    server: FakeServer, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    server.answers = [Reply(status, {"code": "some.reason"})]
    assert main(["open", "waits"]) == 0
    assert capsys.readouterr().out == f"{server.url}/waits\n"
    assert main(["open", "weather"]) == 2
