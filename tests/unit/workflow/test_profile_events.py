"""WF5: every event of section 6 × stored profile × source, cell by cell; only a restart lowers.

A cell is the profile afterwards and its source (`nc`: new-service, chosen), `=` where nothing changes, `!` where the
attempt is refused. Profiles: `q` quick-fix, `f` feature, `n` new-service. Sources: by their first letters.
"""

from collections.abc import Callable

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    ProfileDowngrade,
    ProfileSource,
    StoredProfile,
    profile_at_trigger,
    profile_when_chosen,
    profile_when_escalated,
    profile_when_restarted,
)

POLICY = a_policy()
PROFILES = {"q": "quick-fix", "f": "feature", "n": "new-service"}
SOURCES = {source.value[0]: source for source in ProfileSource}
#                       nothing     default, so        chosen, escalated,
#                       stored      provisional        restarted
TABLE = """
trigger intake             fd    =  =  =     =  =  =
trigger vision             nd    ne ne =     ne ne =
trigger prd                fd    fe =  =     fe =  =
trigger arch               nd    ne ne =     ne ne =
trigger design             fd    fe =  =     fe =  =
trigger plan               fd    =  =  =     =  =  =
trigger dev                fd    =  =  =     =  =  =
trigger qa                 fd    =  =  =     =  =  =
trigger release            fd    =  =  =     =  =  =
trigger postdeploy         fd    =  =  =     =  =  =
trigger ops                fd    =  =  =     =  =  =
trigger doc-audit          fd    =  =  =     =  =  =
trigger self-improve       fd    =  =  =     =  =  =
trigger rethink            fd    =  =  =     =  =  =
forward full_flow          nc    nc nc nc    ne ne =
forward shortened_flow     fc    fc fc fc    fe =  !
forward very_short_flow    qc    qc qc qc    =  !  !
forward full_or_shortened_flow          fc    fc fc nc    fe =  =
forward full_or_very_short_flow         qc    qc qc nc    =  ne =
forward shortened_or_very_short_flow    fc    qc fc qc    =  =  !
forward all_flows          fc    qc fc nc    =  =  =
forward go_to_dev          fd    =  =  =     =  =  =
accept  quick-fix          !     =  !  !     =  !  !
accept  feature            fe    fe =  !     fe =  !
accept  new-service        ne    ne ne =     ne ne =
restart quick-fix          qr    qr qr qr    qr qr qr
restart feature            fr    fr fr fr    fr fr fr
restart new-service        nr    nr nr nr    nr nr nr
"""

Event = Callable[[StoredProfile | None, str], StoredProfile]
EVENTS: dict[str, Event] = {
    "trigger": lambda stored, what: profile_at_trigger(stored, what if what in POLICY.stages else None, POLICY),
    "forward": lambda stored, what: profile_when_chosen(stored, what, POLICY),
    "accept": lambda stored, what: profile_when_escalated(stored, what, POLICY),
    "restart": lambda stored, what: profile_when_restarted(what),
}


def cells() -> list[tuple[str, str, StoredProfile | None, str]]:
    found: list[tuple[str, str, StoredProfile | None, str]] = []
    for line in TABLE.strip().splitlines():
        event, what, nothing, *rest = line.split()
        found.append((event, what, None, nothing))
        for source in ProfileSource:
            row = rest[:3] if source is ProfileSource.DEFAULT else rest[3:]
            stored = [StoredProfile(profile, source) for profile in PROFILES.values()]
            found += [(event, what, item, cell) for item, cell in zip(stored, row, strict=True)]
    return found


@pytest.mark.parametrize(("event", "what", "stored", "cell"), cells())
def test_each_event_meets_each_stored_profile(event: str, what: str, stored: StoredProfile | None, cell: str) -> None:
    if cell == "!":
        with pytest.raises(ProfileDowngrade):
            EVENTS[event](stored, what)
        return
    after = EVENTS[event](stored, what)
    assert after == (stored if cell == "=" else StoredProfile(PROFILES[cell[0]], SOURCES[cell[1]]))


def test_the_table_holds_every_stage_and_lowers_only_where_it_may() -> None:
    rows = cells()
    order = list(PROFILES.values())
    lowered = {
        (event, stored.source)
        for event, _, stored, cell in rows
        if stored and cell[0] in PROFILES and order.index(PROFILES[cell[0]]) < order.index(stored.profile)
    }

    assert {what for event, what, *_ in rows if event == "trigger"} == {*POLICY.stages, "rethink"}
    assert {event for event, source in lowered if source is not ProfileSource.DEFAULT} == {"restart"}
    assert {event for event, _ in lowered} == {"restart", "forward"}, "a provisional profile is nobody's choice yet"
