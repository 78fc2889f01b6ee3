"""The relay's decisions: which model, how long to wait, when a key is doubted, whose figures count."""

from datetime import UTC, datetime, timedelta

import pytest

from stagewright.contexts.runs.rules.relay import (
    Tokens,
    block_for,
    hold_for,
    relay_metered,
    state_after_rejection,
    works_since,
    wrong_model,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"model": "m"}, None),
        ({"model": "m", "tools": [{"type": "function", "name": "x"}, {"model": "m"}, "odd"]}, None),
        ({"model": "m", "tools": "odd"}, None),
        ({"model": "n"}, "model"),
        ({"model": "M"}, "model"),
        ({"model": None}, "model"),
        ({}, "model"),
        ({"model": "m", "Model": "n"}, "Model"),
        ({"model": "m", "models": ["m"]}, "models"),
        ({"model": "m", "FALLBACK_MODEL": "n"}, "FALLBACK_MODEL"),
        ({"model": "m", "tools": [{"model": "n"}]}, "tools"),
        ({"model": "m", "Tools": [{"MODEL": "n"}]}, "tools"),
    ],
)
def test_a_request_names_the_runs_model_and_no_other(fields: dict[str, object], names: str | None) -> None:
    found = wrong_model(fields, "m")
    assert (found or "").partition(":")[0] == (names or "")
    assert found is None or "m only" in found


def test_a_call_is_held_only_when_the_limit_opens_in_time() -> None:
    deadline = NOW + 60 * SECOND
    assert hold_for(NOW + 20 * SECOND, now=NOW, deadline=deadline) == 20 * SECOND
    assert hold_for(NOW + 60 * SECOND, now=NOW, deadline=deadline) == 60 * SECOND
    assert hold_for(NOW + 61 * SECOND, now=NOW, deadline=deadline) is None
    assert hold_for(NOW - SECOND, now=NOW, deadline=deadline) == timedelta(0)


@pytest.mark.parametrize(
    ("said", "strikes", "seconds"),
    [
        (10, 9, 25),
        (0, 0, 15),
        (-5, 0, 15),
        (None, 0, 60),
        (None, 1, 120),
        (None, 3, 480),
        (None, 4, 900),
        (None, 99, 900),
    ],
)
def test_a_provider_is_left_alone_as_long_as_it_says_or_ever_longer(
    said: int | None, strikes: int, seconds: int
) -> None:
    asked = None if said is None else said * SECOND
    assert block_for(asked, strikes=strikes) == seconds * SECOND


@pytest.mark.parametrize(
    ("state", "ago", "after"),
    [
        ("valid", None, "suspect"),
        ("unchecked", None, "suspect"),
        ("suspect", 29, "suspect"),
        ("suspect", 30, "invalid"),
        ("suspect", None, "suspect"),
    ],
)
def test_only_a_second_401_after_a_while_makes_a_key_invalid(state: str, ago: int | None, after: str) -> None:
    checked = None if ago is None else NOW - ago * SECOND
    assert state_after_rejection(state, checked, now=NOW) == after


@pytest.mark.parametrize(
    ("outcome", "attempt", "relayed", "metered"),
    [
        (None, Tokens(), Tokens(), True),
        (None, Tokens(1, 0, 1), Tokens(1, 0, 1), True),
        ("completed", Tokens(1, 0, 1), Tokens(1, 0, 1), True),
        ("completed", Tokens(5, 0, 5), Tokens(), False),
    ],
)
def test_figures_of_the_relay_count_until_the_runner_reported_its_own(
    outcome: str | None, attempt: Tokens, relayed: Tokens, metered: bool
) -> None:
    assert relay_metered(outcome, attempt=attempt, relayed=relayed) is metered


def test_tokens_add_up() -> None:
    assert Tokens(1, 2, 3) + Tokens(10, 20, 30) == Tokens(11, 22, 33)


@pytest.mark.parametrize(
    ("state", "stored", "checked", "works"),
    [
        ("unchecked", 1, None, True),
        ("unchecked", 0, None, False),
        ("valid", -9, 1, True),
        ("valid", -9, 0, False),
        ("valid", -9, None, False),
        ("suspect", -9, 1, False),
    ],
)
def test_a_credential_is_tried_again_when_it_is_new_or_was_seen_to_count(
    state: str, stored: int, checked: int | None, works: bool
) -> None:
    seen = None if checked is None else NOW + checked * SECOND
    assert works_since(state, stored_at=NOW + stored * SECOND, checked_at=seen, since=NOW) is works
