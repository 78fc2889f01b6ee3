"""How many runs may work at once: limits of a policy, and why a queued run has to wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stagewright.contexts.workflow.model.policy import Limits, Mode, Policy, RoleLimits


@dataclass(frozen=True, slots=True)
class ActiveCounts:
    """Runs that count now (preparing, running, finishing, cancelling). ``project`` counts one project's by role and
    mode; ``platform`` counts all projects' but those of the deploy lane."""

    platform: int = 0
    project: Mapping[tuple[str, Mode], int] = field(default_factory=dict)

    def in_mode(self, mode: Mode) -> int:
        """Return the project's active runs of ``mode``."""
        return sum(count for (_, run_mode), count in self.project.items() if run_mode is mode)

    @property
    def in_project(self) -> int:
        """The project's active runs."""
        return sum(self.project.values())


def limits(policy: Policy) -> Limits:
    """Return every limit of parallel runs."""
    return policy.limits


def admission_reason(role: str, mode: Mode, active: ActiveCounts, limits: Limits) -> str | None:
    """Return why a run of ``role`` in ``mode`` is not admissible (as shown to people), or None. Not for deploys."""
    of_role = limits.roles.get(role, RoleLimits(full_env=1, code_only=1)).of(mode)
    used = active.project.get((role, mode), 0)
    if used >= of_role:
        return f"role_limit:{role}:{mode.value}:{used}/{of_role}"
    if active.in_project >= limits.project.total or active.in_mode(mode) >= limits.project.of(mode):
        return "project_limit"
    return "platform_limit" if active.platform >= limits.platform_total else None
