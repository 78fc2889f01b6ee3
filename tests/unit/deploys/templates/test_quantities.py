"""Quantities are compared as numbers."""

from decimal import Decimal

import pytest

from stagewright.contexts.deploys.rules.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        (2, "2"), ("500m", "0.5"), ("8Gi", str(8 * 2**30)), ("1k", "1000"), ("1.5G", "1500000000"), ("2e3", "2000"),
        ("1E2", "100"), ("2E", "2000000000000000000"), ("100n", "0.0000001"), (".5", "0.5"), ("-1", "-1"), ("3.", "3"),
    ],
)  # fmt: skip
def test_a_quantity_is_an_exact_number(text: str | int, amount: str) -> None:
    assert parse_quantity(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "Gi", "1GiB", "1 Gi", "1K", "1,5", "½", True, "1e999"])
def test_what_is_no_quantity_is_none(text: str | int) -> None:
    assert parse_quantity(text) is None
