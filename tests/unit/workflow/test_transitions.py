"""WF8 (the table): each row of 11.4 by keys, and what is still needed on live labels."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import LabelChange, LabelMoves, Moment, label_transitions, needed_change

REVIEW, APPROVED = "state:in-review", "state:approved"
NOTHING = LabelChange()
ACCEPT = LabelChange(add=(APPROVED,), remove=(REVIEW,))
TO_REVIEW = LabelChange(add=(REVIEW,), remove=(APPROVED,))
DONE = LabelChange(add=(REVIEW,), remove=("run:dev", APPROVED))
OFF = LabelMoves(issue=LabelChange(remove=("run:dev",)))

ROWS = [
    (Moment.RUN_STARTED, LabelMoves()),
    (Moment.SUCCEEDED_WITH_PULL_REQUEST, LabelMoves(DONE, TO_REVIEW)),
    (Moment.SUCCEEDED_WITHOUT_PULL_REQUEST, OFF),
    (Moment.FAILED, OFF),
    (Moment.CANCELLED, OFF),
    (Moment.NEEDS_INPUT, LabelMoves(issue=LabelChange(add=("need:input",)))),
    (Moment.BLOCKED, LabelMoves(issue=LabelChange(add=("state:blocked",)))),
    (Moment.APPROVED, LabelMoves(ACCEPT, ACCEPT)),
    (Moment.MERGED, LabelMoves(ACCEPT, ACCEPT)),
    (Moment.REVIEW_DISMISSED, LabelMoves(TO_REVIEW, TO_REVIEW)),
    (Moment.PULL_REQUEST_CLOSED, LabelMoves(issue=LabelChange(remove=(REVIEW,)))),
    (
        Moment.RETHINK_SUCCEEDED,
        LabelMoves(DONE, TO_REVIEW, LabelChange(add=("state:superseded",), remove=(REVIEW,))),
    ),
    (Moment.REVIEWER_ENDED, LabelMoves(pull_request=LabelChange(remove=("need:reviewer",)))),
]


@pytest.mark.parametrize(("moment", "moves"), ROWS)
def test_each_row_of_the_label_transitions(moment: Moment, moves: LabelMoves) -> None:
    assert label_transitions(moment, trigger="run:dev") == moves


def test_every_moment_has_its_row() -> None:
    assert {moment for moment, _ in ROWS} == set(Moment)


def test_only_the_platforms_own_question_goes_when_a_run_starts() -> None:
    ours = LabelChange(remove=("need:input",))
    assert label_transitions(Moment.RUN_STARTED, platform_needs_input=(True, False)) == LabelMoves(issue=ours)
    assert label_transitions(Moment.RUN_STARTED, platform_needs_input=(False, True)) == LabelMoves(pull_request=ours)


def test_a_run_without_a_trigger_label_takes_none_off() -> None:
    assert not label_transitions(Moment.FAILED).issue
    assert label_transitions(Moment.FAILED, trigger="run:qa").issue


def test_what_is_so_already_needs_no_effect() -> None:
    policy = a_policy('labels: {names: {"state:in-review": "in review"}}')
    change = LabelChange(add=(REVIEW, "need:input"), remove=("run:dev", APPROVED))
    live = ("In Review", "[RUN:dev]", "bug")

    assert needed_change(change, live, policy) == LabelChange(add=("need:input",), remove=("run:dev",))
    assert not needed_change(LabelChange(add=(REVIEW,)), live, policy)
