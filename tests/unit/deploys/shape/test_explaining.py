"""``explain`` names value, default, origin and meaning of everything that a pointer can name."""

import pytest
from tests.unit.deploys.preparing import CANDIDATE, LIVE, ready
from tests.unit.deploys.stacks import fragment, loaded

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.model.places import Origin, Provenance
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.explaining import Explanation, UnknownPointer, explain

STACK = """
spec:
  x-sync: &sync {paths: [src], container: api, mountPath: /app}
  vars: {level: {default: info}}
  environments:
    live: {kind: production, quota: {pods: 10}, egress: [{preset: platform}], podSecurity: baseline}
    rehearsal: {from: live, kind: persistent, quota: {pods: 5}}
    preview: {kind: candidate}
  components:
  - {name: fast, defaults: {codeUpdateStrategy: restart, readiness: {timeout: 4m}, sync: *sync}}
  services:
  - {name: api, use: [fast], deployGroup: "{{ vars.level }}", manifests: [{path: a.yaml}]}
  orchestration: {readiness: {stableFor: 20s}}
"""


def explained(asked: str, selection: Selection | None = LIVE) -> Explanation:
    stack = loaded(STACK)
    prepared = ready(STACK, selection) if selection is not None else None
    units = effective_units(prepared, Findings()) if prepared is not None else ()
    made = explain(asked, stack, prepared, units)
    assert isinstance(made, Explanation), made
    return made


def told(provenance: Provenance) -> str:
    shadowed = "".join(f", instead of {at}" for at in provenance.shadowed)
    return f"{provenance.origin.value} {provenance.at or '-'}{shadowed}"


@pytest.mark.parametrize(
    ("asked", "selection", "value", "origin"),
    [
        ("/spec/services/api/deployGroup", None, "{{ vars.level }}", "file services.yaml:14"),
        ("/spec/services/api/deployGroup", LIVE, "info", "file services.yaml:14"),
        ("/spec/services/0/name", LIVE, "api", "file services.yaml:14"),
        ("spec/services/api/protected", LIVE, False, "default -"),
        ("/spec/services/api/readiness/timeout", LIVE, "4m", "component services.yaml:12"),
        ("/spec/services/api/codeUpdateStrategy", CANDIDATE, "restart", "component services.yaml:12"),
        ("/spec/services/api/codeUpdateStrategy", LIVE, "rebuild", "platform -, instead of services.yaml:12"),
        ("/spec/services/api/sync/paths", CANDIDATE, ["src"], "component services.yaml:12"),
        ("/spec/orchestration/maxParallel", LIVE, 4, "default -"),
        ("/spec/orchestration/readiness/timeout", LIVE, "10m", "default -"),
        ("/spec/orchestration/readiness/stableFor", LIVE, "20s", "file services.yaml:15"),
        ("/spec/project", LIVE, "shop", "default -"),
        ("/spec/environments/live/podSecurity", LIVE, "baseline", "file services.yaml:8"),
        ("/spec/environments/live/deployOnPush", LIVE, "approval", "default -"),
        ("/spec/environments/preview/maxLive", CANDIDATE, 3, "platform -"),
        ("/spec/environments/preview/namespaceTemplate", CANDIDATE, "shop-i7", "default -"),
        ("/spec/environments/live/podSecurity", CANDIDATE, "baseline", "file services.yaml:8"),
        ("/spec/environments/rehearsal/from", Selection(environment="rehearsal"), "live", "file services.yaml:9"),
        ("/metadata/name", LIVE, "shop", "file services.yaml:3"),
    ],
)
def test_a_value_is_explained_as_it_is_in_one_environment(
    asked: str, selection: Selection | None, value: object, origin: str
) -> None:
    made = explained(asked, selection)
    assert (made.value, told(made.provenance)) == (value, origin)


@pytest.mark.parametrize(
    ("field", "value", "origin"),
    [
        ("podSecurity", "baseline", "inherited services.yaml:8"),
        ("egress/0/preset", "platform", "inherited services.yaml:8"),
        ("quota/pods", "5", "file services.yaml:9, instead of services.yaml:8"),
        ("imagePullPolicy", "IfNotPresent", "default -"),
    ],
)
def test_what_an_environment_takes_from_its_parent_is_inherited(field: str, value: object, origin: str) -> None:
    made = explained(f"/spec/environments/rehearsal/{field}", Selection(environment="rehearsal"))
    assert (str(made.value), told(made.provenance)) == (value, origin)


def test_the_explanation_has_the_template_the_default_and_the_documentation() -> None:
    made = explained("/spec/services/api/deployGroup")
    assert (made.pointer, made.title, made.written) == (
        "/spec/services/api/deployGroup",
        "Deploy group",
        "{{ vars.level }}",
    )
    assert made.documentation == "The group it is deployed with. Default: `default`."
    assert explained("/spec/orchestration/readiness/stableFor").default == "10s"
    assert explained("/spec/services/api").documentation.startswith("The units of the product, keyed by `name`. A part")
    assert explained("").documentation.startswith("A stack (root), or a fragment")


def test_an_imported_value_names_its_file_the_chain_and_what_it_overrode() -> None:
    files = {
        "a.yaml": fragment("spec:\n  imports: [b.yaml]\n  vars: {x: {default: two}}\n"),
        "b.yaml": fragment("spec:\n  vars: {x: {default: one, pattern: '[a-z]+'}}\n"),
    }
    stack = loaded("spec:\n  imports: [a.yaml]\n  environments: {live: {kind: production}}\n", files)
    made = explain("/spec/vars/x/default", stack)
    assert isinstance(made, Explanation)
    assert (made.value, told(made.provenance)) == ("two", "file a.yaml:5, instead of b.yaml:4")
    deep = explain("/spec/vars/x/pattern", stack)
    assert isinstance(deep, Explanation)
    assert deep.provenance.origin is Origin.FILE
    assert deep.provenance.at is not None
    assert [name.removeprefix("main:") for name in deep.provenance.at.source.chain] == ["services.yaml", "a.yaml"]


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("/spec/servces/api", ("/spec/services",)),
        ("/spec/services/apy", ("/spec/services/api",)),
        ("/spec/services/api/deploygroup", ("/spec/services/api/deployGroup",)),
        ("/spec/environments/liv", ("/spec/environments/live",)),
        ("/spec/services/api/deployGroup/x", ()),
        ("/spec/orchestration/hooks/7", ("/spec/orchestration/hooks",)),
    ],
)
def test_an_unknown_pointer_is_answered_with_the_nearest_ones(asked: str, nearest: tuple[str, ...]) -> None:
    made = explain(asked, loaded(STACK))
    assert isinstance(made, UnknownPointer)
    assert made.nearest[:1] == nearest[:1]
