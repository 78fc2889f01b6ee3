"""The label bootstrap: generated from the policy, idempotent, renames in place, never deletes."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    BootstrapAction,
    CreateLabel,
    KeepAsAlias,
    Policy,
    RepositoryLabel,
    UpdateLabel,
    label_catalogue,
    plan_label_bootstrap,
)

POLICY = a_policy()
RENAMED = a_policy('labels: {names: {"run:dev": "ai: implement"}}')


def as_wanted(policy: Policy = POLICY) -> list[RepositoryLabel]:
    return [RepositoryLabel(item.text, item.color, item.description) for item in label_catalogue(policy)]


def apply(labels: list[RepositoryLabel], actions: tuple[BootstrapAction, ...]) -> list[RepositoryLabel]:
    result = {label.name: label for label in labels}
    for action in actions:
        if isinstance(action, UpdateLabel):
            del result[action.name]
        if not isinstance(action, KeepAsAlias):
            result[action.label.name] = action.label
    return list(result.values())


def test_an_empty_repository_gets_the_whole_catalogue() -> None:
    actions = plan_label_bootstrap([], POLICY)
    assert all(isinstance(action, CreateLabel) for action in actions)
    assert apply([], actions) == as_wanted()


def test_a_repository_in_order_needs_nothing_and_foreign_labels_stay() -> None:
    assert plan_label_bootstrap([*as_wanted(), RepositoryLabel("bug", "ff0000", "")], POLICY) == ()


def test_drift_is_mended_in_place() -> None:
    drifted = [RepositoryLabel("RUN:DEV", "#FFFFFF", ""), *[item for item in as_wanted() if item.name != "run:dev"]]
    (action,) = plan_label_bootstrap(drifted, POLICY)

    assert isinstance(action, UpdateLabel)
    assert (action.key, action.name, action.label.name) == ("run:dev", "RUN:DEV", "run:dev")
    assert action.label.color == "1f6feb"


def test_an_equal_colour_in_another_spelling_is_no_drift() -> None:
    spelled = [RepositoryLabel(item.name, f"#{item.color.upper()}", item.description) for item in as_wanted()]
    assert plan_label_bootstrap(spelled, POLICY) == ()


def test_a_rename_changes_the_label_in_place() -> None:
    (action,) = plan_label_bootstrap(as_wanted(), RENAMED)
    assert isinstance(action, UpdateLabel)
    assert (action.name, action.label.name) == ("run:dev", "ai: implement")

    again = a_policy('labels: {names: {"run:dev": "ai: build"}}')
    (second,) = plan_label_bootstrap(as_wanted(RENAMED), again, {"run:dev": "ai: implement"})
    assert isinstance(second, UpdateLabel)
    assert (second.name, second.label.name) == ("ai: implement", "ai: build")


def test_a_rename_to_a_text_that_exists_keeps_the_old_label_as_an_alias() -> None:
    existing = [*as_wanted(), RepositoryLabel("AI: implement", "000000", "")]
    actions = plan_label_bootstrap(existing, RENAMED)

    assert [type(action) for action in actions] == [UpdateLabel, KeepAsAlias]
    assert actions[1] == KeepAsAlias("run:dev", "run:dev", "ai: implement")


def test_texts_that_change_places_make_no_aliases() -> None:
    swapped = a_policy('labels: {names: {"run:dev": "run:qa", "run:qa": "run:dev"}}')
    actions = plan_label_bootstrap(as_wanted(), swapped)
    assert not any(isinstance(action, KeepAsAlias) for action in actions)


@given(st.lists(st.sampled_from([*as_wanted(), *as_wanted(RENAMED), RepositoryLabel("bug", "0", "x")]), unique=True))
def test_the_bootstrap_is_idempotent_and_never_deletes(existing: list[RepositoryLabel]) -> None:
    first = plan_label_bootstrap(existing, RENAMED)
    after = apply(existing, first)

    assert not [action for action in plan_label_bootstrap(after, RENAMED) if not isinstance(action, KeepAsAlias)]
    assert {item.name for item in as_wanted(RENAMED)} <= {item.name for item in after}
    assert len(after) >= len(existing)
