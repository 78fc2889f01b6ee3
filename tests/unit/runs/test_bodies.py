"""What a workload sends, brought to what a row and the journal can hold; events that are folded."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.runs.errors import MessageInvalid
from stagewright.contexts.runs.rules.bodies import DEEPEST, clean, parse_object
from stagewright.contexts.runs.rules.folding import MOST_ITEMS, fold_bodies
from stagewright.kit.journal import canonical

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@given(st.text() | VALUES.map(json.dumps) | st.dictionaries(st.text(), VALUES).map(json.dumps))
def test_any_text_is_an_object_that_rows_can_hold_or_is_refused_by_name(text: str) -> None:
    with suppress(MessageInvalid):
        value = parse_object(text, "the body")
        canonical(value).decode()
        assert "\\u0000" not in json.dumps(value).replace("\\\\", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "too large a number"),
        ('{"a": ["\\u0000"]}', "no text may hold"),
        ('{"\\ud800": 1}', "no text may hold"),
    ],
)
def test_what_no_row_can_hold_is_refused_with_its_reason(text: str, said: str) -> None:
    with pytest.raises(MessageInvalid, match=said):
        parse_object(text, "the body")


def test_nothing_is_an_empty_object_and_fractions_become_text() -> None:
    assert parse_object("", "the body") == {}
    assert parse_object('{"a": 1.50, "b": NaN}', "the body") == {"a": "1.50", "b": "NaN"}


@pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 900, 100_000])
def test_what_is_nested_too_deeply_is_refused_at_any_depth(levels: int) -> None:
    with pytest.raises(MessageInvalid, match="nested too deeply"):
        parse_object('{"a":' * levels + "1" + "}" * levels, "the body")


def test_an_ordinary_depth_is_taken() -> None:
    assert parse_object('{"a":' * (DEEPEST - 1) + "1" + "}" * (DEEPEST - 1), "the body")


@given(st.text(st.characters(codec=None)), st.integers(0, 50))
def test_a_cleaned_text_fits_its_column(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert b"\0" not in cleaned.encode()


def test_the_newer_values_win_and_lists_are_joined() -> None:
    first = {"branch": "a", "tool_gaps": ["jq", "rg"], "only": 1}
    second = {"branch": "b", "tool_gaps": ["rg", "fd"]}
    third = {"tool_gaps": ["bat"]}
    once = fold_bodies(first, second)
    assert once == {"branch": "b", "tool_gaps": ["jq", "rg", "fd"], "only": 1, "folded": 2}
    assert fold_bodies(once, third)["folded"] == 3
    assert fold_bodies(once, third)["tool_gaps"] == ["jq", "rg", "fd", "bat"]


def test_joined_lists_are_bounded_and_a_count_that_is_none_counts_as_one() -> None:
    folded = fold_bodies({"a": list(range(MOST_ITEMS)), "folded": "many"}, {"a": [-1]})
    assert (len(folded["a"]), folded["folded"]) == (MOST_ITEMS, 2)
    assert fold_bodies({"a": 1, "folded": -5}, {"a": [2]}) == {"a": [2], "folded": 2}
