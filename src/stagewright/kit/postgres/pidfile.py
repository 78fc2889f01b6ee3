"""What ``postmaster.pid`` says, and whether that process is really our server: process ids are used again."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PROGRAM = "postgres"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The running server as its lock file describes it."""

    pid: int
    socket_dir: Path | None
    status: str

    @property
    def ready(self) -> bool:
        """Say whether it takes connections."""
        return self.status == "ready"


def read(cluster: Path) -> Postmaster | None:
    """Return what the lock file of ``cluster`` says, or None without a readable one."""
    lines = _lines(cluster / "postmaster.pid")
    pid = _number(lines)
    if pid is None:
        return None
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return Postmaster(pid, socket_dir, lines[7].strip() if len(lines) > 7 else "starting")


def owner(lock: Path) -> int | None:
    """Return the process number in the first line of a lock file, or None without a readable one."""
    return _number(_lines(lock))


def _lines(lock: Path) -> list[str]:
    try:
        return lock.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _number(lines: list[str]) -> int | None:
    try:
        return int(lines[0])
    except (IndexError, ValueError):
        return None


def serves(pid: int, cluster: Path) -> bool:
    """Say whether process ``pid`` is a living PostgreSQL server of ``cluster``, not a stranger with its number."""
    command, separator = _command_line(pid)
    return PROGRAM in command and f"{separator}-D{separator}{cluster}{separator}" in command


def _command_line(pid: int) -> tuple[str, str]:
    """Return the arguments of a process and what parts them; nothing for a dead one, a zombie included."""
    if PROC.joinpath("self").exists():
        try:
            return PROC.joinpath(str(pid), "cmdline").read_bytes().decode(errors="replace"), "\0"
        except OSError:
            return "", "\0"
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
    )
    return listed.stdout, " "
