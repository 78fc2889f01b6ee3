"""Waiting for something to become true, never for longer than said, and telling why it did not."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

T = TypeVar("T")
PAUSE = 0.05
_NEVER = threading.Event()


def wait_until(
    look: Callable[[], T | None],
    what: str,
    within: float,
    *,
    pause: float = PAUSE,
    tell: Callable[[], str] = str,
) -> T:
    """Look until there is something true and return it; fail with ``what`` and ``tell()`` after ``within`` seconds.

    A database that does not answer is no failure: some tests kill it.
    """
    end = time.monotonic() + within
    while True:
        try:
            found = look()
        except psycopg.OperationalError:
            found = None
        if found:
            return found
        assert time.monotonic() < end, f"not within {within:.0f} s: {what}\n{tell()}"
        _NEVER.wait(pause)
