"""The mode of a run at launch (``workflow.md`` section 3.3) and where it works (section 12)."""

from stagewright.contexts.workflow.model.outcomes import DeclaredRuntime, LaunchRefusal, ModeChoice
from stagewright.contexts.workflow.model.policy import EnvironmentNeed, Kind, KindClass, Mode, Policy, Source
from stagewright.contexts.workflow.model.reasons import LaunchReason, RefuseReason
from stagewright.contexts.workflow.rules.places import pointer

NEEDED_KIND = {
    EnvironmentNeed.NONE: "candidate",  # asked for all the same: a slot
    EnvironmentNeed.SLOT: "candidate",
    EnvironmentNeed.CANDIDATE: "candidate",
    EnvironmentNeed.PRODUCTION_READONLY: "production",
    EnvironmentNeed.PRODUCTION: "production",
}
ACCESS = {
    EnvironmentNeed.NONE: "candidate",
    EnvironmentNeed.SLOT: "candidate",
    EnvironmentNeed.CANDIDATE: "candidate",
    EnvironmentNeed.PRODUCTION_READONLY: "production-readonly",
    EnvironmentNeed.PRODUCTION: "repair",
}


def resolve_mode(
    kind: str, policy: Policy, declared: DeclaredRuntime | None, *, cluster: bool
) -> ModeChoice | LaunchRefusal:
    """Choose the mode of ``kind``. ``declared`` is None where no ``services.yaml`` or no stack engine exists."""
    row = policy.kinds[kind]
    if row.kind_class is KindClass.DEPLOY:
        return ModeChoice(Mode.FULL_ENV, "push_main")
    if row.kind_class is KindClass.DISCUSSION:
        return ModeChoice(Mode.CODE_ONLY, "discussion_mode")
    if row.kind_class is KindClass.REVIEW:
        return ModeChoice(Mode.CODE_ONLY, "review")
    if declared is not None and not declared.valid:
        return LaunchRefusal(LaunchReason.STACK_INVALID.value, params={"problem": declared.problem or ""})
    mode, source = _wanted(row, policy, declared)
    if mode not in row.modes:
        allowed = ", ".join(item.value for item in row.modes)
        return LaunchRefusal(LaunchReason.MODE_NOT_ALLOWED.value, params={"mode": mode.value, "allowed": allowed})
    missing = _missing(row, mode, declared, cluster)
    if missing is None:
        return ModeChoice(mode, source)
    if row.environment_required:
        return LaunchRefusal(RefuseReason.ENVIRONMENT_NOT_DECLARED.value, params={"env": row.env.value})
    return ModeChoice(Mode.CODE_ONLY, source, missing)


def access_profile(kind: str, mode: Mode, policy: Policy) -> str:
    """Return what a run's workload may reach: ``code-only``, ``candidate``, ``production-readonly`` or ``repair``."""
    row = policy.kinds[kind]
    if mode is Mode.CODE_ONLY or row.kind_class is KindClass.DEPLOY:
        return Mode.CODE_ONLY.value
    return ACCESS[row.env]


def target_environment(kind: str, mode: Mode, policy: Policy) -> str | None:
    """Return ``ai`` or ``production``: where the run's environment belongs; None for a run without one."""
    if mode is Mode.CODE_ONLY:
        return None
    return "production" if NEEDED_KIND[policy.kinds[kind].env] == "production" else "ai"


def _wanted(row: Kind, policy: Policy, declared: DeclaredRuntime | None) -> tuple[Mode, str]:
    if declared is not None:
        of_stage = (row.stage or row.key).replace("-", "_")
        mode = declared.trigger_modes.get(row.key) or declared.trigger_modes.get(of_stage) or declared.default_mode
        if mode is not None:
            return mode, "services_yaml"
    part = ("stages", row.stage, "mode") if row.stage is not None else ("special", row.key, "mode")
    by_project = policy.sources.get(pointer(part)) is Source.PROJECT
    return row.mode, "project_policy" if by_project else "policy_stage"


def is_declared(row: Kind, declared: DeclaredRuntime | None) -> bool:
    """Say whether the project declares an environment of the kind that ``row`` works in."""
    return declared is not None and NEEDED_KIND[row.env] in declared.environments


def _missing(row: Kind, mode: Mode, declared: DeclaredRuntime | None, cluster: bool) -> str | None:
    if mode is Mode.CODE_ONLY:
        return None
    if not is_declared(row, declared):
        return "no_services_yaml"
    return None if cluster else "no_cluster"
