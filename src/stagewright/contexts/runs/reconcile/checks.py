"""Check what attempts hand over: quarantine, all checks, one verdict. Nothing of it is pushed from here."""

from collections.abc import Sequence

import structlog

from stagewright.contexts.agents import api as agents
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import SourceUnavailable
from stagewright.contexts.runs.model import Inspection, Run, Violation
from stagewright.contexts.runs.reconcile import diffs
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.rules.result_checks import ResultRules, check_result
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.runs.usecases import checking
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import Invalid, StagewrightError

log = structlog.get_logger(__name__)
BATCH = 3


async def check_proposals(outside: Outside) -> int:
    """Give every unchecked proposal of a running attempt its verdict."""
    async with outside.db.transaction() as tx:
        proposals = await result_rows.list_unchecked(tx, limit=BATCH)
    return sum(await each(_check_alone(outside, proposal) for proposal in proposals))


async def _check_alone(outside: Outside, proposal: Proposal) -> bool:
    async with outside.db.exclusive(f"runs.check:{proposal.id}") as mine:
        return mine and await _check_one(outside, proposal)


async def _check_one(outside: Outside, proposal: Proposal) -> bool:
    """Check the proposal; say whether it has its verdict now."""
    async with outside.db.reading() as reader:
        attempt = await attempt_rows.get(reader, proposal.attempt_id)
        run = await run_rows.get(reader, attempt.run_id)
        repository = await get_repository(reader, run.repository_id)
        policy = await workflow.policy_in_force(reader, run.repository_id)
    try:
        inspection = await _inspect(outside, repository, run, proposal)
    except StagewrightError as error:
        log.warning("check postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
        return False
    checked = _checked(outside, run, policy, proposal, inspection)
    diff = None if checked.violations else await diffs.read_diff(outside, repository, run, proposal)
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        verdict = await checking.settle_check(tx, proposal, checked, now=outside.clock.now())
        if verdict == "accepted":
            await diffs.keep_diff(tx, diff)
    if verdict in ("repair", "refused"):
        await outside.git.forget(proposal.attempt_id)
    return True


async def _inspect(outside: Outside, repository: Repository, run: Run, proposal: Proposal) -> Inspection | None:
    if proposal.bundle is None or run.base_sha is None:
        return None
    merged = proposal.report.get("merged_base_sha")
    if merged is not None and not await _is_of_default_branch(outside, repository, str(merged)):
        return refused(f"merged_base_sha: {str(merged)[:60]} is no ancestor of the default branch; merge that branch")
    return await outside.git.inspect(
        repository,
        attempt_id=proposal.attempt_id,
        base_sha=run.base_sha,
        bundle=proposal.bundle,
        merged_base_sha=merged,
    )


async def _is_of_default_branch(outside: Outside, repository: Repository, sha: str) -> bool:
    """Say whether ``sha`` is in the history of the default branch as the remote has it now."""
    heads = await outside.git.heads(repository)
    try:
        return await outside.git.is_ancestor(
            repository, ancestor=sha, descendant=heads.get(repository.default_branch, "")
        )
    except (Invalid, SourceUnavailable):
        return False


def refused(text: str) -> Inspection:
    """Return what stands for a bundle that is not even opened."""
    return Inspection(f"ref_violation: {text}", "", (), {}, {}, (), (), uses_lfs=False)


def _checked(
    outside: Outside, run: Run, policy: workflow.Policy, proposal: Proposal, inspection: Inspection | None
) -> checking.Checked:
    report = dict(proposal.report)
    violations = [Violation(item["code"], item["message"], tuple(item["paths"])) for item in proposal.violations or ()]
    violations += violations_of(outside, run, policy, report, inspection)
    return checking.Checked(
        violations=violations,
        warnings=(),
        tree_sha=inspection.tree_sha if inspection and not inspection.problem else None,
        changed=checking.shown_changes(inspection),
        status=str(report.get("status", "")),
        question=report.get("question") or report.get("summary"),
        redact=outside.redact,
    )


def violations_of(
    outside: Outside, run: Run, policy: workflow.Policy, report: dict[str, object], inspection: Inspection | None
) -> list[Violation]:
    """Return every reason of the run's stage against publishing the inspected tree with this report."""
    kind = workflow.kind_of(policy, run.kind)

    def paths(found: Inspection) -> Sequence[tuple[str, str]]:
        violations = workflow.check_paths(checking.path_changes(found), run.kind, policy)
        return [(item.code, item.path) for item in violations]

    required = kind.result_required and not kind.revise and report.get("status") == "completed"
    rules = ResultRules(
        check_paths=paths,
        find_secrets=outside.find_secrets,
        scope_none=kind.scope == "none",
        result_required=required,
    )
    return check_result(inspection, report, rules) + _report_violations(run, report)


def _report_violations(run: Run, report: dict[str, object]) -> list[Violation]:
    try:
        agents.parse_report(report, agents.report_schema(run.kind).id)
    except agents.ReportInvalid as error:
        fields = tuple(f"{item.pointer}: {item.message}"[:300] for item in error.problems)
        return [Violation("report_invalid", error.message, fields[:50])]
    return []
