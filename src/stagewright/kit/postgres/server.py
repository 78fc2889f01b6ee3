"""The embedded server's life: made once, then started, adopted when it still runs, and stopped.

Peer authentication on a Unix socket only; another user of the machine is refused. The server outlives a killed
program on purpose: the next start adopts it, or lets PostgreSQL recover when it was killed too.
"""

import fcntl
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, LiteralString
from urllib.parse import quote

import psycopg

from stagewright.kit.postgres import cluster as folder
from stagewright.kit.postgres import pidfile
from stagewright.kit.postgres.account import OWNER, Account, find_account, open_way
from stagewright.kit.postgres.binaries import Binaries, find_binaries
from stagewright.kit.postgres.errors import EmbeddedPostgresFailed
from stagewright.kit.settings import make_data_dir

DATABASE: LiteralString = "stagewright"
LOG_LIMIT = 10 * 1024 * 1024
OPTION = re.compile(r"[a-z][a-z0-9_.]*")
PAUSE = 0.01
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "stagewright",
    "shared_buffers": "128MB",
    "io_method": "sync",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # without the DETAIL line, which would show values of rows
    "log_min_error_statement": "panic",
}


class EmbeddedPostgres:
    """A running embedded server."""

    _children: ClassVar[list[subprocess.Popen[bytes]]] = []  # kept so that a dead one of ours is reaped

    def __init__(self, cluster: Path, pid: int, socket_dir: Path, *, adopted: bool) -> None:
        self.cluster = cluster
        self.pid = pid
        self.socket_dir = socket_dir
        self.adopted = adopted

    @property
    def dsn(self) -> str:
        """Return the address of the program's own database."""
        return self.dsn_for(DATABASE)

    def dsn_for(self, database: str) -> str:
        """Return the address of another database of this server."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{OWNER}@/{quote(database, safe='')}?host={host}&port={folder.PORT}"

    @classmethod
    def start_or_adopt(
        cls, data_dir: Path, *, options: Mapping[str, str] | None = None, wait: timedelta = timedelta(seconds=60)
    ) -> "EmbeddedPostgres":
        """Return the server of ``data_dir``: the running one, or one made and started now.

        ``options`` are server settings for a start; an adopted server keeps its own. Blocks until the server takes
        connections; raise ``EmbeddedPostgresFailed`` with the remedy after ``wait``, which covers crash recovery.
        """
        until = time.monotonic() + wait.total_seconds()
        account = find_account()
        data_dir = make_data_dir(data_dir)
        open_way(account, data_dir)
        with _locked(data_dir / "postgres.lock", until):
            home = data_dir / "postgres"
            home.mkdir(exist_ok=True)
            account.give(home, 0o700)
            binaries = find_binaries(account, data_dir)
            cluster = folder.cluster_of(home, binaries)
            while True:
                server = cls._adopt(cluster, until)
                if server is None:
                    server = cls._start(cluster, binaries, account, options or {}, until)
                try:
                    server._make_database()
                except psycopg.OperationalError:  # it died between its lock file and our connection
                    _pause(until, f"the server of {cluster} takes no connection; see {_log_of(cluster)}", 0.1)
                else:
                    return server

    @classmethod
    def _adopt(cls, cluster: Path, until: float) -> "EmbeddedPostgres | None":
        while (found := pidfile.read(cluster)) is not None and cls._lives(found.pid, cluster):
            if found.ready and found.socket_dir is not None:
                return cls(cluster, found.pid, found.socket_dir, adopted=True)
            _pause(until, f"the server of {cluster} (process {found.pid}) is {found.status} and does not get ready")
        return None

    @classmethod
    def _start(
        cls, cluster: Path, binaries: Binaries, account: Account, options: Mapping[str, str], until: float
    ) -> "EmbeddedPostgres":
        if not cluster.exists():
            folder.make_cluster(cluster, binaries, account, durable=options.get("fsync") != "off")
        folder.write_access_rules(cluster, account)
        socket_dir = folder.socket_dir(cluster, account)
        log = _log_of(cluster)
        arguments = [str(binaries.path("postgres")), "-D", str(cluster), "-k", str(socket_dir), "-p", str(folder.PORT)]
        for name, value in {**SETTINGS, **options}.items():
            if not OPTION.fullmatch(name):
                raise ValueError(f"{name!r} is no server setting")
            arguments += ["-c", f"{name}={value}"]
        while True:
            folder.drop_stale_locks(cluster, socket_dir)
            child = cls._spawn(arguments, log, account)
            while child.poll() is None:
                found = pidfile.read(cluster)
                if found is not None and found.pid == child.pid and found.ready:
                    return cls(cluster, child.pid, socket_dir, adopted=False)
                _pause(until, f"the server does not get ready; see {log}")
            # Processes of a killed server may hold its memory for a moment: try until the deadline.
            if "pre-existing shared memory" not in (why := _last_words(log)):
                raise EmbeddedPostgresFailed(f"PostgreSQL did not start: {why}; see {log}")
            _pause(until, f"processes of a killed server of {cluster} do not end; see {log}", 0.1)

    @classmethod
    def _spawn(cls, arguments: list[str], log: Path, account: Account) -> subprocess.Popen[bytes]:
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab") as output:
            child = subprocess.Popen(
                arguments, stdout=output, stderr=output, start_new_session=True, umask=0o077, **account.spawn()
            )
        cls._children.append(child)
        return child

    @classmethod
    def _lives(cls, pid: int, cluster: Path) -> bool:
        cls._children[:] = [child for child in cls._children if child.poll() is None]
        return pidfile.serves(pid, cluster)

    def alive(self) -> bool:
        """Say whether the server's process lives; it may still be recovering."""
        return self._lives(self.pid, self.cluster)

    def stop(self, *, wait: timedelta = timedelta(seconds=15)) -> None:
        """End the server: sessions are cut, everything committed is safe. Harmless when it is gone already."""
        for number in (signal.SIGINT, signal.SIGQUIT):
            if not self.alive():
                return
            os.kill(self.pid, number)
            until = time.monotonic() + wait.total_seconds()
            while self.alive() and time.monotonic() < until:
                time.sleep(PAUSE)
        if self.alive():
            raise EmbeddedPostgresFailed(f"PostgreSQL (process {self.pid}) does not end")

    def _make_database(self) -> None:
        with psycopg.connect(self.dsn_for("postgres"), autocommit=True, connect_timeout=10) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(DATABASE)))


@contextmanager
def _locked(path: Path, until: float) -> Iterator[None]:
    """Let one process at a time make, start or adopt."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "rb") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _pause(until, f"another process holds {path}: it is starting the same server")
        yield


def _pause(until: float, why: str, seconds: float = PAUSE) -> None:
    if time.monotonic() > until:
        raise EmbeddedPostgresFailed(f"PostgreSQL: waited too long: {why}")
    time.sleep(seconds)


def _log_of(cluster: Path) -> Path:
    return cluster.parents[1] / "postgres.log"


def _last_words(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").splitlines()
    fatal = [line for line in lines if "FATAL" in line or "error" in line]
    return (fatal or lines or ["it said nothing"])[-1].strip()
