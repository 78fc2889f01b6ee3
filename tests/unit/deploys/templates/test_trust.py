"""What a candidate may not decide (``stack.md`` section 1.4)."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.deploys.preparing import CANDIDATE, LIVE, a_request, mistakes, prepared, ready
from tests.unit.deploys.stacks import a_stack, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import pointer
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.model.tree import Mapping, Node, plain
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.preparing import prepare
from stagewright.contexts.deploys.rules.trust import PROTECTED, protect

BASE = """
spec:
  versions: {api: "1"}
  vars: {name: {default: base}}
  environments:
    live: {kind: production, domainTemplate: shop.example.org}
    preview:
      kind: candidate
      namespaceTemplate: "{{ vars.name }}-{{ versions.api }}-{{ candidate.key }}"
      quota: {requests.cpu: "2"}
  webhookRuntime: {defaultTTL: {sleep: 30m, delete: 12h}, triggerModes: {dev: full-env}}
  secretResolution: {keyOverrides: [{sourceKey: A, overrideKeys: {preview: B}}]}
  projectDocs: [{path: docs/a.md, description: a}, {path: docs/b.md, description: b}]
  roleDocTemplates: {qa: [{path: docs/c.md, description: c}]}
"""


def changed(*pairs: tuple[str, str]) -> str:
    """Return the base with some texts replaced."""
    text = BASE
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('requests.cpu: "2"', 'requests.cpu: "9"', ["12: /spec/environments/preview/quota/requests.cpu"]),
        ("kind: production, ", "kind: persistent, ", ["8: /spec/environments/live/kind"]),
        ("    live: {", "    other: {kind: persistent}\n    live: {", ["8: /spec/environments/other"]),
        (
            "    live: {kind: production, domainTemplate: shop.example.org}\n",
            "",
            ["8: /spec/environments/live"],
        ),
        ("sleep: 30m", "sleep: 5h", ["13: /spec/webhookRuntime/defaultTTL/sleep"]),
        ("dev: full-env", "qa: full-env", [f"13: /spec/webhookRuntime/triggerModes/{kind}" for kind in ("dev", "qa")]),
        ("preview: B", "preview: C", ["14: /spec/secretResolution/keyOverrides"]),
        ("description: b}", "description: x}", ["15: /spec/projectDocs/docs~1b.md/description"]),
        ("[{path: docs/c.md, description: c}]", "[]", ["16: /spec/roleDocTemplates/qa"]),
        ("spec:\n", "spec:\n  project: shop\n", ["5: /spec/project"]),
    ],
)  # fmt: skip
def test_a_change_of_a_protected_part_is_ignored_with_a_warning(before: str, after: str, said: list[str]) -> None:
    lines = [
        f"protected_change_ignored services.yaml:{line}: {path} is taken from the default branch: this change takes "
        "effect after merge"
        for line, _, path in (item.partition(": ") for item in said)
    ]
    assert mistakes(changed((before, after)), CANDIDATE, BASE) == lines
    assert all(item.severity == "warning" for item in prepared(changed((before, after)), CANDIDATE, BASE)[1].items)


def test_metadata_is_taken_from_the_base() -> None:
    text = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\nmetadata: {name: other, labels: {a: b}}\n"
    ignored = "is taken from the default branch: this change takes effect after merge"
    assert mistakes(text + BASE, CANDIDATE, BASE) == [
        f"protected_change_ignored services.yaml:3: /metadata/name {ignored}",
        f"protected_change_ignored services.yaml:3: /metadata/labels {ignored}",
    ]


def test_the_order_of_keys_and_of_keyed_items_is_no_change() -> None:
    swapped = changed(
        ("{path: docs/a.md, description: a}, {path: docs/b.md, description: b}",
         "{description: b, path: docs/b.md}, {path: docs/a.md, description: a}"),
        ("{sleep: 30m, delete: 12h}", "{delete: 12h, sleep: 30m}"),
    )  # fmt: skip
    assert mistakes(swapped, CANDIDATE, BASE) == []


def test_everything_else_comes_from_the_candidate() -> None:
    text = changed(("spec:\n", "spec:\n  services: [{name: api, manifests: [{path: '{{ vars.name }}.yaml'}]}]\n"))
    result, found = prepared(text.replace("default: base", "default: mine"), CANDIDATE, BASE)
    assert not found.items
    assert result is not None
    assert result.stack.spec.services[0].manifests[0].path == "mine.yaml"


def test_variables_of_the_candidate_do_not_reach_the_names_of_its_environment() -> None:
    text = changed(("default: base", "default: kube"), ('api: "1"', 'api: "2"'))
    result, found = prepared(text, CANDIDATE, BASE)
    assert not found.items
    assert result is not None
    assert result.environment.namespace == "base-1-i7"


def test_without_a_stack_on_the_default_branch_a_candidate_gets_the_built_in_defaults() -> None:
    repositories = a_stack("spec: {}")
    result, found = prepared(BASE, CANDIDATE, None, base=repositories)
    assert result is not None
    assert result.environment.namespace == "shop-i7"
    assert result.environment.quota["requests.cpu"] == "4"
    assert result.declared == ("preview",)
    assert result.stack.spec.project_docs == []
    assert {item.code for item in found.items} == {"stack.protected_change_ignored"}


def test_without_a_stack_on_the_default_branch_no_other_kind_can_be_deployed() -> None:
    said = "the default branch has no stack, so only candidates can be deployed: merge the stack first"
    assert mistakes(BASE, LIVE, None, base=a_stack("spec: {}")) == [f"unknown_environment services.yaml:8: {said}"]


def test_a_plan_that_may_be_carried_out_never_trusts_a_candidate_alone() -> None:
    result, _ = prepared(BASE, CANDIDATE, None, preview=False)
    assert result is not None
    assert result.environment.namespace == "shop-i7"
    assert ready(BASE).environment.namespace == "base-1-i7"


def test_without_changes_the_tree_is_the_same() -> None:
    base = loaded(BASE)
    found = Findings()
    tree = protect(base.tree, base.tree, found)
    assert plain(tree) == plain(base.tree)
    assert not found.items


def _flow(items: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


# ST19.11: whatever a candidate writes, the protected parts of what is prepared are the base's.
_SCALARS = st.sampled_from(
    ["'x'", "1", "true", "candidate", "production", "preview", "'{{ vars.name }}'", "shop", "5m"]
)
_KEYS = st.sampled_from(
    ["live", "preview", "kind", "from", "quota", "namespaceTemplate", "name", "labels", "dev", "path", "defaultTTL"]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(_KEYS, inner, max_size=4).map(_flow),
        st.lists(inner, max_size=3).map(lambda x: f"[{', '.join(x)}]"),
    ),
    max_leaves=8,
)


_PARTS = [str(path[1]) for path in PROTECTED if len(path) > 1]
_EDITS = st.dictionaries(st.sampled_from(_PARTS), st.one_of(st.none(), _VALUES), max_size=len(_PARTS))


def _protected(result: Prepared) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in PROTECTED:
        node: Node | None = result.tree
        for step in path:
            node = node.items.get(str(step)) if isinstance(node, Mapping) else None
        found[pointer(path)] = plain(node) if node is not None else None
    return found


@settings(max_examples=60)
@given(_EDITS, st.sampled_from(["base", "kube", "x y", "{{"]), st.booleans())
def test_no_edit_of_a_candidate_changes_what_is_protected(edits: dict[str, str | None], value: str, meta: bool) -> None:
    base = loaded(BASE)
    spec: dict[str, Any] = json.loads(json.dumps(plain(base.tree)))["spec"]
    spec["vars"]["name"]["default"] = value
    texts = {key: json.dumps(item) for key, item in spec.items()}
    texts |= {key: text for key, text in edits.items() if text is not None}
    kept = {key: text for key, text in texts.items() if key not in edits or edits[key] is not None}
    head = "metadata: {name: evil, labels: {a: b}}" if meta else "metadata: {name: shop}"
    text = f"apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\n{head}\nspec: {_flow(kept)}\n"
    found, own = Findings(), Findings()
    expected = prepare(base, base, a_request(), CANDIDATE, own)
    edited = load(a_stack(text), Findings())
    assume(edited is not None)
    assert edited is not None
    result = prepare(edited, base, a_request(), CANDIDATE, found)
    assert expected is not None
    assert not own.items
    assert result is not None, told(found)
    assert not found.failed, told(found)
    assert _protected(result) == _protected(expected)
    assert result.environment == expected.environment
    assert result.declared == expected.declared
