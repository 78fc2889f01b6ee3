"""Moves, endless lists, other hosts and broken connections: against a transport that answers as it is told."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.contract.github.peers import Adapter, Vault, a_credential, a_repository
from tests.fakes.clock import FakeClock

from stagewright.adapters.github import wire
from stagewright.adapters.github.client import MOST_PAGES
from stagewright.adapters.github.wire import url_of
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.vault.model import CredentialKind, ResolvedCredential
from stagewright.kit.errors import Invalid, NotFound, Unavailable

REPOSITORY = a_repository("acme/shop", 7, "http://forge.test/api/v3")
ISSUE = {"number": 1, "title": "t"}
Answers = Callable[[httpx.Request], httpx.Response]


class Told(httpx.AsyncBaseTransport):
    """Answers every request as it is told to."""

    def __init__(self, answer: Answers) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        return self._answer(request)


def adapter(answer: Answers, clock: FakeClock | None = None) -> Adapter:
    """Return an adapter whose requests are answered by ``answer``."""
    http = httpx.AsyncClient(transport=Told(answer))
    return Adapter(http, Vault(ResolvedCredential(a_credential(), "secret-token"), []), clock)


async def test_a_renamed_repository_is_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/repos/" in request.url.path:
            return httpx.Response(301, headers={"location": "http://forge.test/api/v3/repositories/7/issues/1"})
        return httpx.Response(200, json=ISSUE)

    assert (await adapter(answer).forge.issue(REPOSITORY, 1)).title == "t"


@pytest.mark.parametrize(
    "location",
    [
        "http://forge.test/api/v3/repositories/8/issues/5",
        "http://forge.test/api/v3/repositories/77/issues/1",
        "http://elsewhere.test/api/v3/repositories/7/issues/1",
        "",
    ],
)
async def test_a_thread_moved_elsewhere_is_gone_and_the_token_does_not_follow_it(location: str) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(301, headers={"location": location})

    found = adapter(answer)
    assert await found.threads.thread(REPOSITORY, 1) is None
    assert hosts == ["forge.test"]


async def test_a_write_is_followed_only_where_it_stays_the_same_write() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/repositories/7/" in request.url.path:
            assert request.content == b'{"content":"eyes"}'
            return httpx.Response(201, json={"content": "eyes"})
        status = 307 if "issues/1" in request.url.path else 301
        return httpx.Response(status, headers={"location": "http://forge.test/api/v3/repositories/7/x"})

    found = adapter(answer)
    await found.forge.add_reaction(REPOSITORY, 1, "eyes")
    with pytest.raises(NotFound):
        await found.forge.add_reaction(REPOSITORY, 2, "eyes")


async def test_a_forge_that_sends_in_circles_is_left() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(301, headers={"location": "http://forge.test/api/v3/repositories/7/issues/1"})

    with pytest.raises(NotFound, match="circles"):
        await adapter(answer).forge.issue(REPOSITORY, 1)


async def test_a_list_without_an_end_is_left_after_a_bounded_number_of_pages() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        link = f'<http://forge.test/api/v3/next?page={len(asked)}>; rel="next"'
        return httpx.Response(200, json=[], headers={"link": link})

    assert list(await adapter(answer).forge.comments(REPOSITORY, 1)) == []
    assert len(asked) == MOST_PAGES


async def test_a_list_that_goes_on_at_another_host_is_refused() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "forge.test"
        return httpx.Response(200, json=[], headers={"link": '<http://evil.test/x?page=2>; rel="next"'})

    with pytest.raises(Unavailable, match="another host"):
        await adapter(answer).forge.comments(REPOSITORY, 1)


@pytest.mark.parametrize(
    "failure",
    [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError],
)
async def test_a_connection_lost_on_the_way_leaves_a_write_unknown_and_a_read_undone(
    failure: type[httpx.TransportError],
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure("lost")

    clock = FakeClock()
    found = adapter(answer, clock)
    with pytest.raises(OutcomeUnknown):
        await found.forge.create_comment(REPOSITORY, 1, "text")


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_a_connection_that_never_was_sent_nothing(failure: type[httpx.TransportError]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure("no route")

    with pytest.raises(NotSent):
        await adapter(answer).forge.create_comment(REPOSITORY, 1, "text")


async def test_a_read_is_tried_three_times_and_then_given_up() -> None:
    tries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request.method)
        raise httpx.ReadTimeout("slow")

    with pytest.raises(NotSent):
        await adapter(answer).forge.issue(REPOSITORY, 1)
    assert tries == ["GET"] * 3


async def test_a_read_does_not_wait_longer_than_a_moment() -> None:
    tries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request.method)
        return httpx.Response(503, headers={"retry-after": "3600"}, json={})

    with pytest.raises(NotSent) as caught:
        await adapter(answer).forge.issue(REPOSITORY, 1)
    assert (len(tries), caught.value.retry_after) == (1, timedelta(hours=1))


async def test_an_answer_that_cannot_be_read_leaves_a_write_unknown() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(201, content=b"<html>")

    with pytest.raises(OutcomeUnknown):
        await adapter(answer).forge.create_comment(REPOSITORY, 1, "text")
    with pytest.raises(NotSent):
        await adapter(answer).forge.issue(REPOSITORY, 1)


async def test_a_404_in_other_words_is_settled_by_reading_the_labels() -> None:
    there = ["kept"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(404, json={"message": "Not Found"})
        return httpx.Response(200, json=[{"name": name} for name in there])

    found = adapter(answer)
    await found.forge.remove_label(REPOSITORY, 1, "absent")
    with pytest.raises(NotFound):
        await found.forge.remove_label(REPOSITORY, 1, "KEPT")


async def test_a_lost_mint_sent_nothing_of_what_it_was_for() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    found = adapter(answer)
    app = a_credential(CredentialKind.GITHUB_APP, app_id=1, installation_id=2)
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    found.vault.resolved = ResolvedCredential(app, pem)
    with pytest.raises(NotSent):
        await found.forge.create_comment(REPOSITORY, 1, "text")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"token": "t"}'])
async def test_an_answer_to_a_mint_that_cannot_be_read_is_not_now(body: bytes) -> None:
    found = adapter(lambda _: httpx.Response(201, content=body))
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    app = a_credential(CredentialKind.GITHUB_APP, app_id=1, installation_id=2)
    found.vault.resolved = ResolvedCredential(app, pem)
    with pytest.raises(NotSent, match="cannot be read"):
        await found.forge.create_comment(REPOSITORY, 1, "text")


async def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1000)
    found = adapter(lambda _: httpx.Response(200, content=b" " * 1001))
    with pytest.raises(NotSent, match="larger than 1000 bytes"):
        await found.forge.issue(REPOSITORY, 1)
    with pytest.raises(OutcomeUnknown, match="larger than 1000 bytes"):
        await found.forge.create_comment(REPOSITORY, 1, "text")


async def test_a_credential_of_another_kind_opens_no_forge() -> None:
    found = adapter(lambda _: httpx.Response(200))
    found.vault.resolved = ResolvedCredential(a_credential(CredentialKind.API_KEY), "key")
    with pytest.raises(Invalid, match="api_key"):
        await found.forge.issue(REPOSITORY, 1)


async def test_readings_of_odd_headers_are_passed_over_and_unknown_resources_count_as_core() -> None:
    headers = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "x", "x-ratelimit-reset": "1767614400"}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ISSUE, headers=headers)

    found = adapter(answer)
    await found.forge.issue(REPOSITORY, 1)
    assert [quota.readings for quota in await found.forge.rate(REPOSITORY)] == [(), ()]
    headers |= {"x-ratelimit-remaining": "9", "x-ratelimit-resource": "something_new"}
    await found.forge.issue(REPOSITORY, 1)
    [quota, _] = await found.forge.rate(REPOSITORY)
    assert [(one.bucket, one.remaining) for one in quota.readings] == [("core", 9)]


async def test_the_token_is_in_the_header_only_and_in_no_repr() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "token secret-token"
        assert "secret" not in str(request.url)
        return httpx.Response(200, json=ISSUE)

    found = adapter(answer)
    await found.forge.issue(REPOSITORY, 1)
    assert "secret-token" not in repr(found.vault.resolved)


def test_names_are_escaped_whatever_they_hold() -> None:
    url = url_of(
        "http://forge.test/api/v3", "/repos/{owner}/{repo}/labels/{name}", owner="a", repo="b", name="x/y ?#%é"
    )
    assert url == "http://forge.test/api/v3/repos/a/b/labels/x%2Fy%20%3F%23%25%C3%A9"
