"""A rethink succeeded: what the Issue had open before is not what it goes on with (specification: workflow, 3.2)."""

from datetime import datetime

from stagewright.contexts.runs.model import Link, Run
from stagewright.contexts.runs.rules.links import OPEN_STATES
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.usecases.label_moves import mark_superseded
from stagewright.contexts.runs.usecases.linking import set_and_tell
from stagewright.kit.db import Tx


async def supersede_others(tx: Tx, run: Run, *, kept: Link | None, now: datetime) -> list[Link]:
    """Supersede the Issue's other open pull requests, row and labels. Who wants one all the same reopens its work."""
    if run.issue_number is None:
        return []
    others = [
        link
        for link in await link_rows.list_of_issue(tx, run.repository_id, run.issue_number)
        if link.state in OPEN_STATES and (kept is None or link.pr_number != kept.pr_number)
    ]
    done = []
    for link in others:
        locked = await link_rows.lock(tx, link.repository_id, link.pr_number)
        if locked is None:
            continue
        saved = await set_and_tell(
            tx, locked, state="superseded", head_sha=locked.head_sha, foreign_push=locked.foreign_push, now=now
        )
        await mark_superseded(tx, run, saved, now=now)
        done.append(saved)
    return done
