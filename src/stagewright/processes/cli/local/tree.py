"""The process tree: children started, watched, restarted when they die, stopped in order. One thread, no surprises."""

import http.client
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from stagewright.kit.errors import Unavailable
from stagewright.processes.cli.local.child import Child, ChildSpec, last_lines, rotate

QUICK_DEATH = 10.0  # seconds; a child that lives longer starts its count anew
MOST_QUICK_DEATHS = 5
LONGEST_BACK_OFF = 8.0
READY_WITHIN = 60.0
STOP_WITHIN = 25.0
LOOK_EVERY = 0.1
SHOWN_LINES = 20
ASK_TIMEOUT = 3.0

Say = Callable[[str], None]


class TreeFailed(Unavailable):
    """A child does not stay alive or does not get ready; the message ends with its last log lines."""

    code = "up.child_failed"


@dataclass(slots=True)
class _Life:
    """A child and how often it died quickly."""

    child: Child
    started: float
    quick_deaths: int = 0
    restart_at: float | None = None


@dataclass(slots=True)
class ProcessTree:
    """Runs children. ``tend`` has to be called again and again; ``pause`` waits and tends.

    Each look calls ``guard``, which mends what is no child of ours (the database), and ``tick``, which only draws.
    Children are restarted with growing pauses; after five quick deaths ``TreeFailed`` is raised.
    """

    logs: Path
    say: Say
    stopping: Event = field(default_factory=Event)
    guard: Callable[[], None] | None = None
    show: Say | None = None
    tick: Callable[[], None] | None = None
    _lives: dict[str, _Life] = field(default_factory=dict)

    def start(self, spec: ChildSpec) -> None:
        """Start a child."""
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.logs / f"{spec.name}.log"
        rotate(log)
        self._lives[spec.name] = _Life(Child(spec, log), time.monotonic())

    def pids(self) -> dict[str, int]:
        """Return the process id of every child."""
        return {name: life.child.pid for name, life in self._lives.items()}

    def tend(self) -> None:
        """Look once: show new output, restart what died. Raise ``TreeFailed`` when that does not help."""
        if self.guard is not None:
            self.guard()
        if self.tick is not None:
            self.tick()
        for life in self._lives.values():
            self._show(life.child)
            if life.restart_at is not None:
                if time.monotonic() >= life.restart_at:
                    life.child, life.started = Child(life.child.spec, life.child.log), time.monotonic()
                    life.restart_at = None
            elif (code := life.child.exit_code()) is not None:
                self._died(life, code)

    def pause(self, seconds: float) -> bool:
        """Tend for ``seconds``; say whether to go on (False after ``stopping`` was set)."""
        until = time.monotonic() + seconds
        while not self.stopping.is_set():
            self.tend()
            left = until - time.monotonic()
            if left <= 0:
                return True
            self.stopping.wait(min(LOOK_EVERY, left))
        return False

    def wait_ready(self, names: Sequence[str] | None = None, *, within: float = READY_WITHIN) -> bool:
        """Tend until the children answer that they are ready; say whether to go on. Raise ``TreeFailed``."""
        waiting = list(self._lives if names is None else names)
        until = time.monotonic() + within
        why = ""
        while waiting:
            why = _not_ready(self._lives[waiting[0]].child.spec.ready_url)
            if not why:
                waiting.pop(0)
                continue
            if time.monotonic() > until:
                self._fail(self._lives[waiting[0]].child, f"is not ready after {within:.0f} s ({why})")
            if not self.pause(LOOK_EVERY):
                return False
        return True

    def stop(self, *, within: float = STOP_WITHIN) -> None:
        """Ask all children to end, wait, kill what is left."""
        children = [life.child for life in self._lives.values() if life.restart_at is None]
        for child in children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + within
        for child in children:
            if not child.wait(max(0.1, until - time.monotonic())):
                self.say(f"{child.spec.name} does not end and is killed")
                child.signal(signal.SIGKILL)
                child.wait(ASK_TIMEOUT)
            self._show(child)
        self._lives.clear()

    def _died(self, life: _Life, code: int) -> None:
        spec = life.child.spec
        ended = f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
        lived = time.monotonic() - life.started
        life.quick_deaths = life.quick_deaths + 1 if lived < QUICK_DEATH else 1
        if not spec.restartable:
            self._fail(life.child, ended)
        if life.quick_deaths >= MOST_QUICK_DEATHS:
            self._fail(life.child, f"{ended}, {life.quick_deaths} times in a row")
        pause = 0.0 if lived >= QUICK_DEATH else min(LONGEST_BACK_OFF, 0.5 * 2.0 ** (life.quick_deaths - 1))
        life.restart_at = time.monotonic() + pause
        self.say(f"{spec.name} {ended}; it is started again in {pause:g} s (log: {life.child.log})")

    def _fail(self, child: Child, why: str) -> None:
        lines = "\n".join(f"  {line}" for line in last_lines(child.log, SHOWN_LINES))
        raise TreeFailed(f"{child.spec.name} {why}; the end of {child.log}:\n{lines or '  (empty)'}")

    def _show(self, child: Child) -> None:
        if self.show is None:
            return
        for line in child.new_output().splitlines():
            self.show(f"{child.spec.name} | {line}")


def _not_ready(url: str) -> str:
    """Return why ``url`` does not say ready, or nothing."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_TIMEOUT)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        said = answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {type(error).__name__}"
    finally:
        with suppress(OSError):
            connection.close()
    return "" if answer.status == 200 else f"{url}: {answer.status} {said}"
