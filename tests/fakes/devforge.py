"""The practice forge for tests: running in a thread or as a process, a receiver for its webhooks, and git."""

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from stagewright.kit.clock import SystemClock
from stagewright.processes.cli.local.child import die_with_parent
from stagewright.processes.devforge.seed import ForgeControl, Planted, Planting, plant_practice
from stagewright.processes.devforge.serve import loopback_socket, make_server

DEADLINE = 20.0  # seconds for starting, stopping and each thing waited for


@dataclass
class RunningForge:
    """A practice forge that answers; ``control`` is its back door."""

    url: str
    data: Path
    control: ForgeControl
    planted: int = 0

    @property
    def api_url(self) -> str:
        """Return the base address of its REST API."""
        return f"{self.url}/api"

    def plant(self, **changes: Any) -> Planted:
        """Plant an owner, a bot and a repository of their own, so that tests can share one forge."""
        self.planted += 1
        names = {"owner": f"owner-{self.planted}", "bot": f"bot-{self.planted}", "repository": f"shop-{self.planted}"}
        return plant_practice(self.url, Planting(**(names | changes)))


@contextmanager
def forge_in_thread(data: Path) -> Iterator[RunningForge]:
    """Run a forge on a thread of this process: starts in milliseconds."""
    ready = threading.Event()
    server = make_server(loopback_socket("127.0.0.1:0"), data, SystemClock(), lambda _: ready.set())
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[server.bound])), name="devforge")
    thread.start()
    try:
        assert ready.wait(DEADLINE), "the practice forge did not start"
        with ForgeControl(server.forge.web_url) as control:
            yield RunningForge(server.forge.web_url, data, control)
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the practice forge did not stop"


@contextmanager
def forge_as_process(data: Path, *flags: str) -> Iterator[tuple[RunningForge, subprocess.Popen[bytes]]]:
    """Run a forge as its own process, as ``stagewright demo`` does."""
    data.mkdir(parents=True, exist_ok=True)
    announced = data / "announced.json"
    command = [sys.executable, "-m", "stagewright.processes.devforge", "--data", str(data / "forge")]
    command += ["--announce", str(announced), *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=die_with_parent(os.getpid()))
    try:
        where = _read_when_there(announced, process)
        with ForgeControl(where["url"]) as control:
            yield RunningForge(where["url"], data / "forge", control), process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(DEADLINE)
        assert process.stderr is not None
        process.stderr.close()


def _read_when_there(path: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    pause, end = threading.Event(), time.monotonic() + DEADLINE
    while not path.exists():
        assert process.poll() is None, f"the practice forge ended with {process.returncode}"
        assert time.monotonic() < end, "the practice forge did not announce itself"
        pause.wait(0.02)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def devforge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningForge]:
    """One practice forge for a module of tests; each test plants its own repository."""
    with forge_in_thread(tmp_path_factory.mktemp("devforge")) as forge:
        yield forge


@dataclass(frozen=True)
class Received:
    """A webhook that arrived."""

    event: str
    delivery: str
    signature: str
    headers: dict[str, str]
    raw: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """Return the payload."""
        found: dict[str, Any] = json.loads(self.raw)
        return found

    def signed_with(self, secret: str) -> bool:
        """Say whether the signature is that of the raw bytes."""
        wanted = hmac.new(secret.encode(), self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.signature, f"sha256={wanted}")


@dataclass
class Receiver:
    """A small webhook receiver; ``answers`` are the statuses to give next, 202 when there are none."""

    url: str
    arrived: "Queue[Received]" = field(default_factory=Queue)
    answers: list[int] = field(default_factory=list)

    def take(self, timeout: float = DEADLINE) -> Received:
        """Return the next webhook, waiting for it."""
        return self.arrived.get(timeout=timeout)

    def take_all(self) -> list[Received]:
        """Return what has arrived so far."""
        found = []
        while True:
            try:
                found.append(self.arrived.get_nowait())
            except Empty:
                return found


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    """Run a receiver on loopback."""
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            signature = headers.get("x-hub-signature-256", "")
            event, delivery = headers["x-github-event"], headers["x-github-delivery"]
            receiver.arrived.put(Received(event, delivery, signature, headers, raw))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    with closing(_Server(("127.0.0.1", 0), Handler)) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="webhook receiver")
        thread.start()
        yield receiver
        server.shutdown()
        thread.join(DEADLINE)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def close(self) -> None:
        self.server_close()


def with_token(clone_url: str, token: str) -> str:
    """Put a token into a clone address, the way GitHub's Apps do."""
    return clone_url.replace("://", f"://x-access-token:{token}@")


def git(folder: Path, *args: str, check: bool = True, config: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run git in a folder without the machine's configuration."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "A Tester",
        "GIT_AUTHOR_EMAIL": "tester@example.invalid",
        "GIT_COMMITTER_NAME": "A Tester",
        "GIT_COMMITTER_EMAIL": "tester@example.invalid",
    }
    options = [option for pair in config for option in ("-c", pair)]
    command = ["git", *options, *args]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
    return done
