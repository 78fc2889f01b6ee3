"""Words of the talk lane: its name, and what its waits are for."""

from stagewright.contexts.runs.model import Wait, WaitKind

LANE = "talk"
DISCUSSION = "discussion"
"""The wait of a talk run for the next comments."""
ATTEMPTS = "attempts"
"""The wait of a talk run that used all its attempts."""
REPORT = "report"
"""The wait for the answer to a report."""


def is_report_question(wait: Wait) -> bool:
    """Say whether people answer this wait with a text of their own."""
    return wait.kind is WaitKind.QUESTION and wait.target_kind == REPORT
