"""The demo as a running place: the program in a home of its own, its practice forge, what people do with both."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from stagewright.processes.cli.local.child import die_with_parent
from stagewright.processes.devforge.seed import ForgeControl

PROGRAM = (sys.executable, "-m", "stagewright.processes.cli.main")
READY = "Ctrl-C ends the demo."
START_WITHIN = 90.0
COMMAND_WITHIN = 60.0
OWNER, BOT = "practice-owner", "stagewright-bot"


def clean_environ(home: Path) -> dict[str, str]:
    """Return an environment as on a fresh machine: no setting of ours, a home that is empty."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STAGEWRIGHT_", "XDG_"))}
    return kept | {"HOME": str(home), "TMPDIR": str(home / "tmp"), "COLUMNS": "200"}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return stdout as JSON."""
        return json.loads(self.out)


@dataclass
class Repository:
    """A repository of the practice forge, through its public API, as its owner."""

    full_name: str
    forge_url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> httpx.Response:
        """Send a request about the repository."""
        answer = httpx.request(
            method,
            f"{self.forge_url}/api/repos/{self.full_name}{path}",
            json=body,
            headers={"Accept": accept, "Authorization": f"Bearer {self.token}"},
            trust_env=False,
            timeout=20,
        )
        assert not answer.is_error, answer.text
        return answer

    def open_issue(self, title: str = "Do it") -> int:
        """Open an issue and return its number."""
        return int(self.ask("POST", "/issues", {"title": title, "body": "Please."}).json()["number"])

    def set_label(self, number: int, label: str = "run:dev") -> None:
        """Set a label."""
        self.ask("POST", f"/issues/{number}/labels", {"labels": [label]})

    def labels(self, number: int) -> set[str]:
        """Return the labels of an issue or pull request."""
        return {item["name"] for item in self.ask("GET", f"/issues/{number}/labels").json()}

    def comments(self, number: int) -> list[dict[str, Any]]:
        """Return the comments of an issue."""
        found: list[dict[str, Any]] = self.ask("GET", f"/issues/{number}/comments").json()
        return found


@dataclass
class Playground:
    """A running demo."""

    environ: dict[str, str]
    process: subprocess.Popen[str]
    words: str
    forge_url: str

    def call(self, *arguments: str, given: str | None = None, within: float = COMMAND_WITHIN) -> Done:
        """Run a command of the program against the demo and return how it ended."""
        done = subprocess.run(
            [*PROGRAM, "--context", "demo", *arguments],
            env=self.environ, input=given, capture_output=True, text=True, timeout=within, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on."""
        command = [*PROGRAM, "--context", "demo", *arguments]
        return subprocess.Popen(
            command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def repository(self, name: str) -> Repository:
        """Return a repository of the practice owner."""
        with ForgeControl(self.forge_url) as control:
            token = control.token(OWNER)
        return Repository(f"{OWNER}/{name}", self.forge_url, token)

    def bind(self, name: str, rehearsal: str) -> Repository:
        """Make a repository whose agent acts ``rehearsal``, and bind it with `repo add` and a webhook."""
        policy = "version: 1\ndefaults: {model: rehearsal}\nstages: {dev: {model: rehearsal}}\n"
        files = {
            "README.md": f"# {name}\n",
            ".stagewright/policy.yaml": policy,
            ".stagewright/rehearsals/dev.yaml": rehearsal,
        }
        with ForgeControl(self.forge_url) as control:
            wish = {"owner": OWNER, "name": name, "files": files, "collaborators": {BOT: "admin"}}
            control.ask("POST", "/repositories", wish)
            token = control.token(BOT)
        found = self.repository(name)
        api_url = f"{self.forge_url}/api"
        done = self.call(
            "repo", "add", found.full_name, "--api-url", api_url, "--token-stdin", "-o", "json", given=token
        )
        assert done.code == 0, done.err
        bound = done.json()
        config = {"url": bound["webhook_url"], "content_type": "json", "secret": bound["webhook_secret"]}
        hook = {"name": "web", "active": True, "events": bound["webhook_events"], "config": config}
        found.ask("POST", "/hooks", hook)
        self.until(lambda: len(found.ask("GET", "/labels?per_page=100").json()) >= bound["labels"])
        return found

    def begin(self, repository: Repository) -> str:
        """Open an issue, set the label, and return the id of the run."""
        issue = repository.open_issue()
        repository.set_label(issue)
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.call("run", "list", "--issue", f"{repository.full_name}#{issue}", "-o", "json").json()
            return bool(found)

        self.until(look)
        return str(found[0]["id"])

    def child(self, name: str) -> int:
        """Return the process id of one of the demo's server processes."""
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if f"stagewright.processes.{name}" in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
        raise AssertionError(f"no {name} among the demo's children")

    @staticmethod
    def until(look: Callable[[], bool], within: float = COMMAND_WITHIN) -> None:
        """Look until there is something, for a bounded time."""
        end, pause = time.monotonic() + within, threading.Event()
        while not look():
            assert time.monotonic() < end
            pause.wait(0.1)


@contextmanager
def running_demo() -> Iterator[Playground]:
    """Start the demo, wait until it has told its story, end it with Ctrl-C."""
    home = Path(tempfile.mkdtemp(prefix="stagewright-home-"))
    home.chmod(0o711)  # the database's system user passes through when we are root
    (home / "tmp").mkdir()
    (home / "tmp").chmod(0o711)
    environ = clean_environ(home)
    with (home / "demo.err").open("w") as errors:
        process = subprocess.Popen(
            [*PROGRAM, "demo", "--stay"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
    try:
        words = _read_until(process, READY)
        found = re.search(r"Pull request +(http://[\d.:]+)/", words)
        assert found is not None, words + (home / "demo.err").read_text()
        yield Playground(environ, process, words, found[1])
        process.send_signal(signal.SIGINT)
        assert process.wait(START_WITHIN) == 0, (home / "demo.err").read_text()
        assert list((home / "tmp").glob("stagewright-demo-*")) == []
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(home)


def _read_until(process: subprocess.Popen[str], marker: str) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(START_WITHIN, process.kill)
    watchdog.start()
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if marker in line:
                break
    finally:
        watchdog.cancel()
    return "".join(lines)


def commands_in(words: str) -> Sequence[Sequence[str]]:
    """Return the commands that the demo tells a person to try."""
    lines = [line.strip() for line in words.splitlines()]
    start = "stagewright --context demo "
    return [line.removeprefix(start).split() for line in lines if line.startswith(start)]
