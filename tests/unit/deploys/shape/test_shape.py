"""Stage 4: every mistake of form is told at once, at its own place, in one sentence with its remedy."""

import time

import pytest
from tests.unit.deploys.stacks import line_of, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Findings
from stagewright.contexts.deploys.rules.shape import check_shape, typed

ENVIRONMENTS = "spec:\n  environments: {live: {kind: production}}\n"


def found_in(text: str) -> list[Diagnostic]:
    found = Findings()
    check_shape(loaded(text).tree, found)
    return list(found.sorted())


def in_spec(lines: str) -> str:
    """Return a stack with an environment in line 5, and more fields of the spec from line 6 on."""
    return ENVIRONMENTS + "".join(f"  {line}\n" for line in lines.strip("\n").split("\n"))


PLAIN = {
    "api_version": (
        "apiVersion: stagewright.dev/v2\nkind: ServiceStack\nmetadata: {name: shop}\n" + ENVIRONMENTS,
        "api_version services.yaml:1: apiVersion must be stagewright.dev/v1alpha1, not the text 'stagewright.dev/v2'",
        13,
        "/apiVersion",
    ),
    "kind": (
        "apiVersion: stagewright.dev/v1alpha1\nkind: Stack\nmetadata: {name: shop}\n" + ENVIRONMENTS,
        "kind services.yaml:2: kind must be ServiceStack or ServiceStackFragment, not the text 'Stack'",
        7,
        "/kind",
    ),
    "unknown_field": (
        in_spec("services:\n- name: api\n  depends: [db]"),
        "unknown_field services.yaml:8: the field 'depends' is not known in api; rename or remove it",
        5,
        "/spec/services/api/depends",
    ),
    "missing_field": (
        in_spec("orchestration:\n  hooks:\n  - {name: smoke, phase: afterDeploy, image: api}"),
        "missing_field services.yaml:8: the field 'command' is missing in smoke; add it",
        7,
        "/spec/orchestration/hooks/smoke/command",
    ),
    "wrong_type": (
        in_spec("versions: {schema: 12}"),
        "wrong_type services.yaml:6: schema must be a text, not the number 12",
        22,
        "/spec/versions/schema",
    ),
    "bad_enum": (
        in_spec("services:\n- {name: api, codeUpdateStrategy: hotreload}"),
        "bad_enum services.yaml:7: codeUpdateStrategy must be rebuild, restart or hot-reload, not the text 'hotreload'",
        37,
        "/spec/services/api/codeUpdateStrategy",
    ),
    "bad_value": (
        in_spec("orchestration: {maxParallel: 17}"),
        "bad_value services.yaml:6: maxParallel must be at most 16, not the number 17",
        32,
        "/spec/orchestration/maxParallel",
    ),
    "bad_name": (
        in_spec("images: {Api: {type: build}}"),
        (
            "bad_name services.yaml:6: the name 'Api' is not valid; write lower-case letters, digits and '-', at "
            "most 40 characters, a letter or digit at both ends"
        ),
        12,
        "/spec/images/Api",
    ),
    "bad_duration": (
        in_spec("webhookRuntime: {ttlByRole: {qa: 90min}}"),
        (
            "bad_duration services.yaml:6: qa cannot be '90min'; write days, hours, minutes and seconds in "
            "this order, for example 1h30m, and more than 0"
        ),
        36,
        "/spec/webhookRuntime/ttlByRole/qa",
    ),
    "bad_quantity": (
        in_spec("images: {api: {type: build, resources: {limits: {cpu: 0.5}}}}"),
        "bad_quantity services.yaml:6: cpu must be a quantity such as 500m, 2 or 8Gi, not the number 0.5",
        57,
        "/spec/images/api/resources/limits/cpu",
    ),
    "exclusive_fields": (
        "spec:\n  environments:\n    live: {kind: production, egress: [{preset: platform, ports: [443]}]}\n",
        "exclusive_fields services.yaml:6: ports cannot stand beside preset; write two items, or remove one field",
        58,
        "/spec/environments/live/egress/0/ports",
    ),
    "image_fields": (
        in_spec("images:\n  db: {type: external, from: 'postgres:17', context: .}"),
        (
            "image_fields services.yaml:7: context belongs to images of type build; this one is of type external: "
            "remove the field"
        ),
        47,
        "/spec/images/db/context",
    ),
    "secret_source": (
        in_spec("secrets:\n- name: db\n  keys:\n    A: {shareable: true}"),
        "secret_source services.yaml:9: the key 'A' has no source; give one of generate, from, copy, compose",
        10,
        "/spec/secrets/db/keys/A",
    ),
    "secret_source twice": (
        in_spec("secrets:\n- name: db\n  keys:\n    A: {compose: x, generate: {kind: hex}}"),
        "secret_source services.yaml:9: the key 'A' has several sources (generate, compose); keep one",
        11,
        "/spec/secrets/db/keys/A",
    ),
    "secret_key_name": (
        in_spec("secrets:\n- {name: db, keys: {a/b: {compose: x}}}"),
        (
            "secret_key_name services.yaml:7: the name 'a/b' is not valid; write letters, digits, '.', '_' and '-', at "
            "most 253 characters"
        ),
        23,
        "/spec/secrets/db/keys/a~1b",
    ),
    "when_not_bool": (
        in_spec("services:\n- {name: api, when: 'yes'}"),
        (
            "when_not_bool services.yaml:7: when must be true, false or a template that gives one of them, not the "
            "text 'yes'"
        ),
        23,
        "/spec/services/api/when",
    ),
}


SOUND = {
    "api_version, kind": "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStackFragment\n",
    "unknown_field": in_spec("services:\n- name: api\n  dependsOn: [db]\n  x-depends: [db]"),
    "missing_field": in_spec("orchestration:\n  hooks:\n  - {name: a, phase: afterDeploy, image: api, command: []}"),
    "wrong_type": in_spec('versions: {schema: "12"}'),
    "bad_enum": in_spec("services:\n- {name: api, codeUpdateStrategy: hot-reload}"),
    "bad_value": in_spec("orchestration: {maxParallel: 16}\nvars: {a: {pattern: '[a-z]+'}}"),
    "bad_name": in_spec(f"images: {{{'a' * 40}: {{type: build}}}}"),
    "bad_duration": in_spec("webhookRuntime: {ttlByRole: {qa: 1d90m, dev: 0h1s}}"),
    "bad_quantity": in_spec('images: {a: {type: build, resources: {limits: {cpu: "0.5", b: 4, c: "1e3", d: 8Gi}}}}'),
    "exclusive_fields": (
        "spec:\n  environments:\n    live: {kind: production, egress: "
        "[{preset: platform}, {cidr: 10.0.0.0/8, ports: [1]}, {cidr: '{{ vars.a }}'}]}\n"
    ),
    "image_fields": in_spec("images: {db: {type: external, from: 'postgres:17', mirror: never}}"),
    "secret_source": in_spec("secrets:\n- {name: db, keys: {A: {compose: x, shareable: true}}}"),
    "secret_key_name": in_spec("secrets:\n- {name: db, keys: {tls.crt_A-1: {compose: x}}}"),
    "when_not_bool": in_spec("services:\n- {name: api, when: false}"),
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_what_is_right_is_not_complained_of(text: str) -> None:
    assert [line_of(item) for item in found_in(text)] == []


OTHERS = {
    "metadata:\n  name: shop\n  labels: {stagewright.dev/x: a}": (
        "bad_value services.yaml:5: the label 'stagewright.dev/x' is not valid: the prefix stagewright.dev/ is the "
        "platform's own"
    ),
    "metadata:\n  name: shop\n  labels: {a: 'b c'}": (
        "bad_value services.yaml:5: a cannot be 'b c'; write letters, digits, '.', '_' and '-', at most 63 "
        "characters, a letter or digit at both ends"
    ),
}
IN_SPEC = {
    "vars: {a: {pattern: '[a'}}": "bad_value services.yaml:6: pattern must be a regular expression, not the text '[a'",
    "images: {db: {type: external}}": (
        "missing_field services.yaml:6: the field 'from' is missing in db; an external image needs a reference such as "
        "postgres:17"
    ),
    "images: [a]": "wrong_type services.yaml:6: images must be a map, not a list",
    "services: {a: {}}": "wrong_type services.yaml:6: services must be a list, not a map",
    "services: [api]": "wrong_type services.yaml:6: item 1 of services must be a map, not the text 'api'",
    "vars: {a: {required: 1}}": "wrong_type services.yaml:6: required must be true or false, not the number 1",
    "vars: {a: {default: true}}": "wrong_type services.yaml:6: default must be a text, not true",
    "orchestration: {maxParallel: 1.5}": (
        "wrong_type services.yaml:6: maxParallel must be a whole number, not the number 1.5"
    ),
    "secrets:\n- {name: db, keys: {}}": "bad_value services.yaml:7: keys must be given at least 1 item, not a map",
    "secrets: [{name: db, keys: {A: text}}]": "wrong_type services.yaml:6: A must be a map, not the text 'text'",
    "projectDocs: [{path: a, description: '" + "x" * 201 + "'}]": (
        "bad_value services.yaml:6: description must be at most 200 characters long, not the text '" + "x" * 77 + "…'"
    ),
    "projectDocs: [{path: '', description: a}]": (
        "bad_value services.yaml:6: path must be at least 1 character long, not the text ''"
    ),
    "services: [{name: '{{ a }}'}]": (
        "bad_name services.yaml:6: name cannot be '{{ a }}'; write lower-case letters, digits and '-', at most 40 "
        "characters, a letter or digit at both ends"
    ),
}


@pytest.mark.parametrize(("lines", "line"), IN_SPEC.items())
def test_each_kind_of_value_has_its_own_sentence(lines: str, line: str) -> None:
    assert [line_of(item) for item in found_in(in_spec(lines))] == [line]


@pytest.mark.parametrize(("metadata", "line"), OTHERS.items())
def test_labels_are_those_of_kubernetes_without_ours(metadata: str, line: str) -> None:
    text = f"apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\n{metadata}\n{ENVIRONMENTS}"
    assert [line_of(item) for item in found_in(text)] == [line]


@pytest.mark.parametrize(
    ("egress", "line"),
    [
        (
            "{ports: [1]}",
            "missing_field services.yaml:6: the field 'cidr' is missing in item 1 of egress; give a cidr, or a preset",
        ),
        (
            "{cidr: 10.0.0.1/8}",
            "bad_value services.yaml:6: cidr must be a network such as 203.0.113.0/24, not the text '10.0.0.1/8'",
        ),
        (
            "{cidr: 10.0.0.0/8, ports: [0]}",
            "bad_value services.yaml:6: item 1 of ports must be at least 1, not the number 0",
        ),
    ],
)
def test_egress_is_a_preset_or_a_network(egress: str, line: str) -> None:
    text = f"spec:\n  environments:\n    live: {{kind: production, egress: [{egress}]}}\n"
    assert [line_of(item) for item in found_in(text)] == [line]


def test_a_document_that_is_wrong_everywhere_is_told_everywhere_and_stops_nothing() -> None:
    envelope = "apiVersion: 1\nkind: []\nmetadata: x\nspec: "
    for spec in ("x", "[1]", "{environments: [], vars: [], images: x, secrets: [1, {name: []}]}"):
        assert len(found_in(envelope + spec + "\n")) >= 4


@pytest.mark.parametrize(("text", "line", "column", "path"), PLAIN.values(), ids=PLAIN)
def test_a_mistake_of_form_is_told_at_its_place(text: str, line: str, column: int, path: str) -> None:
    found = found_in(text)
    assert [line_of(item) for item in found] == [line]
    assert (found[0].at.column if found[0].at else 0, found[0].path) == (column, path)


def test_the_problem_of_a_field_with_several_forms_is_that_of_the_form_that_was_meant() -> None:
    text = in_spec("versions: {api: {valeu: '1'}}\nwebhookRuntime: {defaultTTL: [], ttlByRole: {qa: {sleep: 1}}}")
    assert [line_of(item) for item in found_in(text)] == [
        "missing_field services.yaml:6: the field 'value' is missing in api; add it",
        "unknown_field services.yaml:6: the field 'valeu' is not known in api; rename or remove it",
        "wrong_type services.yaml:7: defaultTTL must be a map, not an empty list",
        "wrong_type services.yaml:7: sleep must be a text, not the number 1",
    ]


def test_an_unknown_field_hints_at_the_nearest_one_else_at_all() -> None:
    hints = [item.hint for item in found_in(in_spec("services:\n- {name: api, depends_on: [], zzz: 1, x-Team: a}"))]
    assert hints[0] == "did you mean 'dependsOn'?"
    assert hints[1] is not None
    assert hints[1].startswith("the fields here are codeUpdateStrategy, configMaps, ")
    assert hints[2] == "a key of your own is written x- and lower-case letters, digits and '-'"


def test_keys_of_ones_own_are_ignored_in_maps_with_fixed_fields_and_stay_in_others() -> None:
    text = in_spec(
        """
x-owners: [team]
orchestration:
  x-note: {any: [thing]}
  hooks: [{name: a, phase: afterDeploy, image: b, command: [c], x-on: 1, env: {x-on: 'yes'}}]
"""
    )
    found = Findings()
    stack = typed(loaded(text).tree, found)
    assert told(found) == []
    assert stack is not None
    assert stack.spec.orchestration.hooks[0].env == {"x-on": "yes"}


def test_a_template_satisfies_any_scalar_before_rendering_and_none_but_texts_after_it() -> None:
    text = in_spec(
        """
services:
- name: api
  when: "{{ env.kind == 'candidate' }}"
  scope: "{{ vars.scope }}"
  dependsOn: ["{{ vars.db }}"]
  protected: "{{ vars.safe }}"
  readiness: {timeout: "{{ vars.slow }}", http: {service: "{{ vars.s }}", port: "{{ vars.port }}"}}
"""
    )
    assert found_in(text) == []
    found = Findings()
    assert typed(loaded(text).tree, found) is None
    assert [line.split(":")[0] + line.split(":")[1] for line in told(found)] == [
        "when_not_bool services.yaml8",
        "bad_enum services.yaml9",
        "bad_name services.yaml10",
        "wrong_type services.yaml11",
        "bad_duration services.yaml12",
        "wrong_type services.yaml12",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        'services: [{name: "{{ x }}"}]',
        'images: {api: {type: "{{ x }}"}}',
        'webhookRuntime: {defaultTTL: "{{ x }}"}',
        'project: "{{ x }}"',
    ],
)
def test_names_and_what_is_read_without_an_environment_are_no_templates(lines: str) -> None:
    assert len(found_in(in_spec(lines))) == 1


def test_a_root_needs_a_name_and_an_environment() -> None:
    envelope = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\n"
    assert [line_of(item) for item in found_in(envelope + "metadata: {}\nspec: {}\n")] == [
        "missing_field services.yaml:3: the field 'name' is missing in metadata; a stack needs a name",
        (
            "missing_field services.yaml:4: the field 'environments' is missing in spec; a stack needs at least one "
            "environment"
        ),
    ]
    assert [line_of(item).split(": ", 1)[1] for item in found_in(envelope)] == [
        "the field 'metadata' is missing; a stack needs metadata with a name",
        "the field 'spec' is missing; a stack needs a spec with at least one environment",
    ]


def test_two_hundred_services_are_checked_in_an_instant() -> None:
    services = "services:\n" + "".join(
        f"- {{name: s{n}, dependsOn: [db], manifests: [{{path: a{n}}}, {{path: b{n}, when: '{{{{ x }}}}'}}]}}\n"
        for n in range(200)
    )
    tree = loaded(in_spec(services)).tree
    started = time.perf_counter()
    found = Findings()
    check_shape(tree, found)
    assert (found.items, time.perf_counter() - started < 0.25) == ([], True)
