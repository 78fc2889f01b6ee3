"""Who is at the other end of a loopback connection: only processes of our own user may use the relay (Linux)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LOOPBACK = "0100007F"  # 127.0.0.1 as the kernel prints it, also at the end of a mapped IPv6 address


def is_ours(peer: tuple[str, int] | None, port: int) -> bool:
    """Return whether the connection from ``peer`` to our ``port`` belongs to our user. Elsewhere than on Linux: yes."""
    if sys.platform != "linux":
        return True
    return peer is not None and os.getuid() in owners(peer[1], port)


def owners(peer_port: int, port: int, tables: Sequence[str] = TABLES) -> set[int]:
    """Return the user ids the kernel names for the loopback connection from ``peer_port`` to ``port``."""
    local, remote = f":{peer_port:04X}", f":{port:04X}"
    found = set()
    for table in tables:
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(LOOPBACK + local) and fields[2].endswith(LOOPBACK + remote):
                found.add(int(fields[7]))
    return found
