"""Say on a thread why nothing was started."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.rules import diagnostics
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.usecases import effects
from stagewright.contexts.vault import api as vault
from stagewright.kit.db import Reader, Tx


async def post_diagnostic(
    tx: Tx,
    *,
    repository_id: UUID,
    thread: int,
    reason: str,
    fingerprint: Sequence[str],
    remedy: str,
    conflicting: Sequence[str],
    suggested: Sequence[str],
    locale: str,
    conflict: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Reserve the one comment of this cause (repository, thread, reason, ``fingerprint``), counted when it repeats."""
    digest = hashlib.sha256("\n".join(sorted(fingerprint)).encode()).hexdigest()[:16]
    key = f"{repository_id}:{thread}:{reason}:{digest}"
    body = diagnostics.render(reason=reason, remedy=remedy, conflicting=conflicting, suggested=suggested, locale=locale)
    values = {
        "key": key,
        "repository_id": repository_id,
        "thread": thread,
        "reason": reason,
        "body": body,
        "now": now,
    }
    row = await comment_rows.diagnose(tx, values)
    await effects.reserve(
        tx,
        "comment.diagnostic",
        dedupe_key=f"{key}:{row.count}",
        repository_id=repository_id,
        target=effects.thread_target(thread),
        payload={"key": key, "conflict": dict(conflict) if conflict else None},
        now=now,
    )


async def bot_login(reader: Reader, repository: Repository) -> str | None:
    """Return the login the platform acts under in the repository, as stored with its credential."""
    return await vault.login_of(
        reader, purpose=vault.BOT, project_id=repository.project_id, repository_id=repository.id
    )
