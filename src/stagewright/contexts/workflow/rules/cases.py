"""One request for a run and the world it meets: the checks that every way to a run shares (``workflow.md`` 7.4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from stagewright.contexts.workflow.model.decisions import (
    Decision,
    Link,
    LiveThread,
    Refuse,
    Remedy,
    Start,
    StartRequest,
    ThreadFact,
    TriggerSource,
    World,
)
from stagewright.contexts.workflow.model.keys import RETHINK
from stagewright.contexts.workflow.model.outcomes import ModelQuestion
from stagewright.contexts.workflow.model.policy import Kind, KindClass, Policy
from stagewright.contexts.workflow.model.reasons import RefuseReason
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.gates import GateHit, GateView, check_gates, gate_params, shut_gates
from stagewright.contexts.workflow.rules.matching import label_text
from stagewright.contexts.workflow.rules.models import missing_engine
from stagewright.contexts.workflow.rules.modes import is_declared
from stagewright.contexts.workflow.rules.profiles import missing_stages, profile_at_trigger

CLOCK_SLACK = timedelta(seconds=2)
"""How far the forge's clocks may tell one act apart."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request: ``key`` of the label that stands for it, its kind, the thread whose labels and state count (the
    Issue's; a pull request's own where no Issue is known), and the link it works on."""

    fact: ThreadFact
    world: World
    policy: Policy
    key: str
    kind: Kind
    thread: LiveThread
    target: Link | None = None

    @property
    def issue(self) -> int | None:
        """Return the number of the Issue; a pull request's own thread is none."""
        return None if self.thread.is_pull_request else self.thread.number

    def text(self, key: str) -> str:
        """Return the project's text of a label key."""
        return label_text(key, self.policy)


Check = Callable[[Case], Decision | None]


def first_refusal(case: Case, checks: tuple[Check, ...]) -> Decision | None:
    """Return what the first check that fails says, or None."""
    for check in checks:
        if verdict := check(case):
            return verdict
    return None


def disabled(case: Case) -> Decision | None:
    """Check 8: the stage is enabled."""
    if case.kind.enabled:
        return None
    kinds = [case.policy.kinds[kind] for kind in case.policy.triggers.values()]
    enabled = tuple(case.text(kind.label) for kind in kinds if kind.enabled and not kind.revise and kind.label)
    return Refuse(RefuseReason.STAGE_DISABLED, Remedy({"label": case.text(case.key)}), suggested=enabled)


def closed(case: Case) -> Decision | None:
    """Check 11: the Issue is open, or the stage works on closed ones."""
    if case.thread.open or case.kind.on_closed_issue:
        return None
    return Refuse(RefuseReason.ISSUE_CLOSED, suggested=(case.text(RETHINK),))


def gated(case: Case) -> Decision | None:
    """Check 12: the gates of section 8."""
    hit = check_gates(case.kind, _gate_view(case), case.policy)
    return None if hit is None else _refuse_gate(case, hit)


def every_gate(case: Case) -> tuple[Refuse, ...]:
    """Return what each gate of section 8 that is shut says."""
    return tuple(_refuse_gate(case, hit) for hit in shut_gates(case.kind, _gate_view(case), case.policy))


def _gate_view(case: Case) -> GateView:
    world, kind, target = case.world, case.kind, case.target
    missing: tuple[str, ...] = ()
    if case.policy.gates.stage_order == "enforce":
        profile = profile_at_trigger(world.profile, kind.stage, case.policy).profile
        missing = missing_stages(kind.stage or "", profile, world.succeeded_stages, case.policy)
    return GateView(
        labels=case.thread.labels,
        target_labels=target.labels if target is not None else (),
        platform_needs_input=world.platform_needs_input,
        accepted=world.accepted_result or case.fact.source == TriggerSource.CONSOLE,
        missing_stages=missing,
    )


def _refuse_gate(case: Case, hit: GateHit) -> Refuse:
    reviewed = next((link.pr_number for link in case.world.links if link.is_open), None)
    suggested: tuple[str, ...] = ()
    if hit.reason in (RefuseReason.ISSUE_ABANDONED, RefuseReason.ISSUE_SUPERSEDED):
        suggested = (case.text(RETHINK),)
    elif hit.reason is RefuseReason.STAGE_PREREQUISITE_MISSING:
        suggested = tuple(case.text(stage_label(stage)) for stage in hit.stages)
    return Refuse(hit.reason, Remedy(gate_params(hit, case.policy, reviewed)), suggested=suggested)


def surroundings(case: Case) -> Decision | None:
    """Check 15: the candidate and the environment that the stage needs."""
    if case.kind.needs_candidate and _candidate(case) is None:
        builders = [stage for stage in case.policy.stages.values() if stage.scope == "any" and stage.enabled]
        keys = [stage_label(stage.key, revise=flag) for stage in builders for flag in (False, True)]
        suggested = tuple(case.text(key) for key in keys if key in case.policy.triggers)
        return Refuse(RefuseReason.ISSUE_TRIGGER_CANDIDATE_NOT_FOUND, suggested=suggested, add_need_input=True)
    if case.kind.environment_required and not is_declared(case.kind, case.world.declared):
        return Refuse(RefuseReason.ENVIRONMENT_NOT_DECLARED, Remedy({"env": case.kind.env.value}))
    return None


def agent(case: Case) -> Decision | None:
    """Check 16: the engine of the run's model can work. Wrong model labels are the launch's to report."""
    target = case.target
    question = ModelQuestion(
        kind=case.kind.key,
        pr_labels=target.labels if target is not None else (),
        issue_labels=case.thread.labels,
        engines_available=case.world.engines_available,
    )
    missing = missing_engine(question, case.policy)
    return None if missing is None else Refuse(RefuseReason.AGENT_NOT_CONFIGURED, Remedy(missing.params))


def start(case: Case) -> Start:
    """Return the request for the run."""
    world, kind, policy = case.world, case.kind, case.policy
    profile = profile_at_trigger(world.profile, kind.stage, policy)
    raised = world.profile is not None and profile.profile != world.profile.profile
    skipped = missing_stages(kind.stage or "", profile.profile, world.succeeded_stages, policy)
    advised = kind.kind_class is KindClass.FORWARD and policy.gates.stage_order == "advise"
    return Start(
        StartRequest(
            kind=kind.key,
            kind_class=kind.kind_class,
            stage=kind.stage,
            role=kind.role,
            label_key=case.key,
            revise=kind.revise,
            scope=kind.scope,
            mode=kind.mode,
            limit_minutes=kind.limit_minutes,
            profile=profile,
            escalated_from=world.profile.profile if raised and world.profile is not None else None,
            skipped=skipped if advised else (),
            target=case.target if kind.revise else None,
            candidate=_candidate(case) if kind.needs_candidate else None,
            issue=case.issue,
            ends_talk_run=world.talk_run.id if world.talk_run is not None else None,
        )
    )


def candidate_of(links: Iterable[Link], policy: Policy) -> Link | None:
    """Return the newest (first) open, not superseded link whose stage may change every path; it has a head SHA."""
    for link in links:
        stage = policy.stages.get(link.stage)
        builds = link.scope_any if link.scope_any is not None else stage is not None and stage.scope == "any"
        if link.is_open and builds and link.head_sha:
            return link
    return None


def _candidate(case: Case) -> Link | None:
    return candidate_of(case.world.links, case.policy)
