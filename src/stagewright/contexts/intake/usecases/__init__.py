"""Verbs of intake. They work inside a given transaction and never touch the network."""

from stagewright.contexts.intake.usecases.apps import app_secrets, speaks_for
from stagewright.contexts.intake.usecases.binding import keep_binding
from stagewright.contexts.intake.usecases.deciding import (
    REVIEWED,
    Occurrence,
    PullSeen,
    Seen,
    answered_otherwise,
    hand_on,
    ledger_key,
)
from stagewright.contexts.intake.usecases.following import follow_pulls, keep_facts
from stagewright.contexts.intake.usecases.keeping import keep_deliveries
from stagewright.contexts.intake.usecases.reviewing import issues_of_pull

__all__ = [
    "REVIEWED",
    "Occurrence",
    "PullSeen",
    "Seen",
    "answered_otherwise",
    "app_secrets",
    "follow_pulls",
    "hand_on",
    "issues_of_pull",
    "keep_binding",
    "keep_deliveries",
    "keep_facts",
    "ledger_key",
    "speaks_for",
]
