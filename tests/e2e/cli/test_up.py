"""`stagewright up`: everything starts, dead processes come back, a second one is refused, nothing is left behind."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from tests.e2e.cli.playground import PROGRAM, Playground, clean_environ

from stagewright.kit.crypto import Keyring
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.processes.cli.local.child import die_with_parent

pytestmark = pytest.mark.e2e
WITHIN = 60.0


class Up:
    """A running `up` with a folder of its own."""

    def __init__(self, home: Path, *options: str, more: Mapping[str, str] | None = None) -> None:
        self.data = home / "data"
        self.environ = clean_environ(home) | dict(more or {})
        self.errors = home / "up.err"
        command = [*PROGRAM, "up", "--data", str(self.data), "--port", "0", *options]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=die_with_parent(os.getpid()),
            )

    def wait_ready(self) -> str:
        """Return the address, once everything is ready."""
        assert self.process.stdout is not None
        watchdog = threading.Timer(WITHIN, self.process.kill)
        watchdog.start()
        url = self.process.stdout.readline().strip()
        watchdog.cancel()
        assert url.startswith("http://127.0.0.1:"), self.errors.read_text()
        return url

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program."""
        return subprocess.run(
            [*PROGRAM, *arguments], env=self.environ, capture_output=True, text=True, timeout=WITHIN, check=False
        )

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(WITHIN)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def children(self) -> dict[str, int]:
        """Return the server processes."""
        pid, found = self.process.pid, {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_text()
            for name in ("gateway", "controlplane", "worker"):
                if f"stagewright.processes.{name}" in command:
                    found[name] = int(child)
        return found


@pytest.fixture
def home(data_dir: Path) -> Iterator[Path]:
    """Return a home whose database is stopped at the end, whatever the test did."""
    (data_dir / "tmp").mkdir()
    yield data_dir
    if (data_dir / "data/postgres").exists():
        EmbeddedPostgres.start_or_adopt(data_dir / "data").stop()


def gone(pid: int) -> bool:
    """Say whether a process has ended; waits for it, bounded."""
    end, pause = time.monotonic() + WITHIN, threading.Event()
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        if time.monotonic() > end:
            return False
        pause.wait(0.05)
    return True


def test_up_comes_up_refuses_a_second_one_and_leaves_nothing(home: Path) -> None:
    up = Up(home, "--github-login", "ann")
    url = up.wait_ready()
    children = up.children()
    assert set(children) == {"gateway", "controlplane", "worker"}
    contexts = home / ".config/stagewright/contexts.json"
    kept = json.loads(contexts.read_text())
    assert kept["current"] == "local"
    assert kept["contexts"]["local"].items() >= {"host": url, "project": "default", "github_login": "ann"}.items()
    assert contexts.stat().st_mode & 0o777 == 0o600
    assert json.loads((up.data / "endpoints.json").read_text())["gateway"] == url

    status = json.loads(up.call("auth", "status", "-o", "json").stdout)
    assert (status["role"], status["fresh"]) == ("owner", True)
    assert "default" in up.call("project", "list").stdout
    second = up.call("up", "--data", str(up.data), "--port", "0")
    assert second.returncode == 7
    assert f"at {url} (process {up.process.pid})" in second.stderr
    port = url.rpartition(":")[2]
    elsewhere = up.call("up", "--data", str(home / "other"), "--port", port)
    assert elsewhere.returncode == 7
    assert f"port {port} on 127.0.0.1 is in use" in elsewhere.stderr

    assert up.end(signal.SIGINT) == 0
    assert all(gone(pid) for pid in children.values())
    assert not (up.data / "postgres/18/postmaster.pid").exists()
    assert "not a security boundary" in up.errors.read_text()


def test_what_dies_is_started_again_and_a_killed_up_is_taken_up_by_the_next(home: Path) -> None:
    up = Up(home)
    url = up.wait_ready()
    before = up.children()
    database = EmbeddedPostgres.start_or_adopt(up.data)
    os.kill(before["worker"], signal.SIGKILL)
    os.kill(database.pid, signal.SIGKILL)
    Playground.until(lambda: up.children().get("worker", before["worker"]) != before["worker"])
    Playground.until(lambda: up.call("auth", "status").returncode == 0)
    said = up.errors.read_text()
    assert "worker was killed by SIGKILL; it is started again" in said
    assert "the database ended and is started again" in said

    children = up.children()
    assert up.end(signal.SIGKILL) == -signal.SIGKILL
    assert all(gone(pid) for pid in children.values())
    database = EmbeddedPostgres.start_or_adopt(up.data)
    assert database.adopted

    again = Up(home)
    assert again.wait_ready() == url
    assert "the database still ran and is used on" in again.errors.read_text()
    assert again.call("auth", "status").returncode == 0
    assert again.end(signal.SIGTERM) == 0


def test_up_uses_the_server_it_is_given_and_leaves_it_running(home: Path, empty_dsn: str) -> None:
    keys = Keyring.generate()
    up = Up(home, more={"STAGEWRIGHT_DATABASE_URL": empty_dsn, "STAGEWRIGHT_ROOT_KEYS": keys})
    up.wait_ready()

    assert up.call("auth", "status").returncode == 0
    assert not (up.data / "postgres").exists()
    assert up.end(signal.SIGTERM) == 0
    with psycopg.connect(empty_dsn) as connection:
        assert connection.execute("select count(*) from users where role = 'owner'").fetchone() == (1,)


def test_wrong_settings_are_all_named_before_anything_starts(home: Path) -> None:
    environ = clean_environ(home) | {"STAGEWRIGHT_LISTEN": "nowhere", "STAGEWRIGHT_PUBLIK_URL": "x"}
    done = subprocess.run(
        [*PROGRAM, "up", "--data", str(home / "none")], env=environ, capture_output=True, text=True, timeout=WITHIN
    )

    assert done.returncode == 2
    assert "STAGEWRIGHT_LISTEN" in done.stderr
    assert "did you mean STAGEWRIGHT_PUBLIC_URL?" in done.stderr
    assert not (home / "none").exists()


def test_the_schema_is_asked_for_and_brought_up_without_up(home: Path) -> None:
    environ = clean_environ(home) | {"STAGEWRIGHT_DATA_DIR": str(home / "data")}

    def call(verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*PROGRAM, "db", verb], env=environ, capture_output=True, text=True, timeout=WITHIN)

    empty = call("check")
    assert empty.returncode == 1
    assert "run `stagewright db migrate`" in empty.stderr
    migrated = call("migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert call("check").stdout == migrated.stdout
    assert call("status").stdout.strip() == f"database {migrated.stdout.strip()}, program {migrated.stdout.strip()}"
    assert not (home / "data/postgres/18/postmaster.pid").exists()
