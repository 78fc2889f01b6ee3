"""One server process of the platform under test: started, asked whether it is ready, killed, started again."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.e2e.waiting import wait_until

from stagewright.processes.cli.local.child import die_with_parent, last_lines

READY_WITHIN = 40.0
END_WITHIN = 25.0


@dataclass
class Server:
    """A process with its log; ``ready_url`` answers 200 when it is ready."""

    name: str
    arguments: tuple[str, ...]
    environ: dict[str, str]
    ready_url: str
    log: Path
    started_at: float = 0.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Return the process id of the running process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it unless it runs."""
        if self.alive:
            return
        self.started_at = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.arguments,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, by default one that leaves it no last word, and wait for the end."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.wait(END_WITHIN)

    def stop(self) -> None:
        """Ask it to end, and wait; what does not end is killed and is a failure."""
        try:
            self.kill(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM\n{self.last_words()}") from None

    def wait_ready(self, within: float = READY_WITHIN) -> None:
        """Wait until it says that it is ready."""
        wait_until(self._is_ready, f"{self.name} is ready", within, tell=self.last_words)

    def _is_ready(self) -> bool:
        assert self.alive, f"{self.name} ended: {self.last_words()}"
        try:
            return httpx.get(self.ready_url, trust_env=False, timeout=3).status_code == 200
        except httpx.HTTPError:
            return False

    def last_words(self) -> str:
        """Return the end of its log."""
        return f"the end of {self.log.name}:\n" + "\n".join(last_lines(self.log, 30))
