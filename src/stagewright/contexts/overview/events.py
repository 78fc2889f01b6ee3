"""Facts of the overview: personal ones only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class InboxSnoozed(Event):
    """A person put an item aside until a time; without one, took it back."""

    kind: ClassVar[str] = "inbox.snoozed"
    topic: ClassVar[str] = "inbox"

    user_id: UUID
    item: str
    until: datetime | None

    @property
    def stream(self) -> str:
        return f"user:{self.user_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "user_id": str(self.user_id),
            "item": self.item,
            "until": self.until.isoformat() if self.until else None,
        }
