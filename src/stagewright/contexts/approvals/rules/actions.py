"""The canonical form of an action and of a row of the matrix, and their hashes (specification: tools, section 5)."""

import hashlib
from dataclasses import asdict
from typing import Any

from stagewright.contexts.approvals.model import Action
from stagewright.contexts.workflow.api import ApprovalRow
from stagewright.kit.journal import canonical

SCHEMA = 1


def action_body(action: Action) -> bytes:
    """Return the bytes that are hashed, stored, shown and executed: RFC 8785 of the action."""
    return canonical(
        {
            "v": 1,
            "action": action.name,
            "schema": SCHEMA,
            "project": str(action.project_id),
            "repository": str(action.repository_id) if action.repository_id else None,
            "run": str(action.run_id) if action.run_id else None,
            "arguments": dict(action.arguments),
            "target": dict(action.target),
        }
    )


def hash_of(body: bytes) -> str:
    """Return the hash a decision names."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def policy_version(row: ApprovalRow) -> str:
    """Return the hash of the row with its defaults: editing another row keeps requests alive, this one voids them."""
    return hash_of(canonical({key: _plain(value) for key, value in asdict(row).items()}))


def _plain(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, list | tuple) else value


def needs_typing(row: ApprovalRow, action: str) -> bool:
    """Say whether the target's name is typed before an approval: every delete, and production."""
    if row.typed_confirm is not None:
        return row.typed_confirm
    return row.env == "production" or action.rpartition(":")[2] == "delete"
