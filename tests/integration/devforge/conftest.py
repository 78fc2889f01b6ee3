"""What the practice forge's tests share: a running forge, and clients that are closed after use."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.fakes.devforge import devforge

__all__ = ["devforge"]

Connect = Callable[..., httpx.Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a maker of clients for an address and a token."""
    made: list[httpx.Client] = []

    def make(url: str, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        made.append(httpx.Client(base_url=url, headers=headers, timeout=20, trust_env=False))
        return made[-1]

    yield make
    for client in made:
        client.close()
