"""What becomes of runner events beyond 200 a second: one of each kind speaks for all (specification: runs, 13)."""

from collections.abc import Mapping
from typing import Any

EVENTS_PER_SECOND = 200
COUNT = "folded"
MOST_ITEMS = 200


def fold_bodies(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return one body for both: the newer values, lists joined, and how many bodies it stands for."""
    folded = dict(older) | dict(newer)
    for key, value in newer.items():
        known = older.get(key)
        if isinstance(value, list) and isinstance(known, list):
            folded[key] = _joined(known, value)
    folded[COUNT] = _stands_for(older) + 1
    return folded


def _stands_for(body: Mapping[str, Any]) -> int:
    count = body.get(COUNT)
    return count if isinstance(count, int) and count > 0 else 1


def _joined(known: list[Any], more: list[Any]) -> list[Any]:
    joined = list(known)
    for item in more:
        if len(joined) >= MOST_ITEMS:
            break
        if item not in joined:
            joined.append(item)
    return joined
