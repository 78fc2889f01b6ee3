"""Check what attempts hand over: quarantine, all checks, one verdict. Nothing of it is pushed from here."""

from collections.abc import Sequence

import structlog

from stagewright.contexts.agents import api as agents
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.model import Inspection, Run, Violation
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules.result_checks import ResultRules, check_result
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.runs.usecases import checking
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import StagewrightError

log = structlog.get_logger(__name__)
BATCH = 5


async def check_proposals(outside: Outside) -> int:
    """Give every unchecked proposal of a running attempt its verdict."""
    async with outside.db.transaction() as tx:
        proposals = await result_rows.list_unchecked(tx, limit=BATCH)
    for proposal in proposals:
        async with outside.db.exclusive(f"runs.check:{proposal.id}") as mine:
            if mine:
                await _check_one(outside, proposal)
    return len(proposals)


async def _check_one(outside: Outside, proposal: Proposal) -> None:
    async with outside.db.reading() as reader:
        attempt = await attempt_rows.get(reader, proposal.attempt_id)
        run = await run_rows.get(reader, attempt.run_id)
        repository = await get_repository(reader, run.repository_id)
        policy = await workflow.policy_in_force(reader, run.repository_id)
    try:
        inspection = await _inspect(outside, repository, run, proposal)
    except StagewrightError as error:
        log.warning("check postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
        return
    checked = _checked(outside, run, policy, proposal, inspection)
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        await checking.settle_check(tx, proposal, checked, now=outside.clock.now())


async def _inspect(outside: Outside, repository: Repository, run: Run, proposal: Proposal) -> Inspection | None:
    if proposal.bundle is None or run.base_sha is None:
        return None
    return await outside.git.inspect(
        repository, attempt_id=proposal.attempt_id, base_sha=run.base_sha, bundle=proposal.bundle
    )


def _checked(
    outside: Outside, run: Run, policy: workflow.Policy, proposal: Proposal, inspection: Inspection | None
) -> checking.Checked:
    kind = workflow.kind_of(policy, run.kind)
    report = dict(proposal.report)

    def paths(found: Inspection) -> Sequence[tuple[str, str]]:
        violations = workflow.check_paths(checking.path_changes(found), run.kind, policy)
        return [(item.code, item.path) for item in violations]

    status = str(report.get("status", ""))
    rules = ResultRules(
        check_paths=paths,
        find_secrets=outside.find_secrets,
        scope_none=kind.scope == "none",
        result_required=kind.result_required and not kind.revise and status == "completed",
    )
    violations = check_result(inspection, report, rules)
    violations += _report_violations(run, report)
    return checking.Checked(
        violations=violations,
        warnings=(),
        tree_sha=inspection.tree_sha if inspection and not inspection.problem else None,
        changed=checking.shown_changes(inspection),
        status=status,
        question=report.get("question") or report.get("summary"),
    )


def _report_violations(run: Run, report: dict[str, object]) -> list[Violation]:
    try:
        agents.parse_report(report, agents.report_schema(run.kind).id)
    except agents.ReportInvalid as error:
        fields = tuple(f"{item.pointer}: {item.message}"[:300] for item in error.problems)
        return [Violation("report_invalid", error.message, fields[:50])]
    return []
