"""The process tree: children are watched, started again, given up on, and never outlive us."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stagewright.processes.cli.local.child import LOG_LIMIT, ChildSpec, last_lines, rotate, server_environ
from stagewright.processes.cli.local.place import free_port
from stagewright.processes.cli.local.tree import ProcessTree, TreeFailed

DEADLINE = 20.0
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = """
import os, subprocess, sys, time
from stagewright.processes.cli.local.child import die_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=die_with_parent(os.getpid()))
print(child.pid, flush=True)
time.sleep(60)
"""


def a_spec(program: str, *, name: str = "child", port: int = 1, restartable: bool = True) -> ChildSpec:
    return ChildSpec(
        name=name,
        arguments=(sys.executable, "-c", program, str(port)),
        environ=dict(os.environ),
        ready_url=f"http://127.0.0.1:{port}/readyz",
        restartable=restartable,
    )


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def tree(tmp_path: Path, said: list[str]) -> Iterator[ProcessTree]:
    made = ProcessTree(tmp_path / "logs", said.append)
    yield made
    made.stop(within=1)


def until(tree: ProcessTree, true: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end
        tree.pause(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_a_child_is_ready_when_it_answers_and_is_started_again_when_it_dies(tree: ProcessTree, said: list[str]) -> None:
    tree.start(a_spec(SERVER, name="server", port=free_port()))
    assert tree.wait_ready(within=DEADLINE)
    first = tree.pids()["server"]

    os.kill(first, signal.SIGKILL)
    until(tree, lambda: tree.pids()["server"] != first)

    assert tree.wait_ready(within=DEADLINE)
    assert said == [f"server was killed by SIGKILL; it is started again in 0.5 s (log: {tree.logs / 'server.log'})"]


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tree: ProcessTree, said: list[str]) -> None:
    tree.start(a_spec("import sys; sys.exit('no database here')"))

    with pytest.raises(TreeFailed, match=r"exit code 1, 5 times in a row") as caught:
        until(tree, lambda: False)
    assert "no database here" in caught.value.message
    assert [line.split(" again in ")[1].split(" (")[0] for line in said] == ["0.5 s", "1 s", "2 s", "4 s"]


def test_a_child_that_cannot_be_restarted_takes_the_tree_down(tree: ProcessTree) -> None:
    tree.start(a_spec("pass", restartable=False))

    with pytest.raises(TreeFailed, match="exit code 0"):
        until(tree, lambda: False)


def test_a_child_that_never_gets_ready_is_named_with_the_reason(tree: ProcessTree) -> None:
    tree.start(a_spec("import time; print('thinking', flush=True); time.sleep(60)", port=free_port()))

    with pytest.raises(TreeFailed, match=r"is not ready after 1 s .*ConnectionRefused") as caught:
        tree.wait_ready(within=1)
    assert "thinking" in caught.value.message


def test_a_stop_ends_waiting_at_once(tree: ProcessTree) -> None:
    tree.start(a_spec("import time; time.sleep(60)", port=free_port()))
    threading.Timer(0.2, tree.stopping.set).start()

    assert not tree.wait_ready(within=DEADLINE)
    assert not tree.pause(DEADLINE)


def test_what_does_not_end_is_killed(tree: ProcessTree, said: list[str]) -> None:
    shown: list[str] = []
    tree.show = shown.append
    tree.start(a_spec(STUBBORN))
    pid = tree.pids()["child"]
    until(tree, lambda: bool(shown))

    tree.stop(within=0.2)

    assert not is_alive(pid)
    assert said == ["child does not end and is killed"]
    assert shown == ["child | up"]


def test_the_guard_is_called_with_every_look(tree: ProcessTree) -> None:
    looks: list[int] = []
    tree.guard = lambda: looks.append(1)
    tree.pause(0.01)

    assert looks


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_children_of_a_killed_parent_end() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(DEADLINE)
    parent.stdout.close()

    end, pause = time.monotonic() + DEADLINE, threading.Event()
    while is_alive(child):
        assert time.monotonic() < end
        pause.wait(0.05)


def test_servers_do_not_see_the_clients_variables() -> None:
    environ = {"PATH": "/bin", "STAGEWRIGHT_CLI_TOKEN": "secret", "STAGEWRIGHT_OWNER_EMAIL": "ann@example.org"}

    assert server_environ(environ) == {"PATH": "/bin", "STAGEWRIGHT_OWNER_EMAIL": "ann@example.org"}


def test_a_long_log_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "worker.log.1").stat().st_size == LOG_LIMIT + 1

    log.write_text("one\ntwo\nthree\n")
    rotate(log)
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(tmp_path / "none.log", 2) == []
