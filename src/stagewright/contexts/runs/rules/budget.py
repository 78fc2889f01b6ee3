"""What a person may choose at a wait for budget, and what each choice adds (specification: runs, section 4)."""

from collections.abc import Iterable
from enum import StrEnum

from stagewright.contexts.runs.model import Wait, WaitKind
from stagewright.contexts.runs.rules.talking import ATTEMPTS

DENIED = "budget_denied"
WHOLE = 100  # percent


class Choice(StrEnum):
    """More by a share of the limit, an end with what exists, or an end as failed."""

    EXTEND_25 = "extend_25"
    EXTEND_100 = "extend_100"
    FINISH = "finish"
    STOP = "stop"


SHARES = {Choice.EXTEND_25: 25, Choice.EXTEND_100: WHOLE}


def is_for_attempts(wait: Wait) -> bool:
    """Say whether a discussion waits here for more attempts."""
    return wait.kind is WaitKind.BUDGET and wait.target_kind == ATTEMPTS


def added_by(choice: str | None, limit: int) -> int:
    """Return how much ``choice`` adds to ``limit``, rounded up; nothing unless it extends."""
    share = SHARES.get(Choice(choice), 0) if choice in set(Choice) else 0
    return -(-limit * share // WHOLE)


def attempts_allowed(limit: int, waits: Iterable[Wait]) -> int:
    """Return how many attempts a discussion may use: the policy's, and what was granted at its ``waits``."""
    return limit + sum(added_by(wait.resolution, limit) for wait in waits if is_for_attempts(wait))
