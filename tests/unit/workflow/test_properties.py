"""WF3 and WF4: renaming labels changes no decision; nothing a bot writes starts anything."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.workflow.words import (
    NOW,
    a_label,
    a_link,
    a_policy,
    a_sender,
    a_standing,
    a_thread,
    a_work_run,
    a_world,
)

from stagewright.contexts.workflow.api import (
    Decision,
    Fact,
    Ignore,
    IgnoreReason,
    LabelEvent,
    Refuse,
    RefuseReason,
    Sender,
    Start,
    World,
    decide,
    label_catalogue,
    reason_family,
)

POLICY = a_policy()
KEYS = [label.key for label in label_catalogue(POLICY)]
NAMES = {key: f"Имя {index}" for index, key in enumerate(KEYS)}
RENAMED = a_policy("labels: {names: {" + ", ".join(f'"{key}": "{name}"' for key, name in NAMES.items()) + "}}")
ACTIVE = [None, a_work_run(), a_work_run(kind="dev", label="run:dev")]
LINKS = [(), (a_link("dev"),), (a_link("plan"), a_link("dev")), (a_link("dev", in_this_repository=False),)]

labels_on_issue = st.lists(st.sampled_from(KEYS), max_size=4, unique=True).map(tuple)


@st.composite
def situations(draw: st.DrawFn) -> tuple[LabelEvent, World]:
    """A label set on an issue in some state of the world, in the texts of the built-in policy."""
    label = draw(st.sampled_from(KEYS))
    live = dict.fromkeys(draw(labels_on_issue))
    if draw(st.integers(0, 9)):
        live = dict.fromkeys([label, *live])
    world = a_world(
        thread=a_thread(*live, is_open=draw(st.booleans())),
        bound=draw(st.sampled_from([True, True, True, False])),
        own_effect=draw(st.sampled_from([False, False, False, True])),
        active_work_run=draw(st.sampled_from(ACTIVE)),
        links=draw(st.sampled_from(LINKS)),
        accepted_result=draw(st.booleans()),
        platform_needs_input=draw(st.booleans()),
        engines_available=draw(st.sampled_from([frozenset(), frozenset({"codex"})])),
    )
    old = timedelta(seconds=draw(st.sampled_from([5, 3600, 90000])))
    return a_label(label, occurred_at=NOW - old), world


def renamed(text: str) -> str:
    return NAMES[text]


def translated(decision: Decision) -> Decision:
    """The decision with every text of a label replaced by the one of the renamed project."""
    if not isinstance(decision, Refuse):
        return decision
    return replace(
        decision,
        conflicting=tuple(sorted(renamed(text) for text in decision.conflicting)),
        suggested=tuple(renamed(text) for text in decision.suggested),
        remedy=replace(decision.remedy, params=without_texts(decision)),
    )


def without_texts(decision: Refuse) -> dict[str, str]:
    return {key: value for key, value in decision.remedy.params.items() if key != "label"}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(situations())
def test_renaming_all_labels_changes_no_decision(situation: tuple[LabelEvent, World]) -> None:
    fact, world = situation
    assert world.thread is not None
    other_thread = replace(world.thread, labels=tuple(renamed(text) for text in world.thread.labels))
    other_world = replace(world, thread=other_thread)
    other_fact = replace(fact, label=renamed(fact.label))

    before, after = decide(fact, world, POLICY), decide(other_fact, other_world, RENAMED)

    if isinstance(after, Refuse):
        after = replace(
            after,
            conflicting=tuple(sorted(after.conflicting)),
            remedy=replace(after.remedy, params=without_texts(after)),
        )
    assert translated(before) == after


@settings(max_examples=150, deadline=None)
@given(situations(), st.sampled_from(["Bot", "bot", "Organization", "Mannequin", None, ""]))
def test_nothing_but_a_person_starts_a_run(situation: tuple[LabelEvent, World], sender_type: str | None) -> None:
    fact, world = situation
    by_machine = replace(fact, sender=Sender(type=sender_type, login="some[bot]", user_id=7))

    decision = decide(by_machine, world, POLICY)

    assert isinstance(decision, Ignore | Refuse)
    if isinstance(decision, Refuse) and world.bound:
        assert decision.reason.startswith("sender_type_")
        assert decision.add_need_input is False


@settings(max_examples=150, deadline=None)
@given(situations(), st.booleans(), st.booleans(), st.booleans(), st.sampled_from([None, "read", "triage"]))
def test_a_failed_guard_leaves_one_comment_and_the_label_taken_off(
    situation: tuple[LabelEvent, World], user: bool, member: bool, may_start: bool, permission: str | None
) -> None:
    fact, world = situation
    standing = a_standing(platform_user=user, member=member, may_start=may_start, forge_permission=permission)
    decision = decide(fact, replace(world, standing=standing, bound=True), POLICY)

    if isinstance(decision, Start):
        assert user
        assert member
        assert may_start
        assert permission == "triage"
    elif isinstance(decision, Refuse) and decision.reason.startswith("sender_"):
        assert (decision.comment, decision.remove_label, decision.add_need_input) == (True, True, False)
        assert decision.conflicting == decision.suggested == ()


@settings(max_examples=150, deadline=None)
@given(situations())
def test_every_reason_given_is_in_the_catalogue_of_reasons(situation: tuple[LabelEvent, World]) -> None:
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
