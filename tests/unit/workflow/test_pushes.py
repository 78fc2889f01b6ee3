"""WF1: the rows of section 15, in order: the first that holds decides."""

from typing import Any

import pytest
from tests.unit.workflow.words import a_policy, a_push, a_push_world, a_world

from stagewright.contexts.workflow.api import (
    Build,
    DeclaredDeploy,
    DeployRun,
    Ignore,
    KindClass,
    PushEvent,
    Start,
    StartRequest,
    World,
    decide,
)

POLICY = a_policy()
BUMPS = DeclaredDeploy(production=True, bumps=("web",))
OFF = DeclaredDeploy(production=True, on_push=False)
NO_PRODUCTION = DeclaredDeploy(production=False)

IGNORED: list[tuple[str, PushEvent, World, str]] = [
    ("1", a_push(), a_world(bound=False), "repository_not_bound_for_push_main"),
    ("2", a_push(deleted=True), a_push_world(), "push_deleted_ref"),
    ("2", a_push(after="0" * 40), a_push_world(), "push_deleted_ref"),
    ("2", a_push("refs/heads/topic", after=""), a_push_world(), "push_deleted_ref"),
    ("3", a_push("refs/heads/topic"), a_push_world(), "push_not_default_branch"),
    ("3", a_push("refs/tags/main"), a_push_world(), "push_not_default_branch"),
    ("3", a_push("main"), a_push_world(), "push_not_default_branch"),
    ("3", a_push(), a_push_world(default_branch="trunk"), "push_not_default_branch"),
    ("3", a_push(), a_world(), "push_not_default_branch"),
    ("4", a_push(), a_push_world(declared=NO_PRODUCTION), "push_deploy_disabled"),
    ("4", a_push(), a_push_world(declared=OFF), "push_deploy_disabled"),
    ("4", a_push(), a_push_world(declared=OFF, cluster=False), "push_deploy_disabled"),
    ("4b", a_push(), a_push_world(cluster=False), "push_no_cluster"),
    ("4b", a_push(), a_push_world(declared=None, cluster=False), "push_no_cluster"),
    ("4", a_push(), a_push_world(declared=None), "push_deploy_disabled"),
    ("5", a_push(), a_push_world(declared=BUMPS), "push_main_versions_autobumped"),
    ("5", a_push(), a_push_world(declared=BUMPS, superseded=True), "push_main_versions_autobumped"),
    ("6", a_push(), a_push_world(superseded=True), "push_superseded"),
    ("6", a_push(), a_push_world(superseded=True, deploy_run=DeployRun("d1", queued=True)), "push_superseded"),
]
"""Row, push, world, reason."""


@pytest.mark.parametrize(("row", "fact", "world", "reason"), IGNORED)
def test_a_push_that_deploys_nothing_says_why(row: str, fact: PushEvent, world: World, reason: str) -> None:
    decision = decide(fact, world, POLICY)
    assert isinstance(decision, Ignore), f"row {row}"
    assert decision.reason == reason


def started(fact: PushEvent | None = None, **changes: Any) -> StartRequest:
    decision = decide(fact or a_push(), a_push_world(**changes), POLICY)
    assert isinstance(decision, Start), decision
    return decision.request


def test_row_8_a_push_to_the_default_branch_deploys_its_commit() -> None:
    request = started()

    assert (request.kind, request.kind_class, request.lane) == ("deploy", KindClass.DEPLOY, "deploy")
    assert (request.issue, request.stage, request.mode.value) == (None, None, "full-env")
    assert request.build == Build(ref="refs/heads/main", sha="c0ffee")


def test_row_7_a_queued_deploy_takes_the_new_commit_and_an_active_one_is_followed_by_it() -> None:
    queued = started(deploy_run=DeployRun("d1", queued=True)).build
    active = started(deploy_run=DeployRun("d1", queued=False)).build

    assert queued == Build(ref="refs/heads/main", sha="c0ffee", replaces="d1")
    assert active == Build(ref="refs/heads/main", sha="c0ffee", follows="d1")


def test_the_platforms_own_bump_deploys() -> None:
    request = started(declared=BUMPS, world={"own_effect": True})

    assert request.build is not None
    assert request.build.sha == "c0ffee"


def test_a_policy_without_deploys_deploys_nothing() -> None:
    decision = decide(a_push(), a_push_world(), a_policy("special: {deploy: {enabled: false}}"))

    assert isinstance(decision, Ignore)
    assert decision.reason == "push_deploy_disabled"
