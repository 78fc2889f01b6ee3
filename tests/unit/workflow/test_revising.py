"""WF1: one case per row of section 10, and the rows of the event matrix about reviews."""

import pytest
from tests.unit.workflow.words import (
    a_link,
    a_policy,
    a_review,
    a_review_world,
    a_thread,
    a_work_run,
)

from stagewright.contexts.workflow.api import (
    NOBODY,
    Ignore,
    KindClass,
    Refuse,
    Resolution,
    ReviewEvent,
    Start,
    StartRequest,
    World,
    decide,
    resolve_review_stage,
)

POLICY = a_policy()
UNLINKED = {"link": None}


def started(world: World, policy_text: str | None = None) -> StartRequest:
    decision = decide(a_review(), world, a_policy(policy_text))
    assert isinstance(decision, Start), decision
    return decision.request


def refused(world: World, policy_text: str | None = None) -> Refuse:
    decision = decide(a_review(), world, a_policy(policy_text))
    assert isinstance(decision, Refuse), decision
    return decision


def ignored(fact: ReviewEvent, world: World) -> str:
    decision = decide(fact, world, POLICY)
    assert isinstance(decision, Ignore), decision
    return decision.reason.value


RESOLVED = [
    (a_review_world("run:qa"), Resolution("pr_labels", "qa")),
    (a_review_world("run:qa", "run:qa:revise"), Resolution("pr_labels", "qa")),
    (a_review_world("run:plan:revise", link=a_link("dev")), Resolution("pr_labels", "plan")),
    (a_review_world("run:qa", "run:dev"), Resolution("pr_labels", ambiguous=("dev", "qa"))),
    (a_review_world("bug"), Resolution("pull_request_link", "dev")),
    (a_review_world(issue=a_thread("run:qa")), Resolution("pull_request_link", "dev")),
    (a_review_world(issues=(12, 13), **UNLINKED), Resolution("run_context", ambiguous=("issue#12", "issue#13"))),
    (a_review_world(issues=(), issue=None, **UNLINKED), Resolution("stage_not_resolved")),
    (a_review_world(issue=a_thread("run:prd:revise"), **UNLINKED), Resolution("issue_labels", "prd")),
    (
        a_review_world(issue=a_thread("run:qa", "run:prd"), **UNLINKED),
        Resolution("issue_labels", ambiguous=("prd", "qa")),
    ),
    (a_review_world(last_stage="arch", **UNLINKED), Resolution("issue_history", "arch")),
    (a_review_world(**UNLINKED), Resolution("stage_not_resolved")),
]


@pytest.mark.parametrize(("world", "resolution"), RESOLVED)
def test_the_first_source_that_says_anything_decides(world: World, resolution: Resolution) -> None:
    assert resolve_review_stage(world, POLICY) == resolution


def test_changes_requested_start_the_revise_of_the_same_pull_request() -> None:
    request = started(a_review_world())

    assert (request.kind, request.kind_class, request.label_key) == ("dev_revise", KindClass.REVISE, "run:dev:revise")
    assert (request.target, request.issue, request.revise) == (a_link("dev"), 12, True)


def test_a_pull_request_without_link_is_adopted_by_its_first_revise() -> None:
    request = started(a_review_world(branch="feature/x", head_sha="beef", last_stage="qa", **UNLINKED))

    assert request.target == a_link("qa", branch="feature/x", head_sha="beef")


def test_a_revise_of_a_pull_request_without_issue_runs_without_one() -> None:
    request = started(a_review_world("run:dev", issues=(), issue=None, managed=False, **UNLINKED))

    assert (request.kind, request.issue) == ("dev_revise", None)


IGNORED = [
    (a_review("commented"), a_review_world(), "review_state_not_used"),
    (a_review(action="edited"), a_review_world(), "review_state_not_used"),
    (a_review(), a_review_world(standing=NOBODY), "review_sender_not_permitted"),
    (a_review("approved"), a_review_world(standing=NOBODY), "review_sender_not_permitted"),
    (a_review("approved"), a_review_world(), "review_recorded"),
    (a_review("approved"), a_review_world(**UNLINKED), "pull_request_not_managed"),
    (a_review("dismissed", action="dismissed"), a_review_world(standing=NOBODY), "review_recorded"),
    (a_review("dismissed", action="dismissed"), a_review_world(**UNLINKED), "pull_request_not_managed"),
    (a_review(), a_review_world("bug", managed=False, **UNLINKED), "pull_request_not_managed"),
    (a_review(), a_review_world(active_work_run=a_work_run()), "deferred_active_run"),
    (a_review(), a_review_world(enabled=False), "repository_disabled"),
]
"""Reviews that start nothing."""


@pytest.mark.parametrize(("fact", "world", "reason"), IGNORED)
def test_reviews_that_start_nothing(fact: ReviewEvent, world: World, reason: str) -> None:
    assert ignored(fact, world) == reason


def test_an_ambiguous_review_asks_and_guesses_nothing() -> None:
    by_labels = refused(a_review_world("run:qa", "run:dev"))
    by_issues = refused(a_review_world(issues=(12, 13), **UNLINKED))

    assert by_labels.reason == by_issues.reason == "pull_request_review_stage_ambiguous"
    assert by_labels.conflicting == ("run:dev", "run:qa")
    assert by_labels.suggested == ("run:dev:revise", "run:qa:revise")
    assert by_issues.conflicting == ("issue#12", "issue#13")
    assert (by_labels.remove_label, by_labels.add_need_input) == (False, True)


def test_an_unresolved_review_suggests_every_revise_label() -> None:
    unresolved = refused(a_review_world(**UNLINKED))

    assert unresolved.reason == "pull_request_review_stage_not_resolved"
    assert len(unresolved.suggested) == 13
    assert (unresolved.remove_label, unresolved.add_need_input) == (False, True)


def test_a_stage_without_a_revise_form_is_not_resolved() -> None:
    text = "stages: {plan: {revise: false}}"

    assert refused(a_review_world("run:plan"), text).reason == "pull_request_review_stage_not_resolved"


REFUSED: list[tuple[World, str | None, str]] = [
    (a_review_world("run:qa", "run:dev"), None, "pull_request_review_stage_ambiguous"),
    (a_review_world(**UNLINKED), None, "pull_request_review_stage_not_resolved"),
    (a_review_world(open=False), None, "revise_target_not_found"),
    (a_review_world(in_this_repository=False), None, "pull_request_from_fork"),
    (a_review_world(), "stages: {dev: {enabled: false}}", "stage_disabled"),
    (a_review_world(issue=a_thread(is_open=False)), None, "issue_closed"),
    (a_review_world(issue=a_thread("state:blocked")), None, "issue_blocked"),
    (a_review_world("run:qa", links=()), None, "issue_trigger_candidate_not_found"),
    (a_review_world(), "stages: {dev: {environment_required: true}}", "environment_not_declared"),
    (a_review_world(engines_available=frozenset()), None, "agent_not_configured"),
]


@pytest.mark.parametrize(("world", "policy_text", "reason"), REFUSED)
def test_a_resolved_review_meets_the_checks_of_its_label(world: World, policy_text: str | None, reason: str) -> None:
    refusal = refused(world, policy_text)

    assert (refusal.reason, refusal.remove_label) == (reason, False)
