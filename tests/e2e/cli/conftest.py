"""One running demo for all tests of the command line."""

from collections.abc import Iterator

import pytest
from tests.e2e.cli.playground import Playground, Repository, running_demo

SLOW = "- say: first words\n- sleep: 4s\n- say: last words\n- write: {path: done.txt, content: done}\n"
HANGING = "- say: here I am\n- hang\n"


@pytest.fixture(scope="session")
def playground() -> Iterator[Playground]:
    """Return a demo that stays."""
    with running_demo() as running:
        yield running


@pytest.fixture(scope="session")
def slow(playground: Playground) -> Repository:
    """Return a repository whose agent takes four seconds."""
    return playground.bind("slow", SLOW)


@pytest.fixture(scope="session")
def hanging(playground: Playground) -> Repository:
    """Return a repository whose agent never ends by itself."""
    return playground.bind("hanging", HANGING)
