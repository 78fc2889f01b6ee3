"""What the model relay takes and how long it waits (specification: runs, 6.1 and 10.2): values in, a decision out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

HOLD = timedelta(seconds=60)
MARGIN = timedelta(seconds=15)
FIRST_BLOCK = timedelta(minutes=1)
LONGEST_BLOCK = timedelta(minutes=15)
DOUBT = timedelta(seconds=30)
# Beside ``model``: fields by which OpenAI-compatible gateways choose others. Some of them ignore the case of names.
MODEL_FIELDS = frozenset({"model", "models", "fallbacks", "fallback_model", "fallback_models"})
TOLD_FIELDS = MODEL_FIELDS | {"tools"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What model calls used. ``cached`` is the part of ``sent`` that a cache answered."""

    sent: int = 0
    cached: int = 0
    answered: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.sent + other.sent, self.cached + other.cached, self.answered + other.answered)


def wrong_model(fields: Mapping[str, Any], model: str) -> str | None:
    """Say what in a request asks for another model than the run's ``model``; None when nothing does.

    ``fields`` are the request's own fields whose lower-case name is in ``TOLD_FIELDS``.
    """
    if fields.get("model") != model:
        return f"model: this run may use {model} only; the policy chooses a run's model"
    for name in fields:
        if name != "model" and name.casefold() in MODEL_FIELDS:
            return f"{name}: this run may use {model} only; leave the field out"
    tools = next((value for name, value in fields.items() if name.casefold() == "tools"), None)
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, Mapping) and _names_other(tool, model):
            return f"tools: this run may use {model} only; leave out tools that name another model"
    return None


def _names_other(tool: Mapping[str, Any], model: str) -> bool:
    return any(name.casefold() == "model" and value != model for name, value in tool.items())


def hold_for(blocked_until: datetime, *, now: datetime, deadline: datetime) -> timedelta | None:
    """Return how long a call is held for a closed limit; None when it opens only after the hold's deadline."""
    return max(timedelta(0), blocked_until - now) if blocked_until <= deadline else None


def block_for(retry_after: timedelta | None, *, strikes: int) -> timedelta:
    """Return how long a provider that answered 429 is left alone: what it said + 15 s, else 1 min · 2ⁿ up to 15 min."""
    if retry_after is not None:
        return max(timedelta(0), retry_after) + MARGIN
    return min(LONGEST_BLOCK, FIRST_BLOCK * (1 << min(strikes, 10)))


def state_after_rejection(state: str, checked_at: datetime | None, *, now: datetime) -> str:
    """Return the state of a credential its provider rejected (401): suspect, and invalid at a second time ≥ 30 s later.

    A 403 is no rejection: a region, a permission or a request of the workload provokes that answer (``config.md`` 2.2).
    """
    if state != "suspect" or checked_at is None:
        return "suspect"
    return "invalid" if now - checked_at >= DOUBT else "suspect"


def relay_metered(outcome: str | None, *, attempt: Tokens, relayed: Tokens) -> bool:
    """Say whether the attempt's meters hold what the relay counted, and not what the runner reported at its end.

    Before the outcome only the relay writes them; afterwards they still equal the relay's sum, or are the runner's.
    """
    return outcome is None or attempt == relayed


def works_since(state: str, *, stored_at: datetime, checked_at: datetime | None, since: datetime) -> bool:
    """Say whether a credential is worth another try: stored after ``since``, or seen to count after it."""
    return stored_at > since or (state == "valid" and checked_at is not None and checked_at > since)
