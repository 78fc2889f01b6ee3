"""A storm of deaths by a seeded schedule: who dies when and for how long is fixed before it begins."""

import heapq
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.e2e.platform import DATABASE, Platform
from tests.e2e.runners import kill_runner

RUNNER = "runner"
WEIGHTS = {"worker": 4, "worker-2": 4, "controlplane": 3, "gateway": 2, RUNNER: 3, DATABASE: 2}
PAUSE_SECONDS = (0.5, 2.5)  # between two deaths
DOWN_SECONDS = (0.2, 3.0)
LOOK_SECONDS = 0.1
STARTING_SECONDS = 10.0


@dataclass(order=True)
class Strike:
    """One death: at which second, of whom, and for how long it stays dead."""

    at: float
    victim: str
    down: float
    with_supervisor: bool = False


def schedule(seed: int, seconds: float) -> list[Strike]:
    """Return the deaths of a storm of ``seconds``, in order."""
    dice = random.Random(seed)
    strikes, at = [], dice.uniform(*PAUSE_SECONDS)
    while at < seconds:
        [victim] = dice.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))
        strikes.append(Strike(at, victim, dice.uniform(*DOWN_SECONDS), dice.random() < 0.3))
        at += dice.uniform(*PAUSE_SECONDS)
    return strikes


@dataclass
class Storm:
    """Acts a schedule out. Whatever died by itself is started again too, and remembered."""

    platform: Platform
    seed: int
    seconds: float
    deaths: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    died_by_themselves: list[str] = field(default_factory=list)
    _struck: set[str] = field(default_factory=set)
    _down: set[str] = field(default_factory=set)
    _rises: list[tuple[float, str]] = field(default_factory=list)
    _began: float = 0.0

    def act(self) -> None:
        """Let everything die as scheduled, and start it again; at the end everything runs."""
        self._began = time.monotonic()
        ahead = schedule(self.seed, self.seconds)
        pause = threading.Event()
        while ahead or self._rises or self._now() < self.seconds:
            while ahead and ahead[0].at <= self._now():
                self._strike(ahead.pop(0))
            while self._rises and self._rises[0][0] <= self._now():
                self._rise(heapq.heappop(self._rises)[1])
            self._tend()
            pause.wait(LOOK_SECONDS)
        for server in self.platform.servers.values():
            server.start()
            server.wait_ready()

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _strike(self, strike: Strike) -> None:
        if strike.victim in self._down:
            return
        if strike.victim == RUNNER:
            if self._strike_a_runner(strike):
                self.deaths[RUNNER] += 1
            return
        self._tell(f"kill {strike.victim} for {strike.down:.1f} s")
        self.platform.kill(strike.victim)
        self.deaths[strike.victim] += 1
        self._down.add(strike.victim)
        heapq.heappush(self._rises, (self._now() + strike.down, strike.victim))

    def _strike_a_runner(self, strike: Strike) -> bool:
        """Kill the runner of a run whose runner was not killed before: a run is tried three times only."""
        for workload in self.platform.workloads():
            run = json.loads((workload / "spec.json").read_text())["run_id"]
            if run not in self._struck and kill_runner(workload, with_supervisor=strike.with_supervisor):
                self._struck.add(run)
                self._tell(f"kill the runner {workload.name}{' and its supervisor' * strike.with_supervisor}")
                return True
        return False

    def _rise(self, victim: str) -> None:
        self._tell(f"start {victim}")
        self._down.discard(victim)
        self.platform.restart(victim, wait=False)

    def _tend(self) -> None:
        for name, server in self.platform.servers.items():
            if name not in self._down and not server.alive:
                self._tell(f"{name} died by itself")
                if time.monotonic() - server.started_at > STARTING_SECONDS:  # until then it may refuse to start
                    self.died_by_themselves.append(f"{name}: {server.last_words()}")
                server.start()

    def _tell(self, what: str) -> None:
        self.told.append(f"{self._now():5.1f} s: {what}")
