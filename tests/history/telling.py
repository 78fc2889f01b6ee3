"""What the forge tells of an act: the webhook, with the thread as it was at that moment."""

import json
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.projects.model import ForgeAccount
from tests.fakes.forge_people import FakeRepository, FakeThread


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery: ``number`` is its place among those of its repository."""

    number: int
    event: str
    payload: bytes

    def delivery_id(self, again: int = 0) -> str:
        """Return the delivery's id, or that of the same news through another hook of the repository."""
        name = json.loads(self.payload)["repository"]["full_name"].replace("/", "-")
        return f"{name}-{self.number:04d}" if again == 0 else f"{name}-{self.number:04d}-again-{again}"


def payload_of(
    repository: FakeRepository,
    thread: FakeThread,
    action: str,
    by: ForgeAccount,
    *,
    label: str | None = None,
    **said: Any,
) -> dict[str, Any]:
    """Return the payload of an act on a thread, as the thread is now; ``said``: the review or the comment."""
    half: dict[str, Any] = {
        "number": thread.number,
        "state": "open" if thread.open else "closed",
        "labels": [{"name": name} for name in thread.labels],
        "updated_at": thread.updated_at.isoformat(),
    }
    made: dict[str, Any] = {
        "action": action,
        "repository": {
            "id": repository.info.id,
            "full_name": repository.info.full_name,
            "default_branch": repository.info.default_branch,
        },
        "sender": {"login": by.login, "id": by.id, "type": by.type},
    }
    if label is not None:
        made["label"] = {"name": label}
    if thread.pull is None:
        return made | {"issue": half} | said
    merged_at = thread.updated_at.isoformat() if thread.pull.merged else None
    made["pull_request"] = half | {"merged_at": merged_at, "head": {"sha": thread.pull.head_sha}}
    return made | said
