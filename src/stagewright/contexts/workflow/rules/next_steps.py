"""What a person may do after a run (``workflow.md`` section 11.1), and the links that offer it (11.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from stagewright.contexts.workflow.model.decisions import StoredProfile
from stagewright.contexts.workflow.model.keys import NEED_REVIEWER, RETHINK
from stagewright.contexts.workflow.model.outcomes import NextStep, StepGroup
from stagewright.contexts.workflow.model.policy import Kind, KindClass, Policy, StageSteps
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.profiles import profiles_of_variant, variant_name

ISSUE_ACTION, PULL_REQUEST_ACTION = "issue_stage_transition", "pull_request_label_add"
NO_STEPS = frozenset({KindClass.DISCUSSION, KindClass.REPAIR, KindClass.DEPLOY})


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The run whose next steps are asked for. ``link_stage`` is the stage of the pull request a reviewer looked at;
    ``escalation`` the profile its agent proposed."""

    kind: str
    succeeded: bool = True
    has_open_link: bool = False
    profile: StoredProfile | None = None
    link_stage: str | None = None
    escalation: str | None = None
    trigger: str | None = None


def next_steps(run: FinishedRun, policy: Policy) -> tuple[NextStep, ...]:
    """Return the next steps in order: revise, forward, jumps, reviewer, to the side, escalation; after a failure only
    the same trigger again and the rethink."""
    kind = policy.kinds[run.kind]
    row_key = _row_key(kind, run)
    if kind.kind_class in NO_STEPS or row_key is None:
        return ()
    row = policy.next_steps.get(row_key, StageSteps())
    if not run.succeeded:
        return tuple(_after_failure(kind, run, row, policy))
    return tuple(_after_success(kind, run, row_key, row, policy))


def deep_link(
    public_url: str | None,
    step: NextStep,
    *,
    repository: str,
    issue: int | None,
    pull_request: int | None = None,
    run_id: str,
) -> str | None:
    """Return the address that opens the step's confirmation, or None without a public URL or issue."""
    if not public_url or issue is None:
        return None
    path = deep_path(step, repository=repository, issue=issue, pull_request=pull_request, run_id=run_id)
    return f"{public_url.rstrip('/')}{path}"


def deep_path(step: NextStep, *, repository: str, issue: int, pull_request: int | None = None, run_id: str) -> str:
    """Return the console's path that opens the step's confirmation; the keys stand in one order."""
    pairs: list[tuple[str, str]] = [("repository_full_name", repository), ("issue_number", str(issue))]
    if pull_request is not None:
        pairs.append(("pull_request_number", str(pull_request)))
    pairs += [("action_kind", step.action_kind), ("target_label", step.target), ("display_variant", step.variant)]
    pairs.append(("source_run_id", run_id))
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in pairs)
    return f"/next-step?{query}"


def _row_key(kind: Kind, run: FinishedRun) -> str | None:
    if kind.kind_class is KindClass.REVIEW:
        return run.link_stage
    return kind.stage or kind.key


def _after_failure(kind: Kind, run: FinishedRun, row: StageSteps, policy: Policy) -> Iterator[NextStep]:
    action = PULL_REQUEST_ACTION if kind.kind_class is KindClass.REVIEW else ISSUE_ACTION
    label = run.trigger or kind.label
    if kind.enabled and label is not None:
        yield NextStep(StepGroup.RETRY, action, label, "retry")
    if RETHINK in row.side and _offered(RETHINK, policy):
        yield NextStep(StepGroup.SIDE, ISSUE_ACTION, RETHINK, "rethink")


def _after_success(kind: Kind, run: FinishedRun, stage: str, row: StageSteps, policy: Policy) -> Iterator[NextStep]:
    revise = stage_label(stage, revise=True)
    if _offered(revise, policy):
        yield NextStep(StepGroup.REVISE, ISSUE_ACTION, revise, "revise")
    yield from _forward(stage, run.profile, policy)
    for jump in row.jumps:
        if _offered(jump.target, policy):
            yield NextStep(StepGroup.JUMP, ISSUE_ACTION, jump.target, jump.variant, profile=jump.profile)
    if row.reviewer and run.has_open_link and kind.kind_class is not KindClass.REVIEW:
        yield NextStep(StepGroup.REVIEWER, PULL_REQUEST_ACTION, NEED_REVIEWER, "reviewer")
    for target in row.side:
        if _offered(target, policy):
            yield NextStep(StepGroup.SIDE, ISSUE_ACTION, target, target.split(":")[1].replace("-", "_"))
    yield from _escalation(stage, run, policy)


def _offered(label: str, policy: Policy) -> bool:
    kind = policy.triggers.get(label)
    return kind is not None and policy.kinds[kind].enabled


def forward_cells(stage: str, policy: Policy) -> dict[str, tuple[str, ...]]:
    """Return the next stage of every profile, equal targets merged: stage -> profiles, lowest first; full path's
    target first."""
    full = policy.profiles.full_path
    if stage not in full:
        return {}
    later = [key for key in full[full.index(stage) + 1 :] if policy.stages[key].enabled]
    cells: dict[str, tuple[str, ...]] = {}
    for profile in reversed(policy.profiles.order):
        target = next((key for key in later if key in policy.profiles.paths[profile]), None)
        if target is not None:
            cells[target] = (profile, *cells.get(target, ()))
    return cells


def _forward(stage: str, stored: StoredProfile | None, policy: Policy) -> Iterator[NextStep]:
    order = policy.profiles.order
    steps = [
        NextStep(StepGroup.FORWARD, ISSUE_ACTION, stage_label(target), variant_name(profiles, policy))
        for target, profiles in forward_cells(stage, policy).items()
    ]
    if stored is None or stored.provisional or stored.profile not in order:
        yield from steps
        return
    kept = order[order.index(stored.profile) :]
    for own in (True, False):
        for step in steps:
            profiles = profiles_of_variant(step.variant, policy)
            if (stored.profile in profiles) is own and any(key in kept for key in profiles):
                yield NextStep(step.group, step.action_kind, step.target, step.variant, recommended=own)


def _escalation(stage: str, run: FinishedRun, policy: Policy) -> Iterator[NextStep]:
    order = policy.profiles.order
    current = run.profile.profile if run.profile is not None else policy.profiles.default
    if run.escalation not in order or current not in order or order.index(run.escalation) <= order.index(current):
        return
    for target, profiles in forward_cells(stage, policy).items():
        if run.escalation in profiles:
            label = stage_label(target)
            yield NextStep(StepGroup.ESCALATION, ISSUE_ACTION, label, "accept_escalation", profile=run.escalation)
