"""One child process of the tree: its log file, its environment, and that it does not outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOG_LIMIT = 10 * 1024 * 1024
TAIL_BYTES = 32 * 1024
CLI_PREFIX = "STAGEWRIGHT_CLI_"
PR_SET_PDEATHSIG = 1
ORPHANED = 111  # exit code of a child whose parent died before it began


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run. ``ready_url`` answers 200 when it is ready. One that is not ``restartable`` takes us down."""

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    ready_url: str
    restartable: bool = True


class Child:
    """A started process, its output in a log file."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab") as output:
            return subprocess.Popen(
                self.spec.arguments,
                env=dict(self.spec.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us only; we stop the children in order
                preexec_fn=die_with_parent(os.getpid()),
            )

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it lives."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Send a signal; harmless after the end."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; say whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def new_output(self) -> str:
        """Return what was written to the log since the last call."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        self._offset += len(text)
        return text.decode(errors="replace")


def last_lines(log: Path, count: int) -> list[str]:
    """Return the last lines of a log."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()[-count:]


def rotate(log: Path) -> None:
    """Put a log that has grown long aside; the one before it goes."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))


def server_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for server processes: ours without the client's own variables."""
    return {name: value for name, value in environ.items() if not name.startswith(CLI_PREFIX)}


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what a child calls before its program starts, so that it ends when we are killed (Linux only)."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between: nobody will send the signal
            os._exit(ORPHANED)

    return ask_kernel
