"""The repository of the demo: small but real, with an issue that its rehearsed agent can solve."""

from collections.abc import Mapping

OWNER, BOT, NAME = "practice-owner", "stagewright-bot", "shop"
ISSUE_TITLE = "Ten per cent off from five pieces on"
ISSUE_BODY = """\
Who buys five or more of one thing gets 10 % off that line.

- `total()` takes the discount into account
- four pieces cost what they cost today
- amounts stay whole cents, rounded down
"""
LABEL = "run:dev"
README = """\
# shop

Adds up what an order costs. Amounts are whole cents.

```bash
python3 -m unittest
```

This repository lives on the practice forge of Stagewright. `.stagewright/policy.yaml` chooses the engine `scripted`,
and `.stagewright/rehearsals/dev.yaml` is what it does: no model is asked.
"""
PRICES = '''\
"""What an order costs, in whole cents."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """So many pieces of one thing."""

    name: str
    pieces: int
    cents: int


def total(lines: list[Line]) -> int:
    """Return what all lines cost together."""
    return sum(line.pieces * line.cents for line in lines)
'''
TEST_PRICES = '''\
"""Prices are added up."""

import unittest

from shop.prices import Line, total


class Totals(unittest.TestCase):
    def test_lines_are_added_up(self) -> None:
        self.assertEqual(total([Line("cup", 2, 450), Line("pot", 1, 1990)]), 2890)

    def test_an_empty_order_costs_nothing(self) -> None:
        self.assertEqual(total([]), 0)
'''
POLICY = """\
# What labels mean in this repository. Everything not named here is as in the built-in policy.
version: 1
defaults: {model: rehearsal}
stages:
  dev: {model: rehearsal}
"""
NEW_PRICES = '''\
"""What an order costs, in whole cents."""

from dataclasses import dataclass

DISCOUNT_FROM = 5  # pieces of one thing
DISCOUNT_PERCENT = 10


@dataclass(frozen=True)
class Line:
    """So many pieces of one thing."""

    name: str
    pieces: int
    cents: int


def line_total(line: Line) -> int:
    """Return what a line costs; from five pieces on it is ten per cent less, rounded down."""
    full = line.pieces * line.cents
    if line.pieces < DISCOUNT_FROM:
        return full
    return full * (100 - DISCOUNT_PERCENT) // 100


def total(lines: list[Line]) -> int:
    """Return what all lines cost together."""
    return sum(line_total(line) for line in lines)
'''
NEW_TEST = '''\
"""From five pieces on a line costs ten per cent less."""

import unittest

from shop.prices import Line, total


class Discounts(unittest.TestCase):
    def test_four_pieces_cost_what_they_cost(self) -> None:
        self.assertEqual(total([Line("cup", 4, 450)]), 1800)

    def test_five_pieces_cost_ten_per_cent_less(self) -> None:
        self.assertEqual(total([Line("cup", 5, 450)]), 2025)

    def test_each_line_counts_for_itself(self) -> None:
        self.assertEqual(total([Line("cup", 5, 450), Line("pot", 4, 1990)]), 9985)

    def test_amounts_are_rounded_down_to_whole_cents(self) -> None:
        self.assertEqual(total([Line("pin", 5, 1)]), 4)
'''
CHECK = "PYTHONDONTWRITEBYTECODE=1 python3 -m unittest"
TITLE = "Take ten per cent off from five pieces on"
SUMMARY = "A line of five or more pieces costs ten per cent less, rounded down to whole cents. Others are as before."


def _indented(text: str) -> str:
    return "".join(f"      {line}\n" if line else "\n" for line in text.splitlines())


def rehearsal() -> str:
    """Return the scenario of the stage dev: what the scripted agent does in this repository."""
    return f"""\
# What the scripted agent does when somebody sets {LABEL}. Change it and set the label on another issue.
- say: Reading shop/prices.py and its tests.
- write:
    path: shop/prices.py
    content: |
{_indented(NEW_PRICES)}- write:
    path: tests/test_discounts.py
    content: |
{_indented(NEW_TEST)}- say: Running the tests.
- run: {CHECK}
- usage: {{tokens_in: 1200, tokens_cached: 800, tokens_out: 350}}
- result:
    title: {TITLE}
    summary: {SUMMARY}
"""


def files() -> Mapping[str, str]:
    """Return the files of the repository by path."""
    return {
        "README.md": README,
        ".gitignore": "__pycache__/\n",
        "shop/__init__.py": '"""A small shop."""\n',
        "shop/prices.py": PRICES,
        "tests/__init__.py": "",
        "tests/test_prices.py": TEST_PRICES,
        ".stagewright/policy.yaml": POLICY,
        ".stagewright/rehearsals/dev.yaml": rehearsal(),
    }
