"""One folder for everything a run of the tests writes, in memory where there is room, and a watchman that clears it.

On a disk half of an integration test's time is the file system's: each makes and drops a database of a thousand files.
The watchman is a process of its own: a run that is killed leaves servers and folders, and nobody else who would know.
Run as a program, this file is the watchman. ``TMPDIR`` names another place.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

MEMORY = Path("/dev/shm")
ROOM = 3 * 1024**3  # a whole run needs a third of it
PREFIX = "sw-tests-"
GOODBYE = b"."
GRACE = 5.0  # seconds in which the workers of a killed run may still clear up after themselves
TRIES = 40
PROC = Path("/proc")


class Scratch:
    """The folder, from the start of the tests to their end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
        self.folder.chmod(0o711)  # the database's user must be able to pass
        command = [sys.executable, "-I", "-S", __file__, str(self.folder), str(GRACE)]
        self._watchman = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/")
        self._outside = os.environ.get("TMPDIR")
        self._use(str(self.folder))

    def close(self) -> None:
        """Tell the watchman that all is over, and wait until he has cleared up."""
        self._use(self._outside)
        self._watchman.communicate(GOODBYE)

    @staticmethod
    def _use(folder: str | None) -> None:
        tempfile.tempdir = None
        if folder is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = folder


def _place() -> Path | None:
    """Return memory if there is enough that may hold programs and nobody named a place; else None, the usual one."""
    if "TMPDIR" in os.environ or not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return None
    found = os.statvfs(MEMORY)
    fits = min(found.f_bavail * found.f_frsize, _free_memory()) >= ROOM
    return MEMORY if fits and not found.f_flag & os.ST_NOEXEC else None


def _free_memory() -> int:
    """Return how many bytes programs may still take, 0 where the system does not tell."""
    with suppress(OSError, ValueError, StopIteration):
        lines = PROC.joinpath("meminfo").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    return 0


def watch(folder: Path, owner: IO[bytes], grace: float) -> None:
    """Wait until the run of the tests says goodbye or is dead, end what still works in ``folder``, and remove it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # meant for the run, not for who clears up after it
        signal.signal(number, signal.SIG_IGN)
    if owner.read(1) != GOODBYE:
        time.sleep(grace)
    for attempt in range(TRIES):
        working = _working_in(folder)
        for pid in working:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if attempt > TRIES / 2 else signal.SIGQUIT)
        if not working:
            break
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def _working_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is below ``folder``: that of a database server is its data."""
    found = []
    for entry in PROC.glob("[0-9]*/cwd"):
        with suppress(OSError):
            if Path(os.readlink(entry)).is_relative_to(folder):
                found.append(int(entry.parent.name))
    return found


if __name__ == "__main__":
    watch(Path(sys.argv[1]), sys.stdin.buffer, float(sys.argv[2]))
