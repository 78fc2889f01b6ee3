"""The data folder on disk: made as a whole, opened to its own users only, its socket at a short path."""

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

from stagewright.kit.postgres import pidfile
from stagewright.kit.postgres.account import OWNER, Account
from stagewright.kit.postgres.binaries import Binaries
from stagewright.kit.postgres.errors import EmbeddedPostgresFailed, Unreachable, WrongMajor

PORT = 5432
SOCKET_PATH_LIMIT = 103  # 107 on Linux, 103 on macOS
SHORT_BASE = Path("/tmp")  # noqa: S108 - the only short folder everywhere; the owner and mode are checked


def cluster_of(home: Path, binaries: Binaries) -> Path:
    """Return the data folder below ``home``; it carries the major. Raise ``WrongMajor`` when another one made it."""
    cluster = home / binaries.major
    made_by = {path.parent.name: path.read_text().strip() for path in home.glob("*/PG_VERSION")}
    others = sorted(major for folder, major in made_by.items() if folder.isdigit() and major != binaries.major)
    if made_by.get(cluster.name, binaries.major) != binaries.major or (others and not cluster.exists()):
        major = made_by.get(cluster.name) or others[-1]
        raise WrongMajor(
            f"{home} holds data of PostgreSQL {major}, this program brings {binaries.major}: with the release that "
            f"made it, save the data with pg_dumpall, move {home / major} away, start this release and load it"
        )
    return cluster


def make_cluster(cluster: Path, binaries: Binaries, account: Account, *, durable: bool) -> None:
    """Make the data folder beside its place and move it there: a killed start leaves nothing half made."""
    making = cluster.with_name(f"{cluster.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    done = subprocess.run(
        [
            *(str(binaries.path("initdb")), "-D", str(making), "-U", OWNER, "--auth-local=peer", "--auth-host=reject"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"),
            *(() if durable else ("--no-sync",)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        umask=0o077,
        **account.spawn(),
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise EmbeddedPostgresFailed(f"the database in {cluster} could not be made: {said}")
    making.rename(cluster)


def write_access_rules(cluster: Path, account: Account) -> None:
    """Let the server's user, and root when it starts the server, connect; nobody else."""
    lines = "".join(f'sw "{name}" {OWNER}\n' for name in account.clients)
    for name, text in (("pg_hba.conf", "local all all peer map=sw\n"), ("pg_ident.conf", lines)):
        path = cluster / name
        if path.read_text() == text:
            continue
        making = cluster / f"{name}.making"
        making.unlink(missing_ok=True)
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        account.give(making, 0o600)
        making.replace(path)


def socket_dir(cluster: Path, account: Account) -> Path:
    """Return a folder for the socket: of the server's user, closed to others, with a path that is not too long."""
    folder = cluster.parent / "run"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
        folder = SHORT_BASE / f"stagewright-{account.uid}-{digest}"
    try:
        folder.mkdir(mode=0o700)
        account.give(folder, 0o700)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid or status.st_mode & 0o077:
            raise Unreachable(
                f"{folder} must be a folder of the user {account.name} with mode 0700: remove it"
            ) from None
    return folder


def drop_stale_locks(cluster: Path, sockets: Path) -> None:
    """Remove lock files, of the data and of the socket, whose process number belongs to a stranger or a zombie now.

    PostgreSQL itself removes a dead one's, but takes a killed server that nobody has reaped yet for a living one.
    """
    for lock in (cluster / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"):
        pid = pidfile.owner(lock)
        if pid is not None and not pidfile.serves(pid, cluster):
            lock.unlink(missing_ok=True)
