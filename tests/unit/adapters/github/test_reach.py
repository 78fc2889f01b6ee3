"""Where a forge may be: decided on the addresses of the connection, and on what the forge says of its repositories."""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
from tests.fakes.clock import FakeClock

from stagewright.adapters.github import GitHubDirectory, Rates, Reach, Wire, open_http
from stagewright.adapters.github.reach import environment_proxies
from stagewright.adapters.github.words import belongs_to
from stagewright.adapters.providers import open_http as open_provider_http
from stagewright.adapters.providers.client import REACH as PROVIDERS
from stagewright.contexts.runs.errors import NotSent

HERE = Reach(loopback=True)
NAMED = Reach(frozenset({"git.corp"}))
PUBLIC = ("140.82.121.6", "2606:50c0:8000::64", "64:ff9b::8c52:7906")
OUR_NETWORK = ("10.0.0.5", "172.16.3.1", "192.168.1.1", "100.64.0.9", "fd12:3456::1", "::ffff:10.0.0.5")
NEVER = (
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "169.254.169.254",
    "169.254.7.7",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fd00:ec2::254",
    "168.63.129.16",
    "100.100.100.200",
    "0.0.0.0",
    "::",
    "224.0.0.1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_spoken_to(address: str) -> None:
    assert Reach().allows("forge.test", ip_address(address))


@pytest.mark.parametrize("address", OUR_NETWORK)
def test_a_private_network_counts_only_for_hosts_the_operator_named(address: str) -> None:
    assert not Reach(loopback=True).allows("git.corp", ip_address(address))
    assert not NAMED.allows("other.corp", ip_address(address))
    assert NAMED.allows("Git.Corp.", ip_address(address))


@pytest.mark.parametrize("address", OUR_NETWORK)
def test_a_model_may_run_on_a_private_network(address: str) -> None:
    assert PROVIDERS.allows("models.corp", ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_no_name_leads_a_model_call_to_this_machine_or_the_cloud_it_runs_in(address: str) -> None:
    assert not PROVIDERS.allows("models.corp", ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_no_name_opens_this_machine_or_the_cloud_it_runs_in(address: str) -> None:
    assert not NAMED.allows("git.corp", ip_address(address))
    assert not HERE.allows("git.corp", ip_address(address))


def test_this_machine_counts_only_where_the_address_says_so() -> None:
    assert HERE.allows("127.0.0.1", ip_address("127.0.0.1"))
    assert HERE.allows("localhost", ip_address("::1"))
    assert not HERE.allows("rebound.test", ip_address("127.0.0.1"))
    assert not Reach().allows("127.0.0.1", ip_address("127.0.0.1"))


class Resolver:
    """The loop's resolver with names of its own: each name has the addresses a test gives it, one list per question."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
        self.answers = answers
        monkeypatch.setattr(loop, "getaddrinfo", self.getaddrinfo)

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """Answer the next address."""
        name = host.decode() if isinstance(host, bytes) else host
        address = self.answers.pop(0) if name.endswith(".test") else name
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


async def test_a_name_that_leads_into_our_network_is_refused_where_the_connection_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Resolver(asyncio.get_running_loop(), monkeypatch, ["127.0.0.1", "10.0.0.5"])
    async with open_http(HERE) as http:
        directory = GitHubDirectory(Wire(http, Rates(), FakeClock()))
        for _ in range(2):
            with pytest.raises(NotSent) as caught:
                await directory.account("https://rebound.test", "token")
            assert caught.value.stable_code == "forge.address_refused"


async def test_a_model_call_is_refused_where_the_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(asyncio.get_running_loop(), monkeypatch, ["169.254.169.254"])
    async with open_provider_http() as http:
        with pytest.raises(httpx.ConnectError, match="leads to an address"):
            await http.post("http://models.test/v1/responses")


async def test_a_redirect_into_our_network_is_not_followed() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, open_http(HERE) as http:
        port = server.sockets[0].getsockname()[1]
        found = await http.get(f"http://127.0.0.1:{port}/user")
    assert (found.status_code, len(asked)) == (302, 1)


@pytest.mark.parametrize(
    ("url", "api_url", "fits"),
    [
        ("https://github.com/acme/shop.git", "https://api.github.com", True),
        ("https://acme.ghe.com/acme/shop", "https://api.acme.ghe.com", True),
        ("https://git.corp:8443/acme/shop", "https://git.corp:8443/api/v3", True),
        ("http://127.0.0.1:9/acme/shop", "http://127.0.0.1:9/api", True),
        ("http://github.com/acme/shop.git", "https://api.github.com", False),
        ("https://github.com.evil.test/acme/shop.git", "https://api.github.com", False),
        ("https://evil.test/acme/shop.git", "https://git.corp/api/v3", False),
        ("https://corp/acme/shop.git", "https://api.corp", False),
        ("https://git.corp:22/acme/shop.git", "https://git.corp/api/v3", False),
        ("https://x@github.com/acme/shop.git", "https://api.github.com", False),
        ("https://[::1", "https://api.github.com", False),
        ("", "https://api.github.com", False),
    ],
)
def test_a_credential_goes_only_to_the_forge_it_was_given_for(url: str, api_url: str, fits: bool) -> None:
    assert belongs_to(url, api_url) is fits


def test_the_environments_proxy_is_used_and_passed_by_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    limits = httpx.Limits()
    assert environment_proxies(limits) == {}
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "git.corp")
    mounts = environment_proxies(limits)
    assert mounts["https://"] is not None
    assert all(mounts[f"all://{host}"] is None for host in ("127.0.0.1", "localhost", "git.corp", "*.git.corp"))
    monkeypatch.setenv("NO_PROXY", "*")
    assert environment_proxies(limits) == {}
