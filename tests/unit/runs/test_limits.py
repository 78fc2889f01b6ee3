"""How long buckets stay closed."""

from datetime import timedelta

import pytest
from tests.unit.runs.words import NOW

from stagewright.contexts.runs.rules import limits


def test_the_forges_word_counts_and_is_never_negative() -> None:
    assert limits.pause(timedelta(seconds=75), strikes=9) == timedelta(seconds=75)
    assert limits.pause(timedelta(seconds=-5), strikes=0) == timedelta(0)


@pytest.mark.parametrize(("strikes", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 15), (400, 15)])
def test_without_a_word_the_pause_doubles_to_a_quarter_of_an_hour(strikes: int, minutes: int) -> None:
    assert limits.pause(None, strikes=strikes) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("remaining", "limit", "closed"),
    [(749, 5000, True), (750, 5000, False), (None, 5000, False), (0, None, False), (0, 0, False)],
)
def test_only_the_reserve_is_left(remaining: int | None, limit: int | None, closed: bool) -> None:
    until = limits.reserved_until(remaining, limit, NOW)
    assert until == (NOW + timedelta(seconds=5) if closed else None)


def test_without_a_reset_nothing_is_closed() -> None:
    assert limits.reserved_until(0, 5000, None) is None
