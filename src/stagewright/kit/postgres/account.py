"""Who runs the embedded server: ourselves, or, because PostgreSQL refuses root, a system user of its own."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagewright.kit.postgres.errors import EmbeddedPostgresFailed, Unreachable
from stagewright.kit.settings import data_dir_default

SYSTEM_USER = "embedded_postgres"
OWNER = "stagewright"
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user of the server, and the users that may connect."""

    name: str
    uid: int
    gid: int
    switched: bool
    clients: tuple[str, ...]

    def spawn(self) -> dict[str, Any]:
        """Return the ``subprocess`` arguments that start a program as this user, with a clean environment."""
        common: dict[str, Any] = {"cwd": "/", "env": CLEAN_ENVIRONMENT, "stdin": subprocess.DEVNULL}
        if self.switched:
            common |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return common

    def give(self, path: Path, mode: int) -> None:
        """Make ``path`` belong to this user with ``mode``."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        path.chmod(mode)


def find_account() -> Account:
    """Choose the server's user: the present one, or as root the wheel's system user, made when it is missing."""
    uid = os.geteuid()
    if uid == 0:
        entry = _system_user()
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switched=True, clients=(entry.pw_name, "root"))
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise EmbeddedPostgresFailed(
            f"user id {uid} has no entry in the user database and PostgreSQL refuses to run without one: "
            "add the user, or set STAGEWRIGHT_DATABASE_URL"
        ) from error
    return Account(entry.pw_name, uid, os.getegid(), switched=False, clients=(entry.pw_name,))


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        failure = _add_system_user()
    try:
        return pwd.getpwnam(SYSTEM_USER)  # a process beside us may have been quicker
    except KeyError as error:
        raise EmbeddedPostgresFailed(
            f"PostgreSQL does not run as root and the system user {SYSTEM_USER} could not be made ({failure}): "
            f"make it with `useradd {SYSTEM_USER}`, start as another user, or set STAGEWRIGHT_DATABASE_URL"
        ) from error


def _add_system_user() -> str:
    try:
        done = subprocess.run(
            ["useradd", "-s", "/bin/bash", SYSTEM_USER], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"


def open_way(account: Account, data_dir: Path, environ: Mapping[str, str] | None = None) -> None:
    """Let the server's user pass through ``data_dir``, never by opening a folder that is not ours.

    A closed one of ours gets the server's group with ``x``; a home directory is left alone. Raise ``Unreachable`` with
    the remedy when it or a folder above stays closed.
    """
    if not account.switched:
        return
    home = (environ if environ is not None else os.environ).get("HOME", "")
    homes = {Path(pwd.getpwuid(os.geteuid()).pw_dir), Path(home or "/")}
    status = data_dir.stat()
    closed = not _passable(data_dir, account)
    if closed and status.st_uid == os.geteuid() and data_dir not in homes:
        os.chown(data_dir, -1, account.gid)
        data_dir.chmod((status.st_mode & 0o700) | 0o010 | (status.st_mode & 0o007))
    for folder in [data_dir, *data_dir.parents]:
        if not _passable(folder, account):
            raise Unreachable(
                f"{folder} is closed to the user {account.name} that runs PostgreSQL: put STAGEWRIGHT_DATA_DIR "
                f"elsewhere (default {data_dir_default()}), or open the folder with `chmod o+x {folder}`"
            )


def _passable(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
