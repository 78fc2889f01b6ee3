"""WF1: the rows of 7.6, need:reviewer on a pull request."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.workflow.words import (
    NOW,
    a_label,
    a_link,
    a_policy,
    a_review_world,
    a_sender,
    a_thread,
    a_work_run,
    a_world,
)

from stagewright.contexts.workflow.api import (
    NOBODY,
    ActiveRun,
    Ignore,
    KindClass,
    LabelEvent,
    Refuse,
    Start,
    StartRequest,
    World,
    decide,
)

NEED = "need:reviewer"
REVIEW = ActiveRun("v1", 9, "reviewer", NEED)
UNLINKED: dict[str, Any] = {"link": None, "links": ()}


def asked(**changes: Any) -> LabelEvent:
    """need:reviewer put on pull request 40 of issue 12 by a permitted person."""
    return a_label(**{"label": NEED, "event": "pull_request", "is_pull_request": True, "thread": 40, **changes})


def surrounded(*labels: str, **changes: Any) -> World:
    return a_review_world(NEED, *labels, **changes)


def started(world: World, policy_text: str | None = None) -> StartRequest:
    decision = decide(asked(), world, a_policy(policy_text))
    assert isinstance(decision, Start), decision
    return decision.request


def test_a_reviewer_reviews_the_pull_request_of_the_label_at_its_head() -> None:
    request = started(surrounded("bug", head_sha="beef", active_work_run=a_work_run()))

    assert (request.kind, request.kind_class, request.role) == ("reviewer", KindClass.REVIEW, "reviewer")
    assert (request.lane, request.label_key, request.scope) == ("review", NEED, "none")
    assert (request.mode.value, request.limit_minutes) == ("code-only", 45)
    assert request.target == a_link("dev", head_sha="beef", labels=(NEED, "bug"))
    assert request.issue == 12


def test_a_reviewer_leaves_the_talk_about_the_issue_alone() -> None:
    talk = ActiveRun("t1", 8, "discussion", "mode:discussion")
    assert started(surrounded(talk_run=talk)).ends_talk_run is None


@pytest.mark.parametrize(
    ("pull", "issue"),
    [
        ({"issues": (12,), "closes": (13,)}, 12),
        ({"link": None, "issues": (12,), "closes": (12,)}, 12),
        ({"link": None, "issues": (12, 13), "closes": (13,)}, 13),
        ({"link": None, "issues": (12, 13), "closes": (12, 13)}, None),
        ({"link": None, "issues": (12,), "closes": ()}, None),
        ({"issues": ()}, None),
    ],
    ids=["link first", "closing reference", "not by a run", "two references", "a run alone", "link without issue"],
)
def test_the_issue_is_the_links_or_the_only_one_that_is_closed(pull: dict[str, Any], issue: int | None) -> None:
    assert started(surrounded(**pull)).issue == issue


def test_a_pull_request_of_nobodys_run_is_reviewed_too() -> None:
    request = started(surrounded(branch="topic", head_sha="beef", issues=(), issue=None, managed=False, **UNLINKED))

    assert request.target is not None
    assert (request.target.pr_number, request.target.head_sha, request.target.branch) == (40, "beef", "topic")


CASES: list[tuple[str, LabelEvent, World, str | None, str]] = [
    ("1", asked(), surrounded(bound=False), None, "repository_not_bound_for_issue_label"),
    ("2", asked(), surrounded(own_effect=True), None, "own_label_change"),
    ("3", asked(), surrounded(handled_at=NOW), None, "trigger_already_handled"),
    ("4", asked(occurred_at=NOW - timedelta(days=2)), surrounded(), None, "trigger_too_old"),
    ("5", asked(), a_review_world("bug"), None, "trigger_label_removed"),
    ("5", asked(), surrounded(thread=None), None, "trigger_label_removed"),
    ("6", asked(sender=a_sender(type="Bot")), surrounded(), None, "sender_type_bot_not_permitted"),
    ("6", asked(), surrounded(standing=NOBODY), None, "sender_not_allowed"),
    ("target", asked(), surrounded(open=False), None, "reviewer_target_not_found"),
    ("target", asked(), surrounded(reviewed=None), None, "reviewer_target_not_found"),
    ("target", asked(), surrounded(in_this_repository=False), None, "pull_request_from_fork"),
    ("active", asked(), surrounded("state:blocked", review_run=REVIEW), None, "run_already_active_same_label"),
    ("gate", asked(), surrounded("state:blocked"), None, "issue_blocked"),
    ("gate", asked(), surrounded("state:abandoned"), None, "issue_abandoned"),
    ("gate", asked(), surrounded("state:superseded"), None, "issue_superseded"),
    ("agent", asked(), surrounded(engines_available=frozenset()), None, "agent_not_configured"),
    ("8", asked(), surrounded(), "special: {reviewer: {enabled: false}}", "stage_disabled"),
]
"""Row, label, world, the project's policy, reason."""


@pytest.mark.parametrize(("row", "fact", "world", "text", "reason"), CASES)
def test_a_reviewer_that_does_not_start_says_why(
    row: str, fact: LabelEvent, world: World, text: str | None, reason: str
) -> None:
    decision = decide(fact, world, a_policy(text))
    assert isinstance(decision, Ignore | Refuse), f"row {row}"
    assert str(decision.reason) == reason


@pytest.mark.parametrize("label", ["state:in-review", "need:input", "need:sa", "run:dev", "state:approved"])
def test_the_gates_of_a_review_are_the_three_of_its_class(label: str) -> None:
    assert started(surrounded(label)).kind == "reviewer"


def test_the_gates_look_at_the_pull_request_and_not_at_the_issue() -> None:
    assert started(surrounded(issue=a_thread("state:blocked", is_open=False))).kind == "reviewer"


def test_a_model_label_of_the_pull_request_comes_before_the_issues() -> None:
    issue = a_thread("[ai-model-gpt-5.4]")
    text = "models: {other: {engine: claude, id: other, label: '[ai-model-other]'}}"
    only = {"engines_available": frozenset({"claude"})}

    assert started(surrounded("[ai-model-other]", issue=issue, **only), text).kind == "reviewer"
    refused = decide(asked(), surrounded(issue=issue, **only), a_policy(text))
    assert isinstance(refused, Refuse)
    assert refused.remedy.params["model"] == "gpt-5.4"


def test_need_reviewer_on_an_issue_asks_for_nothing() -> None:
    decision = decide(a_label(NEED), a_world(NEED), a_policy())
    assert isinstance(decision, Ignore)
    assert decision.reason == "issue_event_not_trigger_label"
