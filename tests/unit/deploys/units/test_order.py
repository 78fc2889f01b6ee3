"""The order of units: topological, the same for any order of the file, and an error exactly where there is a circle."""

from graphlib import CycleError, TopologicalSorter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deploys.preparing import CANDIDATE, ENVIRONMENTS, LIVE, prepared
from tests.unit.deploys.stacks import told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.stages import OrderedPhase
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.graph import order

HEAD = f"spec:\n  {ENVIRONMENTS}"


def ordered(text: str, selection: Selection = CANDIDATE) -> tuple[tuple[OrderedPhase, ...], Findings]:
    """Order the units of a stack."""
    ready, found = prepared(HEAD + text, selection)
    assert ready is not None, told(found)
    return order(effective_units(ready, found), ready, found), found


def names(text: str, selection: Selection = CANDIDATE) -> dict[str, list[str]]:
    """Return the units of each phase of a stack in which nothing is wrong."""
    phases, found = ordered(text, selection)
    assert not told(found)
    return {phase.id: [unit.name for unit in phase.units] for phase in phases}


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, object]]:
    """Services of one group, in some order, with any dependencies among them."""
    count = draw(st.integers(1, 7))
    everyone = [f"u{index}" for index in range(count)]
    units: list[dict[str, object]] = [
        {
            "name": name,
            "manifests": [{"path": "a.yaml"}],
            "dependsOn": draw(st.lists(st.sampled_from(everyone), unique=True, max_size=3)),
            "when": draw(st.sampled_from([True, True, True, False])),
        }
        for name in everyone
    ]
    return draw(st.permutations(units))


def as_text(units: list[dict[str, object]]) -> str:
    """Write the services as a part of a stack."""
    return f"  services: {yaml.safe_dump(units, default_flow_style=True, width=10**6)}"


@settings(max_examples=60, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_units_are_ordered_by_dependency_whatever_the_order_of_the_file(units, random) -> None:  # type: ignore[no-untyped-def]
    phases, found = ordered(as_text(units))
    sequence = [unit.name for phase in phases for unit in phase.units]
    assert sorted(sequence) == sorted(str(unit["name"]) for unit in units if unit["when"])
    others = list(units)
    random.shuffle(others)
    again, found_again = ordered(as_text(others))
    assert [unit.name for phase in again for unit in phase.units] == sequence

    needs = {unit["name"]: unit["dependsOn"] for unit in units}
    try:
        tuple(TopologicalSorter(needs).static_order())
        circular = False
    except CycleError:
        circular = True
    errors = [item.code for item in found.items if item.is_error]
    assert errors == [item.code for item in found_again.items if item.is_error]
    assert set(errors) == ({"stack.depends_cycle"} if circular else set())
    if not circular:
        place = {name: index for index, name in enumerate(sequence)}
        for name in sequence:
            assert all(place[other] < place[name] for other in needs[name] if other in place)


def test_infrastructure_comes_first_then_the_groups_in_their_order() -> None:
    text = """\
  infrastructure: [{name: z-store}, {name: bus, dependsOn: [z-store]}]
  services:
    - {name: web, deployGroup: front, manifests: [{path: a.yaml}], dependsOn: [api, bus]}
    - {name: api, deployGroup: back, manifests: [{path: a.yaml}]}
    - {name: worker, deployGroup: back, manifests: [{path: a.yaml}], dependsOn: [z-store]}
  orchestration: {deployOrder: [empty, back, front]}
"""
    assert names(text) == {
        "infrastructure": ["z-store", "bus"],
        "group-back": ["api", "worker"],
        "group-front": ["web"],
    }


def test_groups_are_in_the_order_of_the_alphabet_unless_said_otherwise() -> None:
    text = """\
  services:
    - {name: one, deployGroup: zeta, manifests: [{path: a.yaml}]}
    - {name: two, manifests: [{path: a.yaml}]}
    - {name: six, deployGroup: alpha, manifests: [{path: a.yaml}]}
"""
    assert list(names(text)) == ["group-alpha", "group-default", "group-zeta"]


def test_a_singleton_is_deployed_in_production_alone() -> None:
    text = """\
  services:
    - {name: sign-in, scope: singleton, manifests: [{path: a.yaml}]}
    - {name: web, dependsOn: [sign-in], manifests: [{path: a.yaml}]}
"""
    assert names(text) == {"group-default": ["web"]}
    assert names(text, LIVE) == {"group-default": ["sign-in", "web"]}


DEPENDENCIES = {
    "a circle, named whole": (
        """\
  services:
    - {name: a, manifests: [{path: a.yaml}], dependsOn: [b]}
    - {name: b, manifests: [{path: a.yaml}], dependsOn: [c]}
    - {name: c, manifests: [{path: a.yaml}], dependsOn: [a]}
""",
        [("depends_cycle services.yaml:9: the units wait for each other: a -> b -> c -> a; "
         "remove one of these dependencies")],
    ),
    "a unit that waits for itself": (
        "  infrastructure: [{name: a, dependsOn: [a]}]\n",
        ["depends_cycle services.yaml:6: the units wait for each other: a -> a; remove one of these dependencies"],
    ),
    "infrastructure that waits for a service": (
        """\
  infrastructure: [{name: store, dependsOn: [api]}]
  services: [{name: api, manifests: [{path: a.yaml}]}]
""",
        [("depends_unreachable services.yaml:6: 'store' (infrastructure) cannot wait for 'api' (group default), which "
         "is deployed later; remove the dependency, or change deployGroup or deployOrder")],
    ),
    "a group that waits for a later one": (
        """\
  services:
    - {name: api, deployGroup: a, manifests: [{path: a.yaml}], dependsOn: [web]}
    - {name: web, deployGroup: b, manifests: [{path: a.yaml}]}
""",
        [("depends_unreachable services.yaml:7: 'api' (group a) cannot wait for 'web' (group b), which is deployed "
         "later; remove the dependency, or change deployGroup or deployOrder")],
    ),
    "an unknown unit": (
        "  services: [{name: api, manifests: [{path: a.yaml}], dependsOn: [db]}]\n",
        [("unknown_unit services.yaml:6: no unit 'db' is declared; dependsOn takes names of services and "
         "infrastructure")],
    ),
    "a dependency that is switched off": (
        """\
  infrastructure: [{name: store, when: "{{ env.kind == 'production' }}"}]
  services: [{name: api, manifests: [{path: a.yaml}], dependsOn: [store]}]
""",
        ["depends_disabled services.yaml:7: 'store' is switched off here by when; 'api' does not wait for it"],
    ),
    "a dependency from a component": (
        """\
  components: [{name: base, defaults: {dependsOn: [db]}}]
  services: [{name: api, use: [base], manifests: [{path: a.yaml}]}]
""",
        [("unknown_unit services.yaml:6: no unit 'db' is declared; dependsOn takes names of services and "
         "infrastructure")],
    ),
    "a group that deployOrder forgot": (
        """\
  services: [{name: api, deployGroup: back, manifests: [{path: a.yaml}]}]
  orchestration: {deployOrder: [front]}
""",
        ["unknown_group services.yaml:6: the group 'back' of 'api' is not in deployOrder: front"],
    ),
    "a group twice": (
        """\
  services: [{name: api, deployGroup: a, manifests: [{path: a.yaml}]}]
  orchestration: {deployOrder: [a, a]}
""",
        ["duplicate_name services.yaml:7: the group 'a' stands twice in deployOrder; a group is deployed once"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DEPENDENCIES.values(), ids=DEPENDENCIES.keys())
def test_a_wrong_dependency_is_named_with_its_line(text: str, expected: list[str]) -> None:
    assert told(ordered(text)[1]) == expected
