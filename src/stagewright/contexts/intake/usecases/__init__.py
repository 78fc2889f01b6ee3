"""Verbs of intake. They work inside a given transaction and never touch the network."""

from stagewright.contexts.intake.usecases.apps import app_secrets, speaks_for
from stagewright.contexts.intake.usecases.deciding import Occurrence, Seen, hand_on
from stagewright.contexts.intake.usecases.keeping import keep_deliveries

__all__ = ["Occurrence", "Seen", "app_secrets", "hand_on", "keep_deliveries", "speaks_for"]
