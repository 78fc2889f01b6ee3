"""What comes in at the relay: bodies written anew, never read in two ways."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit.errors import Invalid
from stagewright.processes.controlplane.relay_request import bearer, parse_request, query_of

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=5))
def test_what_is_sent_on_means_what_came(fields: dict[str, Any]) -> None:
    fields["model"] = "m"
    assert json.loads(parse_request(json.dumps(fields).encode()).body) == fields


def test_a_compact_body_is_sent_on_unchanged() -> None:
    body = b'{"model":"m","input":[1.0,  {"a" : "\\u00e9"}],"z":null}'
    assert parse_request(body).body == body


def test_fields_that_name_models_are_told_whatever_their_case() -> None:
    told = parse_request(b'{"model": "m", "MODELS": [1], "Tools": [], "x": 1}').fields
    assert told == {"model": "m", "MODELS": [1], "Tools": []}


def test_of_two_fields_of_one_name_one_is_checked_and_that_one_is_sent() -> None:
    request = parse_request(b'{"model": "a", "\\u006dodel": "b"}')
    assert request.fields["model"] == "b"
    assert json.loads(request.body) == {"model": "b"}
    assert request.body.count(b"odel") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"model": "m"} x',
        b'{"model": "\xff"}',
        b'{"tools":' + b"[" * 5000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid, match="not a JSON object") as caught:
        parse_request(body)
    assert caught.value.problems[0].pointer == "/"


@pytest.mark.parametrize("body", [b"{}", b'{"model": null}', b'{"model": ["m"]}', b'{"Model": "m"}'])
def test_a_body_that_names_no_model_is_told_so(body: bytes) -> None:
    with pytest.raises(Invalid, match="names no model") as caught:
        parse_request(body)
    assert caught.value.problems[0].pointer == "/model"


def test_a_query_has_known_parameters_only() -> None:
    allowed = frozenset({("beta", "true")})
    assert query_of({"query_string": b"beta=true"}, allowed) == [("beta", "true")]
    assert query_of({"query_string": b""}, allowed) == []
    for query in (b"beta=false", b"x", b"beta=true&beta=true&y=1"):
        with pytest.raises(Invalid):
            query_of({"query_string": query}, allowed)


@pytest.mark.parametrize(
    ("value", "token"), [(b"Bearer t", "t"), (b"bearer  t ", "t"), (b"Basic t", None), (b"", None), (b"Bearer", "")]
)
def test_only_a_bearer_is_a_token(value: bytes, token: str | None) -> None:
    assert bearer({"headers": [(b"authorization", value)]}) == token
