"""Keeps one workload: starts the runner, reaps everything below it, kills it at the deadline, writes how it ended.

Run as a script with ``python -I -S``: the standard library only, nothing of this package. It outlives the worker that
started it; what it knows and does is in files of the workload's directory (`runtime.md` 6.8).
"""

import contextlib
import ctypes
import fcntl
import functools
import json
import os
import select
import signal
import sys
import time

LOG_CAP = 512 * 1024
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
DEFAULT_GRACE = 30.0
FORWARDED = (signal.SIGTERM, signal.SIGCHLD)
LINUX = sys.platform == "linux"


def start_of(pid: int) -> str | None:
    """Return what tells this process from a later one with the same pid, or None when it is gone or a zombie."""
    if not LINUX:
        return _start_by_ps(pid)
    stat = _stat_of(pid)
    if stat is None or stat[0] == "Z":
        return None
    return f"{_boot_id()}:{stat[2]}"


def descendants(root: int) -> list[tuple[int, str]]:
    """Return (pid, start) of everything below ``root``, whatever session or group it moved to (Linux only)."""
    children: dict[int, list[int]] = {}
    starts: dict[int, str] = {}
    for entry in os.listdir("/proc"):
        stat = _stat_of(int(entry)) if entry.isdigit() else None
        if stat is not None:
            children.setdefault(stat[1], []).append(int(entry))
            starts[int(entry)] = f"{_boot_id()}:{stat[2]}"
    found: list[int] = []
    ahead = [root]
    while ahead:
        below = children.get(ahead.pop(), [])
        found += below
        ahead += below
    return [(pid, starts[pid]) for pid in found]


def signal_exactly(pid: int, start: str, number: int) -> bool:
    """Send a signal to the process that started at ``start``; never to a later one with its pid."""
    if not LINUX:
        if start_of(pid) != start:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_of(pid) != start:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def _stat_of(pid: int) -> tuple[str, int, str] | None:
    """Return (state, parent, start in clock ticks since boot) of a process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return fields[0].decode(), int(fields[1]), fields[19].decode()


@functools.cache
def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _start_by_ps(pid: int) -> str | None:
    with os.popen(f"ps -o state=,lstart= -p {int(pid)}") as answer:  # noqa: S605  an integer, and no subprocess module here
        words = answer.read().split(None, 1)
    return None if len(words) < 2 or words[0].startswith("Z") else words[1].strip()


class Supervisor:
    """One workload from its first process to the file ``exit``."""

    def __init__(self, folder: str, lock: int) -> None:
        self.folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.lock = lock
        with open(self._open("spec.json", os.O_RDONLY), encoding="utf-8") as file:
            self.spec = json.load(file)
        self.runner = 0
        self.status: int | None = None
        self.kill_at: float | None = None
        self.why = "exited"
        self.output = -1
        self.logged = 0
        self.log = -1
        self.wake, bell = _pipe()
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def register(self) -> None:
        """Write who we are; the second one to try finds the file there and gives up."""
        me = {"pid": os.getpid(), "start": start_of(os.getpid()), "at": time.time()}
        self._put(f"pid.{os.getpid()}", me)
        try:
            os.link(f"pid.{os.getpid()}", "pid", src_dir_fd=self.folder, dst_dir_fd=self.folder)
        finally:
            os.unlink(f"pid.{os.getpid()}", dir_fd=self.folder)
        os.close(self.lock)

    def run(self) -> None:
        """Start the runner and stay until it and all below it are gone."""
        self._start_runner()
        if self.kill_at is not None:
            self._stop()  # the signal came before there was anyone to hand it to
        while self.status is None:
            self._wait()
            self._reap()
            self._enforce()
        self._kill_rest()
        for _ in range(256):
            if not self._copy():
                break
        self._finish()

    def _start_runner(self) -> None:
        """Fork and exec the runner in its own process group, its output piped to us."""
        self.output, write = os.pipe()
        os.set_blocking(self.output, False)
        here = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # until the child has no handler of ours any more
        self.runner = os.fork()
        if self.runner == 0:
            try:
                self._become_runner(write, here)
            except OSError as error:
                os.write(2, f"cannot start the runner: {error}\n".encode())
            finally:
                os._exit(127)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        os.close(write)
        self._put("runner", {"pid": self.runner, "start": start_of(self.runner)})

    def _become_runner(self, write: int, supervisor: int) -> None:
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.setpgid(0, 0)
        if LINUX:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                return
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        os.chdir(self.spec["cwd"])
        os.execve(self.spec["argv"][0], self.spec["argv"], self.spec["env"])  # noqa: S606  no shell is the point

    def _wait(self) -> None:
        """Sleep until a signal, output, or the next of deadline and end of grace."""
        until = [self.spec["deadline"] - time.time(), 60.0]
        if self.kill_at is not None:
            until.append(self.kill_at - time.monotonic())
        sources = [self.wake] if self.output < 0 else [self.wake, self.output]
        ready, _, _ = select.select(sources, [], [], max(0.0, min(until)))
        if self.wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self.wake, 4096)
        if self.output in ready:
            self._copy()

    def _copy(self) -> bool:
        """Move one piece of output into the capped log; return whether there may be more."""
        try:
            data = os.read(self.output, 65536) if self.output >= 0 else b""
        except BlockingIOError:
            return False
        if not data:
            if self.output >= 0:
                os.close(self.output)
            self.output = -1
            return False
        with contextlib.suppress(OSError):  # a full disk costs lines of the log, not the run
            if self.log < 0 or self.logged + len(data) > LOG_CAP:
                self._turn_log()
            os.write(self.log, data)
            self.logged += len(data)
        return True

    def _turn_log(self) -> None:
        if self.log >= 0:
            os.close(self.log)
            self.log = -1
            os.rename("output.log", "output.log.1", src_dir_fd=self.folder, dst_dir_fd=self.folder)
        self.log = self._open("output.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.logged = 0

    def _stop(self) -> None:
        """Ask the runner to end; kill everything when the grace is over."""
        grace = DEFAULT_GRACE
        with contextlib.suppress(OSError, ValueError), open(self._open("stop", os.O_RDONLY), encoding="ascii") as file:
            grace = float(file.read())
        end = time.monotonic() + grace
        self.kill_at = end if self.kill_at is None else min(self.kill_at, end)
        self.why = "stopped"
        if self.runner and grace > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.runner, signal.SIGTERM)

    def _enforce(self) -> None:
        late = time.time() >= self.spec["deadline"]
        if self.status is None and (late or (self.kill_at is not None and time.monotonic() >= self.kill_at)):
            self.why = "deadline" if late else "killed"
            self._kill_rest()

    def _kill_rest(self) -> None:
        """Kill all that is below us, also what left the group or the session; give up on what cannot die in 10 s."""
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            self._reap()
            if not LINUX:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.runner, signal.SIGKILL)
                if self.status is not None:
                    return
            elif rest := descendants(os.getpid()):
                for pid, start in rest:
                    signal_exactly(pid, start, signal.SIGKILL)
            else:
                return
            time.sleep(0.002)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.runner:
                    self.status = status

    def _finish(self) -> None:
        code = os.waitstatus_to_exitcode(self.status) if self.status is not None else -signal.SIGKILL
        self._put("exit", {"exit_code": 128 - code if code < 0 else code, "detail": self.why, "at": time.time()})

    def _put(self, name: str, value: object) -> None:
        """Write a file so that a reader sees all of it or nothing."""
        handle = self._open(f"{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(f"{name}.new", name, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=self.folder)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _detach() -> int:
    """Leave the caller's session; return the writing end that tells the caller we are registered."""
    read, write = os.pipe()
    if os.fork() != 0:
        os.close(write)
        os._exit(0 if os.read(read, 1) else 1)
    os.close(read)
    os.setsid()
    os.umask(0o077)
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    return write


def main(folder: str, lock: int) -> None:
    """Detach, register, tell the caller, and supervise."""
    told = _detach()
    supervisor = Supervisor(folder, lock)
    fcntl.fcntl(lock, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    supervisor.register()
    os.write(told, b"1")
    os.close(told)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    supervisor.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
