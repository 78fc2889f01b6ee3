"""What the processes may use of the overview."""

from stagewright.contexts.overview.model import InboxKind

__all__ = ["InboxKind"]
