"""Names by which parts of a stack refer to each other, and rules of units and hooks: each mistake with its line."""

import pytest
from tests.unit.deploys.preparing import CANDIDATE, LIVE, ready
from tests.unit.deploys.stacks import told
from tests.unit.deploys.units.building import HEAD, readied, references
from tests.unit.deploys.units.texts import ONE, REFERENCES

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Project
from stagewright.contexts.deploys.model.places import Origin
from stagewright.contexts.deploys.model.stages import EffectiveUnit
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.graph import order
from stagewright.contexts.deploys.rules.references import unused_secrets


@pytest.mark.parametrize(("text", "selection", "changes", "expected"), REFERENCES.values(), ids=REFERENCES.keys())
def test_a_wrong_reference_is_told_with_its_line(text, selection, changes, expected) -> None:  # type: ignore[no-untyped-def]
    assert told(references(text, selection, **changes)) == expected


def test_a_project_may_allow_public_candidates() -> None:
    project = Project(key="shop", name="The shop", public_slots=True)
    text = ONE % "expose: [{service: api, port: 80, access: public}]"
    assert not told(references(text, project=project))


def test_a_strategy_has_no_effect_without_a_candidate_environment() -> None:
    text = f"""\
spec:
  environments: {{live: {{kind: production}}}}
{ONE % "codeUpdateStrategy: restart, sync: {paths: [src], container: a, mountPath: /app}"}"""
    prepared = ready(text, LIVE)
    from_text = Findings()
    order(effective_units(prepared, from_text), prepared, from_text)
    what = "the strategy 'restart' has no effect: the stack has no candidate environment; remove it"
    assert told(from_text) == [f"sync_ineffective services.yaml:6: {what}"]


def test_a_secret_is_unused_unless_objects_or_the_stack_name_it() -> None:
    text = """\
  images: {jobs: {type: external, from: a}}
  secrets:
    - {name: one, keys: {A: {generate: {kind: hex}}}}
    - {name: two, keys: {A: {copy: {environment: live, secret: three, key: A}}}}
    - {name: three, keys: {A: {generate: {kind: hex}}}}
    - {name: four, keys: {A: {generate: {kind: hex}}}}
  orchestration:
    hooks: [{name: h, phase: afterDeploy, image: jobs, command: [a], secretEnv: {A: {secret: four, key: A}}}]
"""
    prepared = ready(HEAD + text)
    found = Findings()
    unused_secrets(prepared, {"two"}, found)
    assert told(found) == ["unused_secret services.yaml:8: nothing uses the secret 'one'; remove it"]


COMPONENTS = """\
  components:
    - {name: slow, defaults: {deployGroup: back, dependsOn: [store], readiness: {timeout: 4m}}}
    - {name: fast, defaults: {codeUpdateStrategy: restart, deployGroup: front, sync: {paths: [a], container: b, MOUNT}}}
  infrastructure: [{name: store}]
  services:
    - {name: api, use: [slow, fast], dependsOn: [], manifests: [{path: a.yaml}]}
    - {name: web, manifests: [{path: a.yaml}]}
  orchestration: {readiness: {timeout: 6m, stableFor: 20s}}
""".replace("MOUNT", "mountPath: /app")


def units(selection=CANDIDATE) -> dict[str, EffectiveUnit]:  # type: ignore[no-untyped-def]
    """Return the units of a stack with components by name."""
    prepared, _, found = readied(COMPONENTS, {}, selection)
    result = effective_units(prepared, found)
    assert not told(found)
    return {unit.name: unit for unit in result}


def test_a_field_comes_from_the_service_then_the_first_component_that_sets_it_whole() -> None:
    api = units()["api"]
    assert (api.depends_on, api.group, api.strategy) == ((), "back", "restart")
    assert (api.readiness.timeout, api.readiness.stable_for) == ("4m", "10s")
    said = {name: (item.origin, item.at and item.at.line) for name, item in api.provenance.items()}
    assert said["dependsOn"] == (Origin.FILE, 11)
    assert said["deployGroup"] == (Origin.COMPONENT, 7)
    assert said["codeUpdateStrategy"] == (Origin.COMPONENT, 8)
    assert said["expose"] == (Origin.DEFAULT, None)
    assert [at.line for at in api.provenance["deployGroup"].shadowed] == [8]
    assert [at.line for at in api.provenance["dependsOn"].shadowed] == [7]


def test_what_nobody_sets_is_the_default_of_the_stack() -> None:
    web = units()["web"]
    assert (web.group, web.strategy, web.sync) == ("default", "rebuild", None)
    assert (web.readiness.timeout, web.readiness.stable_for) == ("6m", "20s")
    assert web.provenance["readiness"].origin is Origin.FILE


def test_outside_of_candidates_everything_is_rebuilt() -> None:
    api = units(LIVE)["api"]
    assert (api.strategy, api.declared_strategy) == ("rebuild", "restart")
