"""The one-time link of `stagewright up` signs the owner in, once; `stagewright open` makes another."""

import http.client
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.e2e.cli.playground import PROGRAM, Playground, clean_environ

from stagewright.kit.postgres import EmbeddedPostgres

pytestmark = pytest.mark.e2e


@pytest.fixture
def home(data_dir: Path) -> Iterator[Path]:
    """Return a home directory whose database is stopped at the end."""
    (data_dir / "tmp").mkdir()
    yield data_dir
    if (data_dir / "data/postgres").exists():
        EmbeddedPostgres.start_or_adopt(data_dir / "data").stop()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    kind: str
    cookie: str
    text: str


def ask(link: str, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Send one request to the host of ``link``, as its own page does."""
    parts = urlsplit(link)
    own = {"Origin": f"http://{parts.netloc}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
        connection.request(method, path, sent, {**own, **headers})
        with connection.getresponse() as answer:
            cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
            return Answer(answer.status, answer.getheader("content-type") or "", cookie, answer.read().decode())


def sign_in(link: str) -> Answer:
    """Redeem the code of a link."""
    return ask(link, "POST", "/auth/local", {"code": urlsplit(link).fragment})


def test_the_printed_link_signs_the_owner_in_once_and_open_makes_another(home: Path) -> None:
    environ = clean_environ(home)
    command = [*PROGRAM, "up", "--data", str(home / "data"), "--port", "0", "--no-browser"]
    with (home / "up.err").open("w") as errors:
        up = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
    watchdog = threading.Timer(60, up.kill)
    watchdog.start()
    try:
        assert up.stdout is not None
        url, link = up.stdout.readline().strip(), up.stdout.readline().strip()
        assert link.startswith(f"{url}/login#"), (home / "up.err").read_text()
        page = ask(link, "GET", "/login")
        assert (page.status in (200, 503), page.kind) == (True, "text/html; charset=utf-8")

        signed = sign_in(link)
        assert (signed.status, signed.cookie.partition("=")[0]) == (200, "sw_session")
        me = json.loads(ask(link, "GET", "/api/v1/me", Cookie=signed.cookie).text)
        assert (me["role"], me["credential"]) == ("owner", "session")
        assert sign_in(link).status == 401

        opened = subprocess.run([*PROGRAM, "open"], env=environ, capture_output=True, text=True, timeout=60, check=True)
        assert sign_in(opened.stdout.strip()).status == 200
        assert link.partition("#")[2] not in (home / "up.err").read_text()
        assert not [log for log in (home / "data" / "logs").iterdir() if link.partition("#")[2] in log.read_text()]
    finally:
        watchdog.cancel()
        up.terminate()
        up.communicate(timeout=60)


def test_the_demo_signs_its_visitor_in(playground: Playground) -> None:
    [link] = re.findall(r"http://127\.0\.0\.1:\d+/login#[\w-]{43}", playground.words)
    signed = sign_in(link)
    assert signed.status == 200
    runs = json.loads(ask(link, "GET", "/api/v1/runs", Cookie=signed.cookie).text)["items"]
    assert runs[-1]["status"] == "succeeded", "the demo's own run is the oldest"
