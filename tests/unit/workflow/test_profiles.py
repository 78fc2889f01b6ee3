"""WF5: every event of section 6, by stored profile and source; never lowered except by a restart."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    ProfileDowngrade,
    ProfileSource,
    StoredProfile,
    missing_stages,
    profile_at_trigger,
    profile_when_chosen,
    profile_when_escalated,
    profile_when_restarted,
    profiles_of_variant,
)

POLICY = a_policy()
ORDER = POLICY.profiles.order
DEFAULT, CHOSEN, ESCALATED = ProfileSource.DEFAULT, ProfileSource.CHOSEN, ProfileSource.ESCALATED
STORED = [StoredProfile(key, source) for key, source in itertools.product(ORDER, ProfileSource)]


def stored(profile: str, source: ProfileSource = CHOSEN) -> StoredProfile:
    return StoredProfile(profile, source)


@pytest.mark.parametrize(
    ("stage", "profile"),
    [("dev", "feature"), ("prd", "feature"), ("vision", "new-service"), ("arch", "new-service"),
     ("doc-audit", "feature"), (None, "feature")],
)  # fmt: skip
def test_row_1_the_first_trigger_takes_the_default_or_the_smallest_that_fits(stage: str | None, profile: str) -> None:
    assert profile_at_trigger(None, stage, POLICY) == stored(profile, DEFAULT)


def test_row_1_the_smallest_that_fits_comes_before_the_largest() -> None:
    policy = a_policy("profiles: {default: quick-fix}")
    assert profile_at_trigger(None, "prd", policy) == stored("feature", DEFAULT)


@pytest.mark.parametrize(
    ("profile", "variant", "after"),
    [
        ("feature", "shortened_flow", "feature"),
        ("feature", "all_flows", "feature"),
        ("feature", "full_or_shortened_flow", "feature"),
        ("feature", "full_flow", "new-service"),
        ("feature", "very_short_flow", "quick-fix"),
        ("new-service", "shortened_or_very_short_flow", "quick-fix"),
        ("feature", "full_or_very_short_flow", "quick-fix"),
    ],
)
def test_row_2_a_forward_action_on_a_provisional_profile_chooses(profile: str, variant: str, after: str) -> None:
    assert profile_when_chosen(stored(profile, DEFAULT), variant, POLICY) == stored(after, CHOSEN)


def test_row_2_without_a_stored_profile_the_default_counts_as_provisional() -> None:
    assert profile_when_chosen(None, "full_or_shortened_flow", POLICY) == stored("feature", CHOSEN)
    assert profile_when_chosen(None, "go_to_dev", POLICY) == stored("feature", DEFAULT)
    assert profile_when_chosen(stored("quick-fix"), "go_to_dev", POLICY) == stored("quick-fix")


@pytest.mark.parametrize("item", STORED, ids=lambda item: f"{item.profile}-{item.source.value}")
def test_row_3_a_trigger_outside_the_path_raises_to_the_smallest_that_fits(item: StoredProfile) -> None:
    for stage in POLICY.stages:
        after = profile_at_trigger(item, stage, POLICY)
        if stage in POLICY.profiles.paths[item.profile] or stage not in POLICY.profiles.full_path:
            assert after == item
        else:
            fitting = [key for key in ORDER[ORDER.index(item.profile) :] if stage in POLICY.profiles.paths[key]]
            assert after == stored(fitting[0], ESCALATED)


def test_row_3_accepting_an_escalation_and_picking_a_higher_variant_raise() -> None:
    assert profile_when_escalated(stored("quick-fix"), "new-service", POLICY) == stored("new-service", ESCALATED)
    assert profile_when_escalated(None, "new-service", POLICY) == stored("new-service", ESCALATED)
    assert profile_when_escalated(stored("feature"), "feature", POLICY) == stored("feature")
    assert profile_when_chosen(stored("quick-fix"), "full_flow", POLICY) == stored("new-service", ESCALATED)
    assert profile_when_chosen(stored("feature"), "all_flows", POLICY) == stored("feature")


@pytest.mark.parametrize("to", ORDER)
def test_row_4_a_restart_goes_up_or_down(to: str) -> None:
    assert profile_when_restarted(to) == stored(to, ProfileSource.RESTARTED)


def test_row_5_any_other_lowering_is_refused() -> None:
    with pytest.raises(ProfileDowngrade, match="a lower one starts only after"):
        profile_when_chosen(stored("new-service"), "very_short_flow", POLICY)
    with pytest.raises(ProfileDowngrade, match="higher than quick-fix"):
        profile_when_escalated(stored("feature"), "quick-fix", POLICY)


@given(st.sampled_from(STORED), st.sampled_from([*POLICY.stages, None]))
def test_no_trigger_lowers_a_profile(item: StoredProfile, stage: str | None) -> None:
    assert ORDER.index(profile_at_trigger(item, stage, POLICY).profile) >= ORDER.index(item.profile)


def test_a_profile_the_policy_no_longer_has_is_found_anew() -> None:
    assert profile_at_trigger(stored("gone"), "vision", POLICY) == stored("new-service", DEFAULT)
    assert profile_when_chosen(stored("gone"), "full_flow", POLICY) == stored("new-service", ESCALATED)


def test_variants_name_their_profiles() -> None:
    assert profiles_of_variant("shortened_or_very_short_flow", POLICY) == ("quick-fix", "feature")
    assert profiles_of_variant("all_flows", POLICY) == ORDER
    assert profiles_of_variant("prepare_plan", POLICY) == ()


def test_missing_stages_are_those_before_on_the_path() -> None:
    assert missing_stages("dev", "quick-fix", frozenset({"intake"}), POLICY) == ("plan",)
    assert missing_stages("intake", "quick-fix", frozenset(), POLICY) == ()
    assert missing_stages("doc-audit", "quick-fix", frozenset(), POLICY) == ()
    assert missing_stages("dev", "gone", frozenset(), POLICY) == ()
