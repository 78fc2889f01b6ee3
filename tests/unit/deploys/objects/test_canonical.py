"""Canonical JSON and canonical quantities: one way to write what is the same."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.contexts.deploys.rules.canonical import canonical, digest
from stagewright.contexts.deploys.rules.normalising import canonical_quantity, without_nulls

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(-SAFE, SAFE) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def test_the_examples_of_the_rfc() -> None:
    numbers = [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]
    assert canonical(numbers) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27]"
    assert canonical({"literals": [None, True, False]}) == b'{"literals":[null,true,false]}'
    text = '\u20ac$\u000f\nA\'B"\\\\"/'
    assert canonical(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 0)))) == order


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (123456.789, "123456.789"),
        (2.0**60, "1152921504606846976"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    assert canonical(number) == text.replace("1152921504606846976", "1152921504606847000").encode()


@given(VALUES)
def test_canonical_json_says_the_same_and_does_not_depend_on_the_order_of_keys(value: object) -> None:
    data = canonical(value)
    assert json.loads(data) == value
    assert canonical(json.loads(data)) == data
    assert canonical(_reversed(value)) == data


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_back_as_itself(value: float) -> None:
    assert float(canonical(value)) == value


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("value", [math.nan, math.inf, [2**53], {"a": {1: 2}}, {"a": object()}, "\ud800", {3.5: 1}])
def test_what_json_cannot_say_exactly_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)


def test_the_digest_is_sha_256_of_the_canonical_form() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1000Mi", "1000Mi"),
        ("1000m", "1"),
        ("0.5", "500m"),
        (0.5, "500m"),
        (2, "2"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1e3", "1k"),
        ("1E3", "1k"),
        ("1E", "1E"),
        ("0.1m", "100u"),
        ("0.1n", "1n"),
        ("-1000m", "-1"),
        ("+1", "1"),
        ("a lot", None),
        ("1 Gi", None),
        ("", None),
        (True, None),
    ],
)
def test_quantities_are_written_as_the_api_server_does(written: str | int | float, one: str | None) -> None:
    assert canonical_quantity(written) == one
    assert one is None or canonical_quantity(one) == one


def test_nulls_go_and_everything_else_stays() -> None:
    value: object = {"a": None, "b": [{"c": None, "d": 0}, None, ""], "e": {}}
    assert without_nulls(value) == {"b": [{"d": 0}, None, ""], "e": {}}
    untouched = {"a": [1, {"b": 2}]}
    assert without_nulls(untouched) == untouched
