"""Settle the check of a proposal: accepted, back to the agent once, or the run has failed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import (
    Attempt,
    AttemptStatus,
    ChangedPath,
    Inspection,
    Run,
    RunStatus,
    Violation,
    WaitKind,
)
from stagewright.contexts.runs.rules.result_checks import worst
from stagewright.contexts.runs.rules.talking import LANE, REPORT
from stagewright.contexts.runs.rules.transitions import failure_class
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.runs.usecases import attempts, label_moves, moves, talk
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

SUBMODULE = "160000"
SYMLINK = "120000"
ABSENT = "000000"
SECRET = "secret_in_result"
REPAIR = "repair"
MOST_TOLD = 8
PATH_TOLD = 80


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks said of one proposal."""

    violations: Sequence[Violation]
    warnings: Sequence[str]
    tree_sha: str | None
    changed: Sequence[Mapping[str, Any]]
    status: str
    question: str | None
    redact: Callable[[str], str] = str


def path_changes(inspection: Inspection) -> list[workflow.PathChange]:
    """Return the changed paths in the words of the policy. There are no renames: both paths stand for themselves."""
    return [_path_change(change, inspection) for change in inspection.changed]


def _path_change(change: ChangedPath, inspection: Inspection) -> workflow.PathChange:
    mode = change.old_mode if change.new_mode == ABSENT else change.new_mode
    entries = {SUBMODULE: workflow.EntryKind.SUBMODULE, SYMLINK: workflow.EntryKind.SYMLINK}
    target = inspection.symlinks.get(change.path)
    kinds = {"A": "added", "D": "deleted", "T": "type_changed"}
    return workflow.PathChange(
        path=change.path.decode("utf-8", "replace"),
        kind=kinds.get(change.status[:1], "modified"),
        entry=entries.get(mode, workflow.EntryKind.FILE),
        link_target=None if target is None else target.decode("utf-8", "replace"),
    )


def shown_changes(inspection: Inspection | None) -> list[dict[str, Any]]:
    """Return the changed paths for a screen, at most 300."""
    if inspection is None:
        return []
    return [
        {"path": change.path.decode("utf-8", "replace"), "status": change.status} for change in inspection.changed[:300]
    ]


async def settle_check(tx: Tx, proposal: Proposal, checked: Checked, *, now: datetime) -> str:
    """Write the verdict and move the run. Return ``accepted``, ``repair``, ``refused`` or ``stale``."""
    attempt = await attempt_rows.get(tx, proposal.attempt_id)
    run = await run_rows.lock(tx, attempt.run_id)
    attempt = await attempt_rows.lock(tx, proposal.attempt_id)
    if run.status is not RunStatus.RUNNING or attempt.generation != run.generation:
        return "stale"
    verdict = _verdict(proposal, attempt, checked)
    checked = _clean(checked)
    if not await _write(tx, proposal, checked, verdict, now=now):
        return "stale"
    tx.publish(
        events.ResultChecked(
            run=run,
            extra={
                "attempt": str(attempt.id),
                "proposal_no": proposal.proposal_no,
                "verdict": verdict,
                "files": len(checked.changed),
                "violations": [_told(item) for item in checked.violations[:MOST_TOLD]],
            },
        )
    )
    if verdict == "accepted" and run.lane == LANE:
        await talk.accept_reply(tx, run, attempt, _reply(proposal), now=now)
    elif verdict == "refused":
        await _refuse(tx, run, attempt, proposal, checked, now=now)
    elif verdict == "accepted":
        await _accept(tx, run, attempt, checked, now=now)
    return verdict


async def _write(tx: Tx, proposal: Proposal, checked: Checked, verdict: str, *, now: datetime) -> bool:
    """Write the verdict once. Of a result that holds a secret neither bundle nor report stays as it was."""
    has_secret = any(item.code == SECRET for item in checked.violations)
    saved = await result_rows.set_checked(
        tx,
        proposal.id,
        verdict=verdict,
        violations=[violation_json(item) for item in checked.violations],
        warnings=checked.warnings,
        tree_sha=checked.tree_sha,
        changed=checked.changed,
        now=now,
        report=redacted(proposal.report, checked.redact) if has_secret else None,
        drop_bundle=has_secret,
    )
    return saved is not None


def _clean(checked: Checked) -> Checked:
    """Paths and messages come from the agent's tree: they are redacted like everything that is shown."""
    return replace(
        checked,
        violations=[
            Violation(item.code, checked.redact(item.message), tuple(map(checked.redact, item.paths)))
            for item in checked.violations
        ],
        changed=redacted(list(checked.changed), checked.redact),
    )


def redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """Return JSON ``value`` with every text and key redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, redact) for item in value]
    return value


def _verdict(proposal: Proposal, attempt: Attempt, checked: Checked) -> str:
    if not checked.violations:
        return "accepted"
    may_repair = proposal.proposal_no == 1 and attempt.status is AttemptStatus.LIVE
    return "repair" if may_repair else "refused"


async def _refuse(tx: Tx, run: Run, attempt: Attempt, proposal: Proposal, checked: Checked, *, now: datetime) -> None:
    """Fail the run; but a first proposal whose runner is gone gets its repair in one more attempt."""
    runner_gone = attempt.status is not AttemptStatus.LIVE
    if runner_gone and proposal.proposal_no == 1 and not await attempt_rows.count_reason(tx, run.id, REPAIR):
        await attempts.requeue(tx, run, code=REPAIR, now=now)
        return
    first = worst(checked.violations)
    detail = f"{first.message}: {', '.join(first.paths[:10])}" if first.paths else first.message
    await moves.fail(tx, run, first.code, now=now, detail=detail)


async def _accept(tx: Tx, run: Run, attempt: Attempt, checked: Checked, *, now: datetime) -> None:
    if await wait_rows.list_open(tx, run.id):
        return  # completed while waits are open: kept as a draft, the ended attempt parks the run
    if checked.status == "blocked":
        await moves.fail(tx, run, "agent_blocked", now=now, detail=checked.question)
        return
    if checked.status == "needs_input":
        await moves.open_wait(
            tx,
            run,
            WaitKind.QUESTION,
            target_kind=REPORT,
            target_id=str(attempt.id),
            who_can_act="run.start",
            now=now,
            attempt=attempt,
        )
        await moves.pause(tx, run, now=now)
        await label_moves.move_labels(tx, run, workflow.Moment.NEEDS_INPUT, now=now)
        return
    await moves.move(tx, run, RunStatus.FINISHING, events.RunFinishing, now=now, finish_step="reread")


def _reply(proposal: Proposal) -> str:
    """Return what the agent wants to say, made harmless."""
    said = str(proposal.report.get("reply_markdown") or "").strip() or str(proposal.report.get("summary") or "")
    return agents.inert(said)


def _told(violation: Violation) -> dict[str, Any]:
    """Return the journal's short form; the row has all paths."""
    paths = [path[:PATH_TOLD] for path in violation.paths[:MOST_TOLD]]
    return {"code": violation.code, "paths": paths, "more_paths": max(0, len(violation.paths) - MOST_TOLD)}


def violation_json(violation: Violation) -> dict[str, Any]:
    """Return the stored form of a violation."""
    return {
        "code": violation.code,
        "class": failure_class(violation.code).value,
        "message": violation.message,
        "paths": list(violation.paths),
    }
