"""The plan: its phases and ids, and a hash that changes if and only if the effect does (ST19.4)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.stack_files import Content
from tests.unit.deploys.kubernetes import mistakes
from tests.unit.deploys.objects.planned import DEPLOYMENT, STACK, Entries, Result, planned
from tests.unit.deploys.stacks import fragment

from stagewright.contexts.deploys.model.plan import Plan
from stagewright.contexts.deploys.rules.canonical import canonical
from stagewright.contexts.deploys.rules.comparing import compare, encode
from stagewright.contexts.deploys.rules.planning import hashed

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: DATA\n"
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters="{}"), min_size=1, max_size=12)
UNITS = st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), min_size=1, max_size=4)
Units = Mapping[str, Mapping[str, str]]


def stack_of(units: Units, extra: str = "") -> str:
    """Return a stack with one service per item."""
    services = ", ".join(f"{{name: {name}, manifests: [{{path: k8s/{name}.yaml}}]}}" for name in units)
    return f"spec:\n  environments: {{live: {{kind: production}}}}\n  services: [{services}]\n{extra}"


def files_of(units: Units) -> dict[str, str]:
    """Return the manifests of the services: a config map each."""
    return {
        f"k8s/{name}.yaml": CONFIG.replace("NAME", f"c-{name}").replace("DATA", json.dumps(dict(data)))
        for name, data in units.items()
    }


def good(text: str, files: Mapping[str, Content], **more: Any) -> Result:
    """Plan what has no mistakes."""
    result = planned(text, files, **more)
    assert not result.found.failed, result.told
    return result


@settings(max_examples=30, deadline=None)
@given(UNITS, st.randoms(use_true_random=False))
def test_the_same_effect_has_the_same_hash(units: Units, random: Any) -> None:
    first = good(stack_of(units), files_of(units))
    assert first.plan.hash == f"sp1:{hashlib.sha256(canonical(hashed(first.plan))).hexdigest()}"
    names = list(units)
    random.shuffle(names)
    mixed = {name: dict(reversed(list(units[name].items()))) for name in names}
    commented = {path: f"# a comment\n{text}\n# and one more\n---\n" for path, text in files_of(mixed).items()}
    other_order = good("# a comment\n" + stack_of(mixed), commented)
    assert other_order.plan.hash == first.plan.hash
    half = len(names) // 2
    split = good(
        stack_of({name: units[name] for name in names[:half]}, "  imports: [more.yaml]\n"),
        {"more.yaml": fragment(_services(names[half:])), **files_of(mixed)},
    )
    assert split.plan.hash == first.plan.hash
    unused = good(stack_of(units, "  vars: {nobody: {default: reads}}\n  versions: {nor: '1'}\n"), files_of(units))
    assert unused.plan.hash == first.plan.hash
    assert [item.body for item in unused.plan.objects] == [item.body for item in first.plan.objects]


def _services(names: list[str]) -> str:
    services = ", ".join(f"{{name: {name}, manifests: [{{path: k8s/{name}.yaml}}]}}" for name in names)
    return f"spec: {{services: [{services}]}}\n"


@settings(max_examples=30, deadline=None)
@given(UNITS, st.data())
def test_any_change_of_a_field_changes_the_hash(units: Units, data: st.DataObject) -> None:
    first = good(stack_of(units), files_of(units))
    name = data.draw(st.sampled_from(sorted(units)))
    key = data.draw(st.sampled_from([*sorted(units[name]), "another"]))
    value = data.draw(VALUES.filter(lambda text: text != units[name].get(key)))
    changed = {**units, name: {**units[name], key: value}}
    later = good(stack_of(changed), files_of(changed))
    assert later.plan.hash != first.plan.hash
    diff = compare(first.plan, later.plan)
    assert [(item.name, list(item.fields)) for item in diff.objects if item.change == "changed"] == [
        (f"c-{name}", [f"/data/{key}"])
    ]
    assert {item.change for item in diff.objects} <= {"changed", "unchanged"}


@settings(max_examples=15, deadline=None)
@given(UNITS)
def test_the_same_input_gives_the_same_bytes(units: Units) -> None:
    one, other = (msgspec.json.encode(good(stack_of(units), files_of(units)).plan) for _ in range(2))
    assert one == other


BASE = STACK + "  vars: {level: {default: info}}\n"
READING = DEPLOYMENT.replace('api }}"', 'api }}"\n          env: [{name: LEVEL, value: "{{ vars.level }}"}]')


def hash_of(text: str = BASE, manifest: str = READING, **more: Any) -> str:
    """Return the hash of a plan without mistakes."""
    return good(text, {"k8s/api.yaml": manifest, "k8s/web.yaml": CONFIG.replace("NAME", "web")}, **more).plan.hash


def test_inputs_that_were_read_change_the_hash() -> None:
    two = BASE.replace("services:\n", "services:\n    - {name: web, manifests: [{path: k8s/web.yaml}]}\n")
    manifests = CONFIG.replace("DATA", "{}")
    files: dict[str, Content] = {"k8s/api.yaml": READING, "k8s/web.yaml": manifests}
    hashes = [
        hash_of(),
        hash_of(baseline="2"),
        hash_of(versions={"PASSWORD": "2"}),
        hash_of(identities={"api": "ef" * 32}),
        hash_of(BASE.replace("postgres:17", "postgres:18")),
        hash_of(BASE.replace("default: info", "default: debug")),
        hash_of(preview=True),
        hash_of(changes={"namespace": "elsewhere"}),
        hash_of(changes={"domain": "b.example.org"}),
        hash_of(BASE.replace("name: api,", "name: api, protected: true,")),
        hash_of(BASE.replace("name: api,", "name: api, readiness: {timeout: 5m},")),
        hash_of(BASE.replace("name: api,", "name: api, deployGroup: back,")),
        good(two, {**files, "k8s/web.yaml": CONFIG.replace("NAME", "web").replace("DATA", "{}")}).plan.hash,
        good(
            two.replace("{name: web,", "{name: web, dependsOn: [api],"),
            {**files, "k8s/web.yaml": CONFIG.replace("NAME", "web").replace("DATA", "{}")},
        ).plan.hash,
    ]
    assert len(set(hashes)) == len(hashes)


def test_what_is_only_written_differently_does_not_change_the_hash() -> None:
    assert hash_of() == hash_of(manifest=f"# a comment\n{READING}")
    readiness = [BASE.replace("name: api,", f"name: api, readiness: {{timeout: {text}}},") for text in ("5m", "300s")]
    assert hash_of(readiness[0]) == hash_of(readiness[1])
    resources = [
        READING.replace("env:", f"resources: {{limits: {{memory: {text}}}}}\n          env:")
        for text in ("1Gi", "1024Mi")
    ]
    assert hash_of(manifest=resources[0]) == hash_of(manifest=resources[1])


def test_a_preview_says_so_in_its_hash() -> None:
    assert hash_of().startswith("sp1:")
    assert hash_of(preview=True).startswith("sp1p:")


def test_the_hash_is_over_the_canonical_plan_without_what_the_page_leaves_out() -> None:
    plan = planned().plan
    document = hashed(plan)
    assert set(document) == {
        "apiVersion", "preview", "project", "environment", "candidate", "namespace", "domain", "baseline", "vars",
        "images", "secrets", "syncs", "phases", "objects",
    }  # fmt: skip
    assert [sorted(image) for image in document["images"]] == [
        ["identity", "name", "reference", "type"],
        ["digest", "identity", "name", "reference", "type"],
    ]
    assert "provenance" not in document["objects"][0]
    assert plan.hash == f"sp1:{hashlib.sha256(canonical(document)).hexdigest()}"
    built = [
        msgspec.structs.replace(
            image, state="exists", digest="sha256:" + "0" * 64 if image.type == "build" else image.digest
        )
        for image in plan.images
    ]
    assert canonical(hashed(msgspec.structs.replace(plan, images=built, sources=(), hash="x"))) == canonical(document)


def test_a_plan_can_be_written_and_read_again() -> None:
    document = json.loads(msgspec.json.encode(planned(environment="preview").plan))
    assert document["apiVersion"] == "stagewright.dev/v1alpha1"
    assert document["environment"] == {"name": "preview", "kind": "candidate"}
    assert document["candidate"] == "i7"
    assert document["sources"][0]["alias"] == "main"
    assert len(document["sources"][0]["stackBlob"]) == 40
    assert document["objects"][0]["provenance"]["at"][1] == 1


def test_objects_of_a_unit_come_in_the_order_in_which_they_need_each_other() -> None:
    kinds = ("Ingress", "Deployment", "Service", "PersistentVolumeClaim", "ConfigMap", "Role", "ServiceAccount")
    groups = {
        "Ingress": "networking.k8s.io/v1",
        "Deployment": "apps/v1",
        "Role": "rbac.authorization.k8s.io/v1",
    }
    bodies = [f"apiVersion: {groups.get(kind, 'v1')}\nkind: {kind}\nmetadata: {{name: a}}\n" for kind in kinds]
    text = "---\n".join(bodies).replace("kind: Ingress\n", "kind: Ingress\nspec: {rules: [{host: shop.example.org}]}\n")
    plan = good(STACK, {"k8s/api.yaml": text}).plan
    assert [item.kind for item in plan.objects] == list(reversed(kinds))
    unit = next(unit for phase in plan.phases for unit in phase.units if unit.name == "api")
    assert list(unit.objects) == [item.id for item in plan.objects]
    assert unit.objects[0] == "group-default/api/ServiceAccount:a"


def test_a_variable_that_was_read_stands_in_the_plan() -> None:
    plan = good(BASE, {"k8s/api.yaml": READING}).plan
    assert {name: value.value for name, value in plan.vars.items()} == {"level": "info"}
    assert good(BASE, {"k8s/api.yaml": DEPLOYMENT}).plan.vars == {}


def test_warnings_stand_in_the_plan_and_not_in_its_hash() -> None:
    text = DEPLOYMENT + "\n      imagePullSecrets: [{name: keys}]\n"
    offline = good(STACK, {"k8s/api.yaml": text}, config=Entries(known=False)).plan
    online = good(STACK, {"k8s/api.yaml": text}, config=Entries(["keys"])).plan
    assert [item.code for item in offline.warnings] == ["stack.object_secret_unknown"]
    assert offline.hash == online.hash


@pytest.mark.parametrize("environment", ["live", "preview"])
def test_bodies_of_a_plan_fit_the_schemas_of_kubernetes(environment: str) -> None:
    manifest = READING.replace("spec:\n  template", "spec:\n  selector: {matchLabels: {app: api}}\n  template")
    text = BASE.replace("name: api,", "name: api, expose: [{service: api, port: 80}],")
    plan = good(text, {"k8s/api.yaml": manifest}, environment=environment).plan
    assert [mistakes(item.body) for item in plan.objects] == [[], []]


def test_too_many_objects_and_too_large_plans_are_refused() -> None:
    many = "---\n".join(CONFIG.replace("NAME", f"c{number}").replace("DATA", "{}") for number in range(1001))
    units: Units = {f"u{number}": {} for number in range(4)}
    files: dict[str, Content] = {}
    for name in units:
        files[f"k8s/{name}.yaml"] = many.replace("name: c", f"name: {name}-")
    result = planned(stack_of(units), files)
    assert result.told == ["object_limit stack: the plan has 4004 objects, at most 4000 are allowed; split the stack"]
    large: dict[str, Content] = {"k8s/note.yaml": CONFIG.replace("NAME", "c").replace("DATA", "{}")}
    services = []
    for place in range(17):
        large[f"{place}.bin"] = bytes([255]) * 900_000
        services.append(f"{{name: c{place}, files: [{place}.bin]}}")
    text = stack_of({"note": {}}).replace("note.yaml}]", f"note.yaml}}], configMaps: [{', '.join(services)}]")
    told = planned(text, large).told
    assert told[-1].startswith("plan_too_large stack: the plan has 20")
    assert told[-1].endswith("bytes, at most 16777216 fit; split the stack")


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"sk-[A-Za-z0-9]{24,40}", fullmatch=True), st.sampled_from(["", "ghp_" + "x" * 36]))
def test_a_planted_secret_is_in_no_plan_diff_or_message(value: str, token: str) -> None:
    """ST19.9: a config map that holds one is refused without showing it; entries have no value to show."""
    bad = CONFIG.replace("NAME", "c").replace("DATA", json.dumps({"key": f"{value} {token}"}))
    result = planned(files={"k8s/api.yaml": bad})
    assert [line.partition(" ")[0] for line in result.told] == ["object_plain_secret"]
    assert value not in "".join(result.told)
    clean = planned(
        STACK,
        {"k8s/api.yaml": f"{DEPLOYMENT}\n      imagePullSecrets: [{{name: keys}}]\n"},
        config=Entries(["keys"], value=value),
    )
    later = planned(STACK, {"k8s/api.yaml": DEPLOYMENT}, versions={"URL": "2"})
    shown = msgspec.json.encode(clean.plan) + msgspec.json.encode(compare(clean.plan, later.plan))
    shown += b"".join(canonical(item.body) for item in clean.plan.objects)
    assert value.encode() not in shown


def plan_of(manifest: str, **more: Any) -> Plan:
    """Return the plan of one manifest."""
    return good(more.pop("text", STACK), {"k8s/api.yaml": manifest}, **more).plan


def test_a_difference_names_what_is_added_removed_changed_and_kept() -> None:
    one, two, three = (CONFIG.replace("NAME", name) for name in ("one", "two", "three"))
    before = plan_of("---\n".join((one.replace("DATA", "{a: b}"), two.replace("DATA", "{}"))))
    after = plan_of("---\n".join((one.replace("DATA", "{a: c, d: e}"), three.replace("DATA", "{}"))))
    diff = compare(before, after)
    assert [(item.name, item.change, list(item.fields)) for item in diff.objects] == [
        ("one", "changed", ["/data/a", "/data/d"]),
        ("three", "added", []),
        ("two", "removed", []),
    ]
    assert [(item.name, item.kept) for item in diff.prune] == [("two", None)]
    assert not diff.empty
    assert compare(after, after).empty
    assert {item.change for item in compare(None, after).objects} == {"added"}
    assert compare(None, after).prune == []
    assert json.loads(encode(diff))["objects"][0]["change"] == "changed"


def test_a_difference_of_images_and_secrets_shows_references_and_versions() -> None:
    before, after = planned().plan, planned(identities={"api": "ef" * 32}, versions={"URL": "2"}).plan
    diff = compare(before, after)
    assert [(item.name, item.change) for item in diff.images] == [("api", "changed"), ("db", "unchanged")]
    assert [(item.name, item.change, item.before, item.after) for item in diff.secrets] == [
        ("database/PASSWORD", "unchanged", "1", "1"),
        ("database/URL", "changed", "1", "2"),
    ]


def test_what_pruning_keeps_is_said() -> None:
    empty = CONFIG.replace("NAME", "stays").replace("DATA", "{}")
    never = CONFIG.replace("NAME}", "kept, annotations: {stagewright.dev/prune: never}}").replace("DATA", "{}")
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    before, after = plan_of("---\n".join((empty, never, claim))), plan_of(empty)
    assert [(item.name, item.kept) for item in compare(before, after).prune] == [
        ("data", "volume"),
        ("kept", "annotation"),
    ]
    text = STACK.replace("name: api,", "name: api, protected: true,")
    assert [item.kept for item in compare(plan_of("---\n".join((empty, claim)), text=text), after).prune] == [
        "protected"
    ]
    candidate = [plan_of(manifest, environment="preview") for manifest in ("---\n".join((empty, claim)), empty)]
    assert [item.kept for item in compare(*candidate).prune] == [None]


def test_hooks_run_always_once_or_when_they_change() -> None:
    def hooked(run: str, **more: Any) -> Plan:
        hook = f"{{name: h, phase: afterUnit, image: api, command: [x], run: {run}}}"
        return plan_of(DEPLOYMENT, text=STACK.replace("name: api,", f"name: api, hooks: [{hook}],"), **more)

    def runs(before: Plan | None, after: Plan) -> list[tuple[str, str, str]]:
        return [(item.unit, item.name, item.why) for item in compare(before, after).hooks]

    new = {"api": "ef" * 32}
    assert runs(None, hooked("onChange")) == [("api", "h", "new")]
    assert runs(hooked("onChange"), hooked("onChange")) == []
    assert runs(hooked("onChange"), hooked("onChange", identities=new)) == [("api", "h", "changed")]
    assert runs(hooked("once"), hooked("once", identities=new)) == []
    assert runs(hooked("always"), hooked("always")) == [("api", "h", "always")]
    last = STACK + "  orchestration: {hooks: [{name: bye, phase: beforeDelete, image: api, command: [x]}]}\n"
    assert runs(None, plan_of(DEPLOYMENT, text=last)) == []
