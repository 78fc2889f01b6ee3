"""Who is at the other end: forwarded addresses count from trusted proxies only (AX5)."""

import pytest

from stagewright.kit.http.peers import client_address, ip_prefix, networks

PROXIES = networks(("10.0.0.0/8", "192.0.2.7"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1, 192.0.2.7", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1, somebody", "10.1.2.3"),
        ("::ffff:10.1.2.3", "2001:db8::1", "2001:db8::1"),
        ("10.1.2.3", "10.9.9.9", "10.9.9.9"),
    ],
)
def test_forwarded_addresses_count_from_trusted_proxies_only(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_without_trusted_proxies_nothing_forwarded_counts() -> None:
    assert client_address("10.1.2.3", "198.51.100.1", networks(())) == "10.1.2.3"


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_addresses_are_kept_as_prefixes(address: str, prefix: str) -> None:
    assert ip_prefix(address) == prefix
