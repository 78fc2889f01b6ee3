"""WF3 and WF4: renaming labels changes no decision; nothing a bot, an agent or the platform writes starts anything."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.workflow.situations import (
    POLICY,
    RENAMED,
    askings,
    comparable,
    endings,
    labellings,
    renamed,
    reviews,
    situations,
)
from tests.unit.workflow.words import a_label, a_sender, a_standing, a_world

from stagewright.contexts.workflow.api import (
    Answer,
    Cleanup,
    EndEvent,
    Fact,
    Ignore,
    IgnoreReason,
    LabelEvent,
    Refuse,
    RefuseReason,
    ReviewEvent,
    Sender,
    Standing,
    Start,
    ThreadFact,
    World,
    decide,
    guard_sender,
    reason_family,
)

Situation = tuple[ThreadFact, World]

machines = st.sampled_from(["Bot", "bot", "Organization", "Mannequin", None, ""]).map(
    lambda word: Sender(type=word, login="some[bot]", user_id=7)
)
standings = st.builds(
    a_standing,
    platform_user=st.booleans(),
    member=st.booleans(),
    may_start=st.booleans(),
    forge_permission=st.sampled_from([None, "read", "triage"]),
)
thorough = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@thorough
@given(st.one_of(labellings(), situations()))
def test_renaming_all_labels_changes_no_decision(situation: Situation) -> None:
    before = decide(*situation, POLICY)
    after = decide(*renamed(*situation), RENAMED)

    assert comparable(before, rename=True) == comparable(after)


@thorough
@given(situations(), machines)
def test_nothing_but_a_person_starts_a_run(situation: Situation, machine: Sender) -> None:
    fact, world = situation
    decision = decide(replace(fact, sender=machine), replace(world, bound=True), POLICY)

    if isinstance(decision, Cleanup):
        assert isinstance(fact, EndEvent)
        assert any(link.state == "merged" for link in world.links), "only the merge of ours ends anything"
    else:
        assert isinstance(decision, Ignore | Refuse)
    if isinstance(decision, Refuse):
        assert isinstance(fact, LabelEvent)
        assert decision.reason.startswith("sender_type_")
        assert decision.add_need_input is False


@thorough
@given(labellings())
def test_a_label_that_the_platform_or_an_agent_wrote_is_nothing_new(situation: tuple[LabelEvent, World]) -> None:
    fact, world = situation

    assert decide(fact, replace(world, bound=True, own_effect=True), POLICY) == Ignore(IgnoreReason.OWN_LABEL_CHANGE)


@thorough
@given(askings())
def test_a_reviewer_starts_in_a_lane_of_its_own_and_ends_no_talk(situation: tuple[LabelEvent, World]) -> None:
    fact, world = situation
    decision = decide(fact, world, POLICY)

    if isinstance(decision, Start):
        request = decision.request
        assert (request.kind, request.lane, request.scope) == ("reviewer", "review", "none")
        assert request.target is not None
        assert request.target.pr_number == fact.thread
        assert world.review_run is None
        assert request.ends_talk_run is None


@thorough
@given(reviews())
def test_only_a_request_for_changes_can_start_a_revise(situation: tuple[ReviewEvent, World]) -> None:
    fact, world = situation
    decision = decide(fact, world, POLICY)

    if isinstance(decision, Start | Refuse):
        assert (fact.action, fact.state) == ("submitted", "changes_requested")
    if isinstance(decision, Start):
        assert decision.request.revise
        assert decision.request.target is not None


@thorough
@given(situations(), standings)
def test_a_failed_guard_leaves_one_comment_and_the_label_taken_off(situation: Situation, standing: Standing) -> None:
    fact, world = situation
    world = replace(world, standing=standing, bound=True)
    reason = guard_sender(fact.sender, world.standing)
    decision = decide(fact, world, POLICY)

    if reason is None:
        return
    assert not isinstance(decision, Start | Answer)
    if isinstance(decision, Refuse):
        assert isinstance(fact, LabelEvent), "a refused reviewer hears nothing"
        assert decision.reason == reason
        assert (decision.comment, decision.add_need_input) == (True, False)
        assert decision.remove_label is (fact.action == "labeled")
        assert decision.conflicting == decision.suggested == ()


@thorough
@given(endings(), standings)
def test_a_stranger_ends_nothing_but_what_a_merge_ends(situation: tuple[EndEvent, World], standing: Standing) -> None:
    fact, world = situation
    world = replace(world, standing=standing, bound=True)
    decision = decide(fact, world, POLICY)

    if guard_sender(fact.sender, world.standing) is not None and not world.links:
        assert decision == Ignore(IgnoreReason.CLEANUP_SENDER_NOT_PERMITTED)
    assert isinstance(decision, Ignore | Cleanup)


@thorough
@given(situations())
def test_every_reason_given_is_in_the_catalogue_of_reasons(situation: Situation) -> None:
    decision = decide(*situation, POLICY)
    if isinstance(decision, Refuse):
        known = {reason.value for reason in RefuseReason}
        assert reason_family(decision.reason) in known
    elif isinstance(decision, Ignore):
        assert decision.reason in IgnoreReason


@given(st.text(max_size=60), st.sampled_from(["labeled", "unlabeled"]), st.booleans())
def test_no_text_of_a_label_breaks_the_decision(text: str, action: str, on_issue: bool) -> None:
    fact: Fact = a_label(
        text, action=action, event="issues" if on_issue else "pull_request", is_pull_request=not on_issue
    )
    decision = decide(fact, a_world(text, "bug"), POLICY)
    assert isinstance(decision, Ignore | Refuse | Start)


def test_a_person_is_needed_also_when_everything_else_fits() -> None:
    decision = decide(a_label(sender=a_sender(type="Bot")), a_world("run:dev"), POLICY)
    assert isinstance(decision, Refuse)
