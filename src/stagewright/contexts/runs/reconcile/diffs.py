"""The diff of a checked result, kept as a row: the quarantine it stands in is on one worker's disk, and goes."""

from dataclasses import dataclass, field
from uuid import UUID

import structlog

from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.kit.db import Tx
from stagewright.kit.errors import StagewrightError

log = structlog.get_logger(__name__)
MOST = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Diff:
    """What a proposal changes, redacted and cut."""

    result_id: UUID
    base_sha: str
    text: bytes = field(repr=False)
    truncated: bool


async def read_diff(outside: Outside, repository: Repository, run: Run, proposal: Proposal) -> Diff | None:
    """Return the diff of the proposal in its quarantine; a diff that cannot be read holds no verdict back."""
    if run.base_sha is None or proposal.bundle is None:
        return None
    try:
        found = await outside.git.diff(
            repository, attempt_id=proposal.attempt_id, base_sha=run.base_sha, limit=MOST + 1
        )
    except StagewrightError as error:
        log.warning("no diff kept", run_id=str(run.id), code=error.stable_code, reason=error.message)
        return None
    text, truncated = cut(outside.redact(found).encode())
    return Diff(proposal.id, run.base_sha, text, truncated)


def cut(text: bytes, most: int = MOST) -> tuple[bytes, bool]:
    """Return at most ``most`` bytes of ``text``, whole lines, and whether something is missing."""
    if len(text) <= most:
        return text, False
    return text[: text.rfind(b"\n", 0, most) + 1] or text[:most], True


async def keep_diff(tx: Tx, diff: Diff | None) -> None:
    """Keep the diff, in the transaction of the verdict."""
    if diff is not None:
        await diff_rows.insert(tx, diff.result_id, base_sha=diff.base_sha, diff=diff.text, truncated=diff.truncated)
