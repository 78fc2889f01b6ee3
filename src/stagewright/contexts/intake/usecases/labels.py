"""What a ``label`` delivery tells of a managed label: kept, and told as drift when somebody else changed it."""

from datetime import datetime

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.intake.model import LabelTold, ParsedDelivery
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Tx

CHANGES = frozenset({"created", "edited", "deleted"})
DID = {
    workflow.Drift.MISSING: "deleted",
    workflow.Drift.RENAMED: "renamed",
    workflow.Drift.RECOLOURED: "recoloured",
    workflow.Drift.REDESCRIBED: "redescribed",
}


async def keep_label(
    tx: Tx, repository: projects.Repository, parsed: ParsedDelivery, *, received_at: datetime, now: datetime
) -> None:
    """Keep how a managed label is now. A change by anybody but us is drift: the next bootstrap restores it."""
    told = parsed.told
    if parsed.event != "label" or told is None or parsed.action not in CHANGES:
        return
    policy = await workflow.policy_in_force(tx, repository.id)
    texts = {item.key: item.text for item in await projects.list_labels(tx, repository.id)}
    wanted = workflow.managed_label(told.name, told.was, texts, policy)
    if wanted is None:
        return
    there = None if parsed.action == "deleted" else workflow.RepositoryLabel(told.name, told.color, told.description)
    drift = workflow.label_drift(wanted, there)
    by = parsed.sender_login or "-"
    ours = await _is_ours(tx, repository, parsed)
    kept = await projects.keep_label(
        tx,
        projects.KnownLabel(
            repository_id=repository.id,
            key=wanted.key,
            present=there is not None,
            text=told.name,
            color=told.color,
            description=told.description,
            aliases=(),
            changed_by=None if ours else by,
            changed_at=received_at,
        ),
    )
    if kept and drift and not ours:
        await _tell(tx, repository, wanted, told, drift, by=by, now=now)


async def _is_ours(reader: Reader, repository: projects.Repository, parsed: ParsedDelivery) -> bool:
    bot = await runs.bot_login(reader, repository)
    return bot is not None and (parsed.sender_login or "").casefold() == bot.casefold()


async def _tell(
    tx: Tx,
    repository: projects.Repository,
    wanted: workflow.LabelDefinition,
    told: LabelTold,
    drift: tuple[workflow.Drift, ...],
    *,
    by: str,
    now: datetime,
) -> None:
    projects.tell_drift(tx, repository, key=wanted.key, drift=drift, by=by)
    did = " and ".join(DID[item] for item in drift)
    named = f" (now {told.name})" if workflow.Drift.RENAMED in drift else ""
    await incidents.report(
        tx,
        level="warning",
        source="labels",
        code="label_drift",
        message=f"{repository.full_name}: the label {wanted.text} was {did} by {by}{named}; "
        f"`stagewright label sync {repository.full_name}` restores it",
        project_id=repository.project_id,
        details={"repository_id": str(repository.id), "label": wanted.key, "drift": [item.value for item in drift]},
        now=now,
    )
