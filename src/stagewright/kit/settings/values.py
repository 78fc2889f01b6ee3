"""How the text of a setting becomes a value. A parser raises ValueError with what to write instead."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Say whether only this machine can connect."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Say whether ``host`` is a name or address of this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def text(value: str) -> str:
    """Take any text."""
    return value


def words(value: str) -> tuple[str, ...]:
    """Read a comma-separated list."""
    return tuple(part for part in (item.strip() for item in value.split(",")) if part)


def flag(value: str) -> bool:
    """Read ``true`` or ``false``."""
    if value not in ("true", "false"):
        raise ValueError("write true or false")
    return value == "true"


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Make a parser of numbers between two limits."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,12}", value) or not least <= int(value) <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return int(value)

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """Make a parser of a closed list."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError("write one of " + ", ".join(allowed))
        return value

    return parse


def parse_duration(value: str) -> timedelta:
    """Read ``90s``, ``30m``, ``2h``, ``14d`` or a row of them, largest first."""
    match = DURATION.fullmatch(value)
    parts = [int(part or 0) for part in match.groups()] if match else []
    if not any(parts) or len(value) > 20:
        raise ValueError("write a duration such as 90s, 30m, 2h, 14d or 1h30m")
    days, hours, minutes, seconds = parts
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise ValueError("write a shorter duration, such as 14d") from error


def duration(least: timedelta, most: timedelta) -> Callable[[str], timedelta]:
    """Make a parser of durations between two limits."""

    def parse(value: str) -> timedelta:
        found = parse_duration(value)
        if not least <= found <= most:
            raise ValueError(f"write a duration from {least} to {most}")
        return found

    return parse


def listen(value: str) -> Listen:
    """Read ``host:port`` or ``[v6 address]:port``."""
    host, _, port = value.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        valid = _is_v6(host)
    else:
        valid = HOST.fullmatch(host) is not None
    if not valid or not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535:
        raise ValueError("write host:port, for example 127.0.0.1:8080; port 0 takes a free one")
    return Listen(host, int(port))


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def url(value: str) -> str:
    """Read an absolute http or https address without user, query and fragment."""
    try:
        parts = urlsplit(value)
        valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise ValueError("write an address such as https://stagewright.example.org")
    return value.rstrip("/")


def origin(value: str) -> str:
    """Read the public address of the console: https, or plain http on loopback, and no path."""
    address = url(value)
    parts = urlsplit(address)
    if parts.path or not (parts.scheme == "https" or is_loopback(parts.hostname or "")):
        raise ValueError("write https://host[:port] without a path; plain http only on a loopback address")
    return address


def postgres_url(value: str) -> str:
    """Read the address of a PostgreSQL server."""
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("write postgresql://user:password@host:port/database")
    return value


def absolute_path(value: str) -> Path:
    """Read an absolute path; ``~`` is the home directory."""
    path = Path(value).expanduser()
    if not path.is_absolute():
        raise ValueError("write an absolute path")
    return path
