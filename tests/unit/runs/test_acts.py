"""What an engine did, read from what its runner reports."""

from typing import Any

import pytest

from stagewright.contexts.runs.rules.acts import MOST, Acts, Uses, acts_of, most_used, together

BODY: dict[str, Any] = {
    "turns": 2,
    "messages": 3,
    "commands": {"calls": 5, "failed": 1},
    "file_changes": {"calls": 4, "failed": 0},
    "tools": {"search": {"calls": 2, "failed": 1}},
}


def test_a_body_holds_the_totals_of_its_attempt() -> None:
    acts = acts_of(BODY)
    assert acts == Acts(2, 3, Uses(5, 1), Uses(4, 0), {"search": Uses(2, 1)})
    assert acts_of({}) == Acts()


@pytest.mark.parametrize("nonsense", [-1, True, "7", None, 1.5, []])
def test_what_is_no_count_is_none(nonsense: object) -> None:
    assert acts_of({"turns": nonsense, "commands": nonsense, "tools": nonsense}) == Acts()
    assert acts_of({"commands": {"calls": nonsense}}).commands == Uses()


def test_a_runner_cannot_fill_the_screen() -> None:
    acts = acts_of({"turns": 2**70, "tools": {"x" * 500 + str(n): {"calls": 1} for n in range(300)} | {"": {}}})
    assert acts.turns == MOST
    assert len(acts.tools) <= 100
    assert max(map(len, acts.tools)) == 100


def test_attempts_add_up() -> None:
    other = acts_of({"turns": 1, "tools": {"search": {"calls": 1}, "build": {"calls": 3, "failed": 3}}})
    total = together([acts_of(BODY), other])
    assert (total.turns, total.messages, total.commands) == (3, 3, Uses(5, 1))
    assert most_used(total.tools) == [("build", Uses(3, 3)), ("search", Uses(3, 1))]
    assert together([]) == Acts()
