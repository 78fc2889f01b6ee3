"""WF8 (the table): each row of 11.4 by keys, and what is still needed on live labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import LabelChange, LabelMoves, Moment, label_transitions, needed_change

POLICY = a_policy()
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


labels_now = st.sets(st.sampled_from(sorted({*POLICY.catalogue, "bug", "help wanted"})))


@given(st.sampled_from(ROWS), labels_now, labels_now)
def test_each_moment_leaves_the_labels_of_the_table_whatever_a_person_did_meanwhile(
    row: tuple[Moment, LabelMoves], at_decision: set[str], at_sending: set[str]
) -> None:
    _, moves = row
    for change in (moves.issue, moves.pull_request, moves.other_links):
        assert set(change.add).isdisjoint(change.remove)
        sent = needed_change(change, at_decision, POLICY)
        after_both = (at_sending | set(sent.add)) - set(sent.remove)
        untouched = {key for key in at_sending if key not in (*change.add, *change.remove)}
        assert untouched <= after_both, "labels that the row does not name stay as the person has them"
        assert after_both - at_sending <= set(change.add)
        if at_sending == at_decision:
            assert after_both == (at_decision | set(change.add)) - set(change.remove)
            assert not needed_change(change, after_both, POLICY)
