"""Who is at the other end of a connection: the peer, or what trusted proxies say of it (access.md, section 1)."""

import ipaddress
from collections.abc import Collection, Iterable
from functools import cache

from starlette.requests import HTTPConnection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNKNOWN = "unknown"


@cache
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks that are written as addresses or in CIDR form. Raise ``ValueError`` for anything else."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def prefix_of(connection: HTTPConnection, trusted: Iterable[str]) -> str:
    """Return the /24 or /64 that the client belongs to: what limits count by and what the journal keeps."""
    peer = connection.client.host if connection.client else ""
    forwarded = ",".join(connection.headers.getlist("x-forwarded-for"))
    return ip_prefix(client_address(peer, forwarded, networks(tuple(trusted))))


def client_address(peer: str, forwarded: str, trusted: Collection[Network]) -> str:
    """Return who really asks: the last hop of ``X-Forwarded-For`` that is not ours, if ``peer`` is a trusted proxy."""
    hops = [item.strip() for item in forwarded.split(",") if item.strip()]
    current = peer
    while hops and _is_trusted(current, trusted):
        candidate = hops.pop()
        if parse_address(candidate) is None:
            break
        current = candidate
    return current


def ip_prefix(address: str) -> str:
    """Return the /24 or /64 that ``address`` belongs to, or ``unknown``."""
    parsed = parse_address(address)
    if parsed is None:
        return UNKNOWN
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 64), strict=False))


def parse_address(text: str) -> Address | None:
    """Return the address; an IPv4 address in IPv6 clothes is the IPv4 address; None for anything else."""
    try:
        parsed = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _is_trusted(address: str, trusted: Collection[Network]) -> bool:
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)
