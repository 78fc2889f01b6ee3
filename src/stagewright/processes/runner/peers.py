"""Who is at the other end of a loopback connection: only processes of our own user may use the relay (Linux)."""

import os
import sys
from pathlib import Path

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LOOPBACK = "0100007F"  # 127.0.0.1 as the kernel prints it, also at the end of a mapped IPv6 address


def is_ours(peer: tuple[str, int] | None, port: int) -> bool:
    """Return whether the connection from ``peer`` to our ``port`` belongs to our user. Elsewhere than on Linux: yes."""
    if sys.platform != "linux":
        return True
    return peer is not None and os.getuid() in _owners(f":{peer[1]:04X}", f":{port:04X}")


def _owners(local: str, remote: str) -> set[int]:
    found = set()
    for table in TABLES:
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(LOOPBACK + local) and fields[2].endswith(LOOPBACK + remote):
                found.add(int(fields[7]))
    return found
