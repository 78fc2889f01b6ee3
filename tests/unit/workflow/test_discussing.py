"""WF1: one case per row of 7.5, of the comments in 7.3, of the labels that end a discussion, and of questions."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.workflow.words import (
    NOW,
    a_comment,
    a_label,
    a_policy,
    a_question,
    a_sender,
    a_talk_run,
    a_thread,
    a_work_run,
    a_world,
)

from stagewright.contexts.workflow.api import (
    NOBODY,
    Answer,
    Cleanup,
    Fact,
    Ignore,
    KindClass,
    Mode,
    Refuse,
    Start,
    StartRequest,
    World,
    decide,
)

MODE, ASKED = "mode:discussion", "need:input"
COMMENTED = a_comment()
LABELLED = a_label(MODE)
PUT_DOWN = a_label(ASKED, action="unlabeled")
CLOSED = a_world(thread=a_thread(MODE, is_open=False))
BARE = {"engines_available": frozenset[str]()}

IGNORED: list[tuple[Fact, World, str]] = [
    (a_comment("edited"), a_world(MODE), "comment_event_not_used"),
    (a_comment("deleted"), a_world(MODE), "comment_event_not_used"),
    (a_comment(is_pull_request=True), a_world(MODE), "comment_on_pull_request"),
    (COMMENTED, a_world(MODE, own_effect=True), "own_comment"),
    (COMMENTED, a_world("bug"), "discussion_not_enabled"),
    (COMMENTED, CLOSED, "discussion_not_enabled"),
    (COMMENTED, a_world(thread=None), "discussion_not_enabled"),
    (COMMENTED, a_world(MODE, standing=NOBODY), "comment_sender_not_permitted"),
    (a_comment(sender=a_sender(type="Bot")), a_world(MODE), "comment_sender_not_permitted"),
    (COMMENTED, a_world(MODE, handled_at=NOW - timedelta(days=2)), "trigger_already_handled"),
    (COMMENTED, a_world(MODE, bound=False), "repository_not_bound"),
    (LABELLED, a_world(MODE, own_effect=True), "own_label_change"),
    (LABELLED, a_world(MODE, handled_at=NOW), "trigger_already_handled"),
    (LABELLED, a_world(MODE, bound_at=NOW), "trigger_too_old"),
    (LABELLED, a_world("bug"), "trigger_label_removed"),
    (LABELLED, a_world(MODE, talk_run=a_talk_run()), "run_already_active_same_label"),
    (a_label(MODE, action="unlabeled"), a_world(), "issue_event_not_trigger_label"),
    (
        a_label(MODE, action="unlabeled"),
        a_world(talk_run=a_talk_run(), standing=NOBODY),
        "cleanup_sender_not_permitted",
    ),
    (PUT_DOWN, a_world(), "issue_event_not_trigger_label"),
    (PUT_DOWN, a_world(ASKED, question=a_question()), "issue_event_not_trigger_label"),
    (PUT_DOWN, a_world(question=a_question(asked_at=NOW)), "issue_event_not_trigger_label"),
    (PUT_DOWN, a_world(question=a_question(), handled_at=PUT_DOWN.occurred_at), "trigger_already_handled"),
    (PUT_DOWN, a_world(own_effect=True, question=a_question()), "own_label_change"),
]
CONFLICT = "discussion_mode_trigger_label_conflict"
REFUSED: list[tuple[Fact, World, str | None, str]] = [
    (LABELLED, a_world(MODE, bound=False, bound_at=None), None, "repository_not_bound_for_issue_label"),
    (LABELLED, a_world(MODE, standing=NOBODY), None, "sender_not_allowed"),
    (LABELLED, a_world(MODE, "run:dev"), None, CONFLICT),
    (LABELLED, a_world(MODE, active_work_run=a_work_run(), talk_run=a_talk_run()), None, CONFLICT),
    (COMMENTED, a_world(MODE, active_work_run=a_work_run()), None, CONFLICT),
    (COMMENTED, a_world(MODE, "run:dev", talk_run=a_talk_run()), None, CONFLICT),
    (LABELLED, CLOSED, None, "issue_closed"),
    (LABELLED, a_world(MODE, "state:abandoned"), None, "issue_abandoned"),
    (COMMENTED, a_world(MODE, "state:abandoned"), None, "issue_abandoned"),
    (LABELLED, a_world(MODE, **BARE), None, "agent_not_configured"),
    (COMMENTED, a_world(MODE, **BARE), None, "agent_not_configured"),
    (LABELLED, a_world(MODE), "special: {discussion: {enabled: false}}", "stage_disabled"),
    (PUT_DOWN, a_world(question=a_question(), standing=NOBODY), None, "sender_not_allowed"),
]


@pytest.mark.parametrize(("fact", "world", "reason"), IGNORED)
def test_each_row_that_ignores(fact: Fact, world: World, reason: str) -> None:
    decision = decide(fact, world, a_policy())
    assert isinstance(decision, Ignore), decision
    assert decision.reason.value == reason


@pytest.mark.parametrize(("fact", "world", "text", "reason"), REFUSED)
def test_each_row_that_refuses(fact: Fact, world: World, text: str | None, reason: str) -> None:
    decision = decide(fact, world, a_policy(text))
    assert isinstance(decision, Refuse), decision
    assert decision.reason == reason


def started(fact: Fact, world: World, text: str | None = None) -> StartRequest:
    decision = decide(fact, world, a_policy(text))
    assert isinstance(decision, Start), decision
    return decision.request


@pytest.mark.parametrize("fact", [LABELLED, COMMENTED])
def test_the_label_or_a_comment_starts_the_talk_run_of_the_issue(fact: Fact) -> None:
    request = started(fact, a_world(MODE, "bug"))

    assert (request.kind, request.kind_class, request.stage, request.lane) == (
        "discussion",
        KindClass.DISCUSSION,
        None,
        "talk",
    )
    assert (request.label_key, request.scope, request.mode, request.limit_minutes) == (MODE, "none", Mode.CODE_ONLY, 15)
    assert (request.issue, request.role, request.skipped, request.ends_talk_run) == (12, "dev", (), None)


def test_a_comment_joins_the_talk_run_that_goes_on() -> None:
    assert started(COMMENTED, a_world(MODE, talk_run=a_talk_run())).lane == "talk"


@pytest.mark.parametrize("label", ["state:blocked", "state:superseded", "state:in-review", ASKED, "need:qa"])
def test_no_gate_but_an_abandoned_issue_holds_a_discussion_back(label: str) -> None:
    assert started(LABELLED, a_world(MODE, label))
    assert started(COMMENTED, a_world(MODE, label))


@pytest.mark.parametrize(
    ("labels", "last_stage", "text", "role"),
    [
        ((), None, None, "dev"),
        ((), "prd", None, "pm"),
        (("need:qa",), "prd", None, "qa"),
        (("need:qa", "need:sa"), "prd", None, "pm"),
        (("need:input",), "prd", None, "pm"),
        ((), "gone-stage", "special: {discussion: {default_role: em}}", "em"),
    ],
)
def test_the_role_is_the_one_needed_else_of_the_last_stage_else_the_default(
    labels: tuple[str, ...], last_stage: str | None, text: str | None, role: str
) -> None:
    assert started(LABELLED, a_world(MODE, *labels, last_stage=last_stage), text).role == role


def test_a_conflict_names_what_holds_the_discussion_back() -> None:
    at_work = decide(COMMENTED, a_world(MODE, active_work_run=a_work_run()), a_policy())
    labelled = decide(LABELLED, a_world(MODE, "run:qa", "run:dev"), a_policy())

    assert isinstance(at_work, Refuse)
    assert isinstance(labelled, Refuse)
    assert at_work.remedy.params["run"] == f"run-{a_work_run().number:04d}"
    assert (labelled.remedy.params["run"], labelled.conflicting) == ("-", ("run:dev", "run:qa"))


def test_the_label_taken_off_ends_the_talk_run_and_no_other() -> None:
    world = a_world(talk_run=a_talk_run(), active_work_run=a_work_run())
    ended = decide(a_label(MODE, action="unlabeled"), world, a_policy())

    assert ended == Cleanup("label_removed", end_talk="discussion_label_removed")


def test_need_input_taken_off_answers_the_question_of_the_report() -> None:
    question = a_question()
    assert decide(PUT_DOWN, a_world(question=question), a_policy()) == Answer(question)

    same_second = replace(question, asked_at=PUT_DOWN.occurred_at + timedelta(milliseconds=900))
    assert decide(PUT_DOWN, a_world(question=same_second), a_policy()) == Answer(same_second)


def test_a_stranger_answers_nothing_and_is_told_so() -> None:
    refused = decide(PUT_DOWN, a_world(question=a_question(), standing=NOBODY), a_policy())

    assert isinstance(refused, Refuse)
    assert (refused.comment, refused.remove_label, refused.add_need_input) == (True, False, False)
