"""Verbs of intake. They work inside a given transaction and never touch the network."""

from stagewright.contexts.intake.usecases.apps import app_secrets, speaks_for
from stagewright.contexts.intake.usecases.deciding import Occurrence, PullSeen, Seen, hand_on
from stagewright.contexts.intake.usecases.following import follow_pulls, keep_facts
from stagewright.contexts.intake.usecases.keeping import keep_deliveries

__all__ = [
    "Occurrence",
    "PullSeen",
    "Seen",
    "app_secrets",
    "follow_pulls",
    "hand_on",
    "keep_deliveries",
    "keep_facts",
    "speaks_for",
]
