"""Which addresses of a forge are spoken to: looked at where the connection is made, so that no name can change later.

A forge's address is given by whoever binds a repository, so it must not lead into the platform's own network
(``access.md`` AX11). A forge on a private network is named by the operator; this machine counts for practice forges.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.request import getproxies

import httpcore
import httpx

from stagewright.kit.settings import Listen

IPAddress = IPv4Address | IPv6Address
MOST_TRIED = 4
TRANSLATED = ip_network("64:ff9b::/96")
METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Where clouds hand out credentials of the machine; some of these count as public or private addresses."""


class AddressRefused(httpcore.ConnectError):
    """A host's address is none that a forge may have."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What counts besides public addresses: named hosts on private networks, or all there, and this machine."""

    private_hosts: frozenset[str] = frozenset()
    loopback: bool = False
    private: bool = False

    def allows(self, host: str, address: IPAddress) -> bool:
        """Say whether ``host`` may be spoken to at ``address``.

        This machine is meant only where the address says so itself: a name that merely leads here is refused.
        """
        address = _inner(address)
        if address.is_loopback:
            return self.loopback and Listen(host, 0).loopback
        if address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        return address.is_global or self.private or host.casefold().rstrip(".") in self.private_hosts


def _inner(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a host once, refuses it when one of its addresses is none of a forge, and connects to what it saw."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        addresses = await _resolved(host, port, timeout)
        if not all(self._reach.allows(host, address) for address in addresses):
            raise AddressRefused(f"{host} leads to an address that is none to speak to")
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:MOST_TRIED]:
            try:
                return await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        await self._plain.sleep(seconds)


async def _resolved(host: str, port: int, timeout: float | None) -> list[IPAddress]:
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over the guarded network."""

    def __init__(self, reach: Reach, *, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=context, limits=limits)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=GuardedNetwork(reach),
        )


def environment_proxies(limits: httpx.Limits) -> dict[str, httpx.AsyncBaseTransport | None]:
    """Return the proxies that the operator set for the process, and None for what goes past them.

    What a proxy may reach is the proxy's decision: it resolves names itself. This machine is never behind one.
    """
    found = getproxies()
    past = [host.strip() for host in found.pop("no", "").split(",") if host.strip()]
    if "*" in past:
        return {}
    mounts: dict[str, httpx.AsyncBaseTransport | None] = {
        f"{scheme}://": httpx.AsyncHTTPTransport(proxy=address, limits=limits)
        for scheme, address in found.items()
        if scheme in ("http", "https", "all")
    }
    direct = ["127.0.0.1", "localhost", "[::1]", *past, *(f"*.{host.lstrip('*.')}" for host in past)]
    return mounts | {f"all://{host}": None for host in direct} if mounts else {}
