"""What a run that ended offers next: the facts that the matrix of next steps asks for (workflow, section 11)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.rules.links import OPEN_STATES
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader


async def finished_run(
    reader: Reader, run: Run, *, profile: workflow.StoredProfile | None = None
) -> workflow.FinishedRun:
    """Return what is known of an ended run; ``profile`` is the Issue's now, else what the run was started with."""
    link = await link_rows.find(reader, run.repository_id, run.pr_number) if run.pr_number else None
    escalation = await proposed_path(reader, run.id)
    return workflow.FinishedRun(
        kind=run.kind,
        succeeded=run.status is RunStatus.SUCCEEDED,
        has_open_link=link is not None and link.state in OPEN_STATES,
        profile=profile or _profile_at_start(run),
        link_stage=link.stage if link is not None else None,
        escalation=escalation[0] if escalation is not None else None,
        trigger=run.trigger_label,
    )


async def proposed_path(reader: Reader, run_id: UUID) -> tuple[str, tuple[str, ...]] | None:
    """Return the longer path that the run's agent proposed in its accepted report, and why; None without a proposal."""
    proposal = await result_rows.find_newest(reader, run_id)
    if proposal is None or proposal.verdict != "accepted":
        return None
    return _escalation(proposal.report)


def _escalation(report: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    proposed = report.get("escalation")
    if not isinstance(proposed, Mapping) or not proposed.get("to"):
        return None
    return str(proposed["to"]), tuple(str(reason) for reason in proposed.get("reasons") or ())


def _profile_at_start(run: Run) -> workflow.StoredProfile | None:
    if not run.world.profile or not run.world.profile_source:
        return None
    return workflow.StoredProfile(run.world.profile, workflow.ProfileSource(run.world.profile_source))
