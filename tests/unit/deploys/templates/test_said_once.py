"""A mistake that another stage has said is not said again, and nothing that is broken stops the rest."""

import pytest
from tests.unit.deploys.preparing import CANDIDATE, LIVE, Entries, a_request, mistakes, prepared, ready
from tests.unit.deploys.stacks import loaded, told
from tests.unit.deploys.templates.expressions import computed

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Selection
from stagewright.contexts.deploys.rules.preparing import prepare, with_images
from stagewright.contexts.deploys.rules.rendering import render_stack
from stagewright.contexts.deploys.rules.shape.checking import check_shape

IT = Selection(environment="it")
HEAD = "spec:\n  environments: {it: {kind: persistent}}\n"


@pytest.mark.parametrize(
    "text",
    [
        "spec: {environments: {it: 5}}",
        "spec: {environments: {it: {kind: nonsense}}}",
        "spec: {environments: {it: {kind: persistent, nonsense: 5}}}",
        "spec: {environments: {it: {kind: persistent, podSecurity: privileged}}}",
        "spec: {environments: {it: {from: 5, kind: candidate, maxLive: x}}}",
        "spec: {environments: {it: {kind: persistent, egress: [{cidr: nonsense}]}}}",
        "spec: {environments: {it: {kind: persistent, quota: {pods: x}}}}",
        "spec: {environments: 5}",
        "spec: 5",
        HEAD + "  vars: {v: 5}",
        HEAD + "  vars: {v: {default: [5]}}",
        HEAD + "  vars: {v: {environments: {it: [5]}}}",
        HEAD + "  vars: {v: {default: a, pattern: '['}}",
        HEAD + "  versions: {v: 5}",
        HEAD + "  secretResolution: {keyOverrides: 5}\n  vars: {v: {default: a, config: KEY}}",
        HEAD + "  services: [{name: 5}]",
        HEAD + "  webhookRuntime: {defaultTTL: 5x}",
    ],
)
def test_what_the_schema_says_is_said_once(text: str) -> None:
    stack, found = loaded(text), Findings()
    check_shape(stack.tree, found)
    said = told(found)
    assert prepare(stack, None, a_request(), IT, found) is None
    assert said
    assert told(found) == said


def test_a_template_that_gives_omit_leaves_the_default() -> None:
    text = "spec: {environments: {it: {kind: KIND, namespaceTemplate: '{{ omit }}', domainTemplate: '{{ omit }}'}}}"
    it = ready(text.replace("KIND", "persistent"), IT).environment
    assert (it.namespace, it.domain) == ("shop-it", None)
    it = ready(text.replace("KIND", "candidate"), IT).environment
    assert (it.namespace, it.domain) == ("shop-i1", "i1-shop.preview.example.org")
    whole = ready(HEAD + "  orchestration: '{{ omit }}'", IT)
    assert whole.stack.spec.orchestration.hooks == []


def test_names_may_be_raw() -> None:
    text = "spec: {environments: {it: {kind: persistent, namespaceTemplate: !raw plain}}}"
    assert ready(text, IT).environment.namespace == "plain"
    assert mistakes(text.replace("plain", "'{{ x }}'"), IT)[0].startswith("namespace_invalid services.yaml:4: ")


def test_a_name_that_one_candidate_cannot_have_is_not_unique() -> None:
    name = "{{ candidate.key if candidate.key == 'i7' else 5 }}"
    shared = "else all candidates share a namespace"
    assert mistakes(f'spec: {{environments: {{preview: {{kind: candidate, namespaceTemplate: "{name}"}}}}}}') == [
        "namespace_not_unique services.yaml:4: namespaceTemplate of a candidate environment must read candidate.key: "
        + shared
    ]


def test_a_variable_without_a_value_is_said_once_however_often_it_is_read() -> None:
    text = """
        spec:
          vars: {v: {environments: {other: x}}}
          environments:
            live: {kind: production, namespaceTemplate: "{{ vars.v }}"}
            preview: {kind: candidate}
          images: {a: {type: build, target: "{{ vars.v }}", args: {A: "{{ vars.v }}"}}}
        """
    said = "the variable 'v' has no value; tried: environments.{}, default"
    assert mistakes(text, CANDIDATE) == [
        f"var_unresolved services.yaml:5: {said.format('live')}",
        f"var_unresolved services.yaml:5: {said.format('preview')}",
    ]
    assert prepared(text, LIVE)[0] is None


def test_an_unreadable_resolution_counts_as_none() -> None:
    text = HEAD + "  secretResolution: {keyOverrides: 5}\n  vars: {v: {default: a, config: KEY}}\n"
    assert prepared(text, IT, config=Entries())[0] is None


def test_a_tree_without_a_spec_is_rendered_as_it_is() -> None:
    tree, found = loaded("metadata2: 1").tree, Findings()
    scope = ready(HEAD, IT).variables
    assert render_stack(tree, scope, scope, scope, found).tree is tree
    assert prepare(loaded("metadata2: 1"), None, a_request(), IT, found) is None
    assert not found.items


def test_names_in_operations_are_read_by_the_sandbox_from_our_maps_alone() -> None:
    assert computed("project.key ~ project['key']") == "shopshop"
    assert (
        computed("vars.level.upper ~ ''")
        == "template_type: a text has no names in it, so 'upper' cannot be read from it"
    )


def test_texts_without_images_stay() -> None:
    assert with_images("plain", {}) == "plain"
