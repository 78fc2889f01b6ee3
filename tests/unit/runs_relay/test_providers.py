"""What the providers' adapter reads and writes without a wire: addresses, headers, times, figures, errors."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.adapters.providers import APIS, Endpoint, Usage, UsageReader
from stagewright.adapters.providers.headers import passed_back, passed_on, request_id
from stagewright.adapters.providers.usage import LONGEST_EVENT
from stagewright.kit.http.retry_after import retry_after

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("engine", "base", "endpoint", "url"),
    [
        ("codex", None, Endpoint.ANSWER, "https://api.openai.com/v1/responses"),
        ("codex", "https://x/v1/", Endpoint.ANSWER, "https://x/v1/responses"),
        ("codex", "https://x/openai/v1?api-version=1", Endpoint.ANSWER, "https://x/openai/v1/responses?api-version=1"),
        ("claude", None, Endpoint.ANSWER, "https://api.anthropic.com/v1/messages"),
        ("claude", "https://x/v1", Endpoint.COUNT, "https://x/v1/messages/count_tokens"),
        ("claude", "https://x/gw/#part", Endpoint.ANSWER, "https://x/gw/v1/messages"),
    ],
)
def test_an_address_is_the_base_and_the_calls_place(
    engine: str, base: str | None, endpoint: Endpoint, url: str
) -> None:
    assert APIS[engine].url(base, endpoint) == url


@pytest.mark.parametrize("engine", ["codex", "claude"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 413, 429, 502, 503])
def test_an_error_is_one_of_the_provider_and_names_our_code(engine: str, status: int) -> None:
    error = APIS[engine].error(status, "our_code", "what to do")
    assert set(error) == ({"error"} if engine == "codex" else {"type", "error"})
    assert "what to do" in error["error"]["message"]
    assert "our_code" in json.dumps(error)


def test_headers_leave_by_a_list_and_the_key_is_ours() -> None:
    sent = passed_on([("Accept", "a"), ("Authorization", "Bearer mine"), ("X-Anything", "b")], ("authorization", "k"))
    assert sent == [
        ("Accept", "a"),
        ("content-type", "application/json"),
        ("accept-encoding", "identity"),
        ("authorization", "k"),
    ]


def test_headers_come_back_by_a_list() -> None:
    assert passed_back([("Content-Type", "a"), ("Set-Cookie", "b"), ("X-Request-Id", "c")]) == [("content-type", "a")]
    assert request_id({"request-id": "r" * 200}) == "r" * 100
    assert request_id({}) == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "999999999"}, 86400),
        ({"retry-after": "Mon, 05 Jan 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Mon, 05 Jan 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Mon, 05 Jan 2026 11:00:00 -0000"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read_in_its_spellings(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == (None if seconds is None else timedelta(seconds=seconds))


ANSWER = b"".join(
    f"{line}\r\n".encode()
    for line in (
        ": hello",
        "event: message_start",
        'data: {"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 2}}}',
        "",
        'data: {"type": "message_delta",',
        'data: "usage": {"output_tokens": 9}}',
        "",
        'data:{"type":"message_stop"}',
        "",
    )
)


@given(st.lists(st.integers(0, len(ANSWER)), max_size=12))
def test_figures_do_not_depend_on_how_the_bytes_were_cut(cuts: list[int]) -> None:
    reader = UsageReader()
    places = [0, *sorted(cuts), len(ANSWER)]
    for begin, end in pairwise(places):
        reader.feed(ANSWER[begin:end])
    assert reader.usage == Usage(5, 2, 9)
    assert reader.finished


@given(st.binary(max_size=300))
def test_no_bytes_disturb_the_reader(noise: bytes) -> None:
    reader = UsageReader()
    reader.feed(noise)
    reader.feed_whole(noise)
    reader.feed(b"\n\n" + ANSWER)
    assert reader.usage is not None


def test_a_line_without_end_is_not_collected() -> None:
    reader = UsageReader()
    for _ in range(LONGEST_EVENT // 2**20 + 8):
        reader.feed(b"data: " + b"x" * 2**20)
    assert sum(len(piece) for piece in reader._events._rest) <= LONGEST_EVENT
    reader.feed(b"\n\n" + ANSWER)
    assert reader.usage == Usage(5, 2, 9)


def test_an_event_of_endless_lines_is_not_collected() -> None:
    reader = UsageReader()
    for _ in range(LONGEST_EVENT // 2**20 + 8):
        reader.feed(b"data: " + b"x" * 2**20 + b"\n")
    assert reader._events._size <= LONGEST_EVENT + 2**20 + 1
    reader.feed(b"\n" + ANSWER)
    assert reader.usage == Usage(5, 2, 9)


def test_absurd_figures_are_bounded() -> None:
    reader = UsageReader()
    reader.feed_whole(b'{"usage": {"input_tokens": -5, "output_tokens": 9000000000000000000}}')
    assert reader.usage == Usage(0, 0, 10**12)
