"""Launch profiles: which path an issue is on, and what moves it to another (``workflow.md`` section 6)."""

from stagewright.contexts.workflow.errors import ProfileDowngrade
from stagewright.contexts.workflow.model.decisions import ProfileSource, StoredProfile
from stagewright.contexts.workflow.model.policy import Policy, Profiles


def profile_at_trigger(stored: StoredProfile | None, stage: str | None, policy: Policy) -> StoredProfile:
    """Return the profile after a trigger of ``stage`` (None: a kind that is no stage). Rows 1 and 3."""
    profiles = policy.profiles
    if stored is None:
        return StoredProfile(_first(stage, profiles), ProfileSource.DEFAULT)
    if stored.profile not in profiles.paths:
        return StoredProfile(_first(stage, profiles), ProfileSource.DEFAULT)
    if stage is None or stage in profiles.paths[stored.profile]:
        return stored
    higher = [key for key in _from(stored.profile, profiles) if stage in profiles.paths[key]]
    return StoredProfile(higher[0], ProfileSource.ESCALATED) if higher else stored


def profile_when_chosen(stored: StoredProfile | None, variant: str, policy: Policy) -> StoredProfile:
    """Return the profile after a forward action of ``variant``. Row 2; on a chosen profile, picking a higher variant
    is row 3. Raises ProfileDowngrade where only lower profiles are in the variant."""
    profiles = policy.profiles
    offered = profiles_of_variant(variant, policy)
    if not offered:
        return stored or StoredProfile(profiles.default, ProfileSource.DEFAULT)
    current = stored.profile if stored is not None else profiles.default
    if stored is None or stored.provisional:
        return StoredProfile(current if current in offered else offered[0], ProfileSource.CHOSEN)
    if current in offered:
        return stored
    higher = [key for key in offered if key in _from(current, profiles)]
    if not higher:
        raise ProfileDowngrade(
            f"The issue is on the profile {current}; a lower one starts only after `run:rethink`.", profile=current
        )
    return StoredProfile(higher[0], ProfileSource.ESCALATED)


def profile_when_escalated(stored: StoredProfile | None, to: str, policy: Policy) -> StoredProfile:
    """Return the profile after a permitted person accepted an agent's proposal. Row 3; never lowers."""
    current = stored.profile if stored is not None else policy.profiles.default
    if to == current and stored is not None:
        return stored
    if to not in _from(current, policy.profiles):
        raise ProfileDowngrade(f"The issue is on the profile {current}, which is higher than {to}.", profile=current)
    return StoredProfile(to, ProfileSource.ESCALATED)


def profile_when_restarted(profile: str) -> StoredProfile:
    """Return the profile after a restart action of a rethink, up or down. Row 4."""
    return StoredProfile(profile, ProfileSource.RESTARTED)


def profiles_of_variant(variant: str, policy: Policy) -> tuple[str, ...]:
    """Return the profiles a variant's name holds, lowest first; none for jumps."""
    if variant == "all_flows":
        return policy.profiles.order
    stems = variant.removesuffix("_flow").split("_or_") if variant.endswith("_flow") else []
    names = policy.profiles.variants
    return tuple(key for key in policy.profiles.order if names[key].removesuffix("_flow") in stems)


def variant_name(profiles: tuple[str, ...], policy: Policy) -> str:
    """Name the cell of several profiles (lowest first): ``full_or_shortened_flow``, or ``all_flows``."""
    if len(profiles) == len(policy.profiles.order) and len(profiles) > 1:
        return "all_flows"
    stems = [policy.profiles.variants[key].removesuffix("_flow") for key in reversed(profiles)]
    return "_or_".join(stems) + "_flow"


def missing_stages(stage: str, profile: str, succeeded: frozenset[str], policy: Policy) -> tuple[str, ...]:
    """Return the stages of ``profile`` before ``stage`` that have not succeeded; none if it is not on the path."""
    path = policy.profiles.paths.get(profile, ())
    if stage not in path:
        return ()
    return tuple([key for key in path[: path.index(stage)] if key not in succeeded])


def _first(stage: str | None, profiles: Profiles) -> str:
    if stage in profiles.paths[profiles.default]:
        return profiles.default
    return next((key for key in profiles.order if stage in profiles.paths[key]), profiles.default)


def _from(profile: str, profiles: Profiles) -> tuple[str, ...]:
    order = profiles.order
    return order[order.index(profile) :] if profile in order else order
