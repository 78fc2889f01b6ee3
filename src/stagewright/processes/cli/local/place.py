"""Where an installation on this machine lives: one `up` per data directory, its ports, and its endpoints file."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stagewright.kit.errors import Conflict

LOCK = "up.lock"
ENDPOINTS = "endpoints.json"
LOOPBACK = "127.0.0.1"
OTHERS = ("controlplane", "tools", "relay", "gateway_metrics", "controlplane_metrics", "worker_metrics")


class AlreadyRunning(Conflict):
    """Another `up` or `demo` runs on the same data directory."""

    code = "up.already_running"


class PortTaken(Conflict):
    """The gateway's port is used by another program."""

    code = "up.port_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports that the listeners take."""

    gateway: int
    controlplane: int
    tools: int
    relay: int
    gateway_metrics: int
    controlplane_metrics: int
    worker_metrics: int


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data directory for this process; raise ``AlreadyRunning`` naming the one that has it."""
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(_who_runs(data)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _who_runs(data: Path) -> str:
    holder = (data / LOCK).read_text(encoding="utf-8").strip() or "unknown"
    known = read_endpoints(data)
    where = f" at {known['gateway']}" if known.get("pid") == _number(holder) and "gateway" in known else ""
    return (
        f"Stagewright runs already on {data}{where} (process {holder}): use that one, stop it with Ctrl-C, "
        "or choose another folder with --data"
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def choose_ports(wanted: int, host: str, before: Mapping[str, Any]) -> Ports:
    """Choose ports that are free now: the gateway's as wanted (0 = any), the others as last time where possible.

    Agents that outlived the last `up` find the control plane again at its old port. Raise ``PortTaken``.
    """
    old = before.get("ports") or {}
    with ExitStack() as held:  # all are held until all are chosen, so that none is given twice
        gateway = _take(held, host, wanted or int(old.get("gateway", 0)))
        if gateway is None and wanted:
            raise PortTaken(
                f"port {wanted} on {host} is in use: choose another with --port N, or --port 0 for a free one"
            )
        chosen = {"gateway": gateway or _free(held, host)}
        for name in OTHERS:
            chosen[name] = _take(held, LOOPBACK, int(old.get(name, 0))) or _free(held, LOOPBACK)
    return Ports(**chosen)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with ExitStack() as held:
        return _free(held, LOOPBACK)


def _free(held: ExitStack, host: str) -> int:
    port = _take(held, host, 0)
    assert port is not None  # the system always has a port left, or raises
    return port


def _take(held: ExitStack, host: str, port: int) -> int | None:
    found = held.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM))
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(1)
    except OSError:
        if port == 0:
            raise
        return None
    return int(found.getsockname()[1])


def write_endpoints(data: Path, *, gateway: str, ports: Ports) -> None:
    """Write where everything listens, whole or not at all."""
    document = {
        "pid": os.getpid(),
        "gateway": gateway,
        "controlplane": f"http://{LOOPBACK}:{ports.controlplane}",
        "tools": f"http://{LOOPBACK}:{ports.tools}",
        "relay": f"http://{LOOPBACK}:{ports.relay}",
        "ports": asdict(ports),
    }
    making = data / f"{ENDPOINTS}.{os.getpid()}"
    with making.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    making.replace(data / ENDPOINTS)


def read_endpoints(data: Path) -> dict[str, Any]:
    """Return what the last `up` wrote, or nothing."""
    try:
        found = json.loads((data / ENDPOINTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
