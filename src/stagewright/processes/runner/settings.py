"""What the workload was started with: four variables and three token files. Nothing else is read."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

TOKENS = ("run", "tools", "model")


class SettingsWrong(Exception):
    """A variable or a token file is missing or malformed; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the platform is, who we are, and the tokens."""

    target: str
    secure: bool
    attempt_id: str
    generation: int
    tokens: Mapping[str, str] = field(repr=False)
    run_dir: Path
    path: str
    proxies: Mapping[str, str]


def read_settings(environ: Mapping[str, str], run_dir: Path) -> Settings:
    """Read and check everything. Raises ``SettingsWrong``."""
    target, secure = _target(_need(environ, "STAGEWRIGHT_CONTROLPLANE_URL"))
    attempt = _need(environ, "STAGEWRIGHT_ATTEMPT_ID")
    generation = _need(environ, "STAGEWRIGHT_GENERATION")
    try:
        UUID(attempt)
    except ValueError as error:
        raise SettingsWrong("STAGEWRIGHT_ATTEMPT_ID is not a UUID; the worker sets it") from error
    if not generation.isdecimal() or int(generation) < 1:
        raise SettingsWrong("STAGEWRIGHT_GENERATION is not a positive number; the worker sets it")
    folder = Path(_need(environ, "STAGEWRIGHT_TOKEN_DIR"))
    return Settings(
        target=target,
        secure=secure,
        attempt_id=attempt,
        generation=int(generation),
        tokens={name: _token(folder / name) for name in TOKENS},
        run_dir=run_dir,
        path=environ.get("PATH", ""),
        proxies={name: environ[name] for name in ("HTTPS_PROXY", "NO_PROXY", "KUBECONFIG") if environ.get(name)},
    )


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine for certain."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _need(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsWrong(f"{name} is not set; the worker sets it when it starts a workload")
    return value


def _target(url: str) -> tuple[str, bool]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsWrong("STAGEWRIGHT_CONTROLPLANE_URL is not an http or https URL")
    secure = parts.scheme == "https"
    if not secure and not is_loopback(parts.hostname):
        raise SettingsWrong("STAGEWRIGHT_CONTROLPLANE_URL: plain http is taken on loopback only; use https")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if secure else 80)}", secure


def _token(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingsWrong(f"STAGEWRIGHT_TOKEN_DIR: the token file {path.name} cannot be read: {error}") from error
    if not text:
        raise SettingsWrong(f"STAGEWRIGHT_TOKEN_DIR: the token file {path.name} is empty")
    return text
