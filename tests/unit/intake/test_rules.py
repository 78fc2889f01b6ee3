"""What a payload says in our words, however little of it is there."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.intake.errors import DeliveryInvalid
from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.intake.rules import parse

ISSUE = {
    "number": 7,
    "state": "open",
    "labels": [{"name": "run:dev"}, None, {"name": None}],
    "updated_at": "2026-01-05T12:00:00Z",
}
LABELED: dict[str, Any] = {
    "action": "labeled",
    "issue": ISSUE,
    "label": {"name": "run:dev"},
    "sender": {"login": "ann", "id": 1, "type": "User"},
    "repository": {"id": 5, "full_name": "acme/shop", "default_branch": "trunk"},
}


def parsed(event: str, body: object) -> ParsedDelivery:
    return parse(event, json.dumps(body).encode())


def test_a_label_on_an_issue() -> None:
    assert parsed("issues", LABELED) == ParsedDelivery(
        event="issues",
        action="labeled",
        forge_repository_id=5,
        repository_name="acme/shop",
        default_branch="trunk",
        thread=7,
        is_pull_request=False,
        thread_open=True,
        thread_labels=("run:dev",),
        label="run:dev",
        sender_type="User",
        sender_login="ann",
        sender_id=1,
        occurred_at=datetime(2026, 1, 5, 12, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize("value", [{"url": "x"}, {}])
def test_an_issue_event_of_a_pull_request_is_known_as_one(value: object) -> None:
    assert parsed("issues", LABELED | {"issue": ISSUE | {"pull_request": value}}).is_pull_request
    assert not parsed("issues", LABELED | {"issue": ISSUE | {"pull_request": None}}).is_pull_request


def test_a_pull_request_event_speaks_of_the_pull_request() -> None:
    body = {key: value for key, value in LABELED.items() if key != "issue"} | {"pull_request": ISSUE | {"number": 8}}
    found = parsed("pull_request", body)
    assert (found.thread, found.is_pull_request) == (8, True)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (1767614400, datetime(2026, 1, 5, 12, 0, tzinfo=UTC)),
        ("2026-01-05T12:00:00", datetime(2026, 1, 5, 12, 0, tzinfo=UTC)),
        ("soon", None),
        (None, None),
    ],
)
def test_times_in_every_form_github_sends(at: object, wanted: datetime | None) -> None:
    assert parsed("issues", LABELED | {"issue": ISSUE | {"updated_at": at}}).occurred_at == wanted


def test_a_payload_without_anything_says_nothing() -> None:
    found = parsed("whatever", {})
    assert (found.thread, found.sender_login, found.forge_repository_id) == (None, None, None)
    assert found.thread_labels is None


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{", b"\xff\xfe", b'{"issue": 7}', b'{"sender": []}'])
def test_what_cannot_be_read_is_refused_with_its_place(raw: bytes) -> None:
    with pytest.raises(DeliveryInvalid) as refused:
        parse("issues", raw)
    assert refused.value.problems


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["action", "issue", "label", "sender", "repository", "pull_request"]), JSON))
def test_no_payload_breaks_the_parser(body: dict[str, Any]) -> None:
    try:
        parsed("issues", body)
    except DeliveryInvalid:
        return


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(raw: bytes) -> None:
    try:
        parse("pull_request", raw)
    except DeliveryInvalid:
        return


PULL = {"number": 9, "state": "closed", "merged_at": "2026-01-05T12:00:00Z", "head": {"sha": "ab" * 20}}


@pytest.mark.parametrize(
    ("event", "payload", "merged", "head"),
    [
        ("pull_request", {"pull_request": PULL}, True, "ab" * 20),
        ("pull_request", {"pull_request": PULL | {"merged_at": None}}, False, "ab" * 20),
        ("pull_request_review", {"pull_request": PULL | {"state": "open", "merged_at": None}}, False, "ab" * 20),
        ("pull_request", {"pull_request": {"number": 9, "state": "closed"}}, None, None),
        ("pull_request", {}, None, None),
        ("issue_comment", {"issue": {"number": 9, "state": "closed", "pull_request": {"merged_at": 1}}}, True, None),
        ("issue_comment", {"issue": {"number": 9, "state": "closed", "pull_request": {"url": "u"}}}, None, None),
        ("issues", {"issue": {"number": 9, "state": "closed"}}, None, None),
    ],
)
def test_a_pull_requests_head_and_merge_are_read_where_the_payload_tells_of_them(
    event: str, payload: dict[str, object], merged: bool | None, head: str | None
) -> None:
    parsed = parse(event, json.dumps(payload).encode())
    assert (parsed.merged, parsed.head_sha) == (merged, head)
