"""A push: which one deploys, and why the others do not (``workflow.md`` section 15).

Row 4 asks whether the project switched deploys off, row 4b whether there is a cluster at all. A ``services.yaml`` that
nobody can read (no stack engine, no file) switches nothing off by itself: without a cluster the answer is
``push_no_cluster``, and only with one does the missing production environment make it ``push_deploy_disabled``.
"""

from stagewright.contexts.workflow.model.decisions import (
    Build,
    Decision,
    DeclaredDeploy,
    Ignore,
    PushEvent,
    PushWorld,
    Start,
    StartRequest,
    World,
)
from stagewright.contexts.workflow.model.policy import KindClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason
from stagewright.contexts.workflow.rules.profiles import profile_at_trigger

BRANCH = "refs/heads/"
LANE = "deploy"
NOTHING_DECLARED = DeclaredDeploy(production=False)


def decide_push(fact: PushEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from a push to a bound repository. The guard is skipped: branch protection permits it."""
    push = world.push
    if fact.deleted or not fact.after.strip("0"):
        return Ignore(IgnoreReason.PUSH_DELETED_REF)
    if push is None or fact.ref != BRANCH + push.default_branch:
        return Ignore(IgnoreReason.PUSH_NOT_DEFAULT_BRANCH)
    if reason := _held_back(push, policy):
        return Ignore(reason)
    if push.declared is not None and push.declared.bumps and not world.own_effect:
        return Ignore(IgnoreReason.PUSH_MAIN_VERSIONS_AUTOBUMPED)
    return Ignore(IgnoreReason.PUSH_SUPERSEDED) if push.superseded else _deploy(fact, push, policy)


def _held_back(push: PushWorld, policy: Policy) -> IgnoreReason | None:
    """Rows 4 and 4b."""
    if push.declared is not None and _is_off(push.declared, policy):
        return IgnoreReason.PUSH_DEPLOY_DISABLED
    if not push.cluster:
        return IgnoreReason.PUSH_NO_CLUSTER
    return IgnoreReason.PUSH_DEPLOY_DISABLED if _is_off(push.declared or NOTHING_DECLARED, policy) else None


def _is_off(declared: DeclaredDeploy, policy: Policy) -> bool:
    kind = next(row for row in policy.kinds.values() if row.kind_class is KindClass.DEPLOY)
    return not (declared.production and declared.on_push and kind.enabled)


def _deploy(fact: PushEvent, push: PushWorld, policy: Policy) -> Start:
    """Rows 7 and 8: a queued deploy of the ref takes this SHA, an active one is followed by this."""
    run = push.deploy_run
    kind = next(row for row in policy.kinds.values() if row.kind_class is KindClass.DEPLOY)
    return Start(
        StartRequest(
            kind=kind.key,
            kind_class=kind.kind_class,
            stage=None,
            role=kind.role,
            label_key="",
            revise=False,
            scope=kind.scope,
            mode=kind.mode,
            limit_minutes=kind.limit_minutes,
            profile=profile_at_trigger(None, None, policy),
            lane=LANE,
            build=Build(
                ref=fact.ref,
                sha=fact.after,
                replaces=run.id if run is not None and run.queued else None,
                follows=run.id if run is not None and not run.queued else None,
            ),
        )
    )
