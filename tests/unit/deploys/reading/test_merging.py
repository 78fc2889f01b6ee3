"""Merging: the rules one by one with their messages, and their laws over generated stacks."""

import copy
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.stack_files import blob_id
from tests.unit.deploys.stacks import FRAGMENT, STACK, a_stack, fragment, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import Path, Source
from stagewright.contexts.deploys.model.sources import Blob
from stagewright.contexts.deploys.model.tree import Mapping as Tree
from stagewright.contexts.deploys.model.tree import Node, Scalar, plain
from stagewright.contexts.deploys.model.tree import Sequence as Many
from stagewright.contexts.deploys.rules.keyed import STACK as FORM
from stagewright.contexts.deploys.rules.keyed import Form, inside, steps
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.merging import Layer, merge
from stagewright.contexts.deploys.rules.reading import read_stack_file


def spec_of(upper: str, *lower: str) -> tuple[object, list[str]]:
    """Merge a root over a chain of fragments (each imports the next); return the spec and the findings."""
    files = {f"f{index}.yaml": fragment(_importing(text, index + 1, len(lower))) for index, text in enumerate(lower)}
    found = Findings()
    result = load(a_stack(_importing(upper, 0, len(lower)), files), found)
    assert result is not None
    tree = plain(result.tree)
    assert isinstance(tree, dict)
    return tree.get("spec"), told(found)


def _importing(text: str, following: int, count: int) -> str:
    imports = f"\n  imports: [f{following}.yaml]" if following < count else ""
    return f"spec:\n{textwrap.indent(textwrap.dedent(text).strip(), '  ')}{imports}\n"


def siblings(one: str, other: str, root: str = "") -> list[str]:
    """Merge two files that do not know of each other."""
    files = {"a.yaml": fragment(f"spec: {one}"), "b.yaml": fragment(f"spec: {other}")}
    found = Findings()
    load(a_stack("spec:\n  imports: ['*.yaml']\n" + root, files), found)
    return told(found)


@pytest.mark.parametrize(
    ("upper", "lower", "merged"),
    [
        (
            "vars: {a: {default: x}}",
            "vars: {a: {pattern: p}, b: {}}",
            {"vars": {"a": {"default": "x", "pattern": "p"}, "b": {}}},
        ),
        ("x-l: [1]", "x-l: [2, 3]", {"x-l": [1]}),
        ("x-s: 1", "x-s: two", {"x-s": 1}),
        (
            "secrets: [{name: b, type: Opaque}]",
            "secrets: [{name: a}, {name: b, restart: none}]",
            {"secrets": [{"name": "a"}, {"name": "b", "restart": "none", "type": "Opaque"}]},
        ),
        (
            "services: [{name: a, manifests: [{path: z}, {path: x, render: false}], hooks: [{name: h, run: once}]}]",
            "services: [{name: a, manifests: [{path: x, when: true}], hooks: [{name: h, phase: p}], dependsOn: [z]}]",
            {
                "services": [
                    {
                        "name": "a",
                        "manifests": [{"path": "x", "when": True, "render": False}, {"path": "z"}],
                        "hooks": [{"name": "h", "phase": "p", "run": "once"}],
                        "dependsOn": ["z"],
                    }
                ]
            },
        ),
        (
            "projectDocs: [{path: a, priority: 1}, {repository: ui, path: a}]",
            "projectDocs: [{path: a, description: d}]",
            {"projectDocs": [{"path": "a", "description": "d", "priority": 1}, {"repository": "ui", "path": "a"}]},
        ),
        ("vars: {$replace: true, a: {}}", "vars: {b: {}}", {"vars": {"a": {}}}),
        ("x-a: {$replace: true, b: 1}", "x-a: text", {"x-a": {"b": 1}}),
        ("services: [{$replace: true}, {name: b}]", "services: [{name: a}]", {"services": [{"name": "b"}]}),
        (
            "services: [{name: a, $replace: true, use: [c]}]",
            "services: [{name: a, protected: true}, {name: b}]",
            {"services": [{"name": "a", "use": ["c"]}, {"name": "b"}]},
        ),
        ("vars: {b: {$delete: true}}", "vars: {a: {}, b: {}}", {"vars": {"a": {}}}),
        ("x-a: {b: {$delete: true}}", "x-a: {b: 1, c: 2}", {"x-a": {"c": 2}}),
        ("services: [{name: a, $delete: true}]", "services: [{name: a}, {name: b}]", {"services": [{"name": "b"}]}),
        (
            "x-l: [{services: [{name: b}, {name: a}]}]",
            "x-l: []",
            {"x-l": [{"services": [{"name": "b"}, {"name": "a"}]}]},
        ),
    ],
)
def test_a_file_overrides_what_it_imports(upper: str, lower: str, merged: object) -> None:
    assert spec_of(upper, lower) == (merged, [])
    assert spec_of(upper, "x-between: 1", lower)[0] == {**merged, "x-between": 1}  # type: ignore[dict-item]


ONLY = "only $replace: true and $delete: true in what is merged do"


@pytest.mark.parametrize(
    ("upper", "lower", "problem"),
    [
        (
            "vars: [a]",
            "vars: {a: {}}",
            (
                "merge_type services.yaml:5: a list cannot override a map in f0.yaml:4; "
                "use the same type, or a map with $replace: true"
            ),
        ),
        (
            "x-a: {b: 1}",
            "x-a: 1",
            (
                "merge_type services.yaml:5: a map cannot override a single value in f0.yaml:4; "
                "use the same type, or a map with $replace: true"
            ),
        ),
        (
            "vars: {a: {$delete: true}}",
            "vars: {b: {}}",
            (
                "merge_delete_missing services.yaml:5: $delete finds nothing to remove at /spec/vars/a: "
                "no imported file sets it; remove the marker"
            ),
        ),
        (
            "services: [{name: a, $delete: true}]",
            "services: [{name: b}]",
            (
                "merge_delete_missing services.yaml:5: $delete finds nothing to remove at /spec/services/a: "
                "no imported file sets it; remove the marker"
            ),
        ),
        (
            "services: [{name: a, $delete: true, use: []}]",
            "services: [{name: a}]",
            "merge_marker services.yaml:5: 'use' stands beside $delete; only name may",
        ),
        (
            "vars: {a: {$delete: true, default: x}}",
            "vars: {a: {}}",
            "merge_marker services.yaml:5: 'default' stands beside $delete; nothing may",
        ),
        (
            "vars: {$replace: 1}",
            "vars: {a: {}}",
            "merge_marker services.yaml:5: $replace is true or not there at all",
        ),
        (
            "vars: {$merge: true}",
            "vars: {a: {}}",
            f"merge_marker services.yaml:5: '$merge' has no meaning here; {ONLY}",
        ),
        ("x-a: {$merge: true}", "x-b: 1", f"merge_marker services.yaml:5: '$merge' has no meaning here; {ONLY}"),
        ("x-a: [{$delete: true}]", "x-b: 1", f"merge_marker services.yaml:5: '$delete' has no meaning here; {ONLY}"),
        (
            "services: [{name: b}, {$replace: true}]",
            "services: [{name: a}]",
            f"merge_marker services.yaml:5: '$replace' has no meaning here; {ONLY}",
        ),
        (
            "services:\n  - name: a\n  - name: a",
            "services: [{name: b}]",
            "merge_duplicate services.yaml:7: 'a' stands here and in line 6 of the same list; make them one item",
        ),
    ],
)
def test_a_wrong_merge_is_told_with_both_places(upper: str, lower: str, problem: str) -> None:
    assert spec_of(upper, lower)[1] == [problem]


def test_a_marker_deep_in_a_list_is_told() -> None:
    assert spec_of("x-a: [{b: {$c: 1}, d: [{$e: 1}, [2]], f: 3}]", "x-b: 1")[1] == [
        f"merge_marker services.yaml:5: '{name}' has no meaning here; {ONLY}" for name in ("$c", "$e")
    ]
    assert spec_of("services: [{$replace: maybe}, {name: b}]", "services: [{name: a}]")[1] == [
        "merge_marker services.yaml:5: $replace is true or not there at all"
    ]


def test_items_without_a_key_are_kept_for_the_check_of_their_shape() -> None:
    spec, problems = spec_of("services: [text, {use: []}, {name: b}]", "services: [{name: a}, {$delete: true}]")
    assert spec == {"services": [{"name": "a"}, {"name": "b"}, "text", {"use": []}]}
    assert problems == [
        (
            "merge_delete_missing f0.yaml:4: $delete finds nothing to remove at /spec/services/4: "
            "no imported file sets it; remove the marker"
        )
    ]


def test_lists_agree_item_by_item() -> None:
    for one, other in (("[{a: 1, b: [2]}]", "[{b: [2], a: 1}]"), ("[]", "[]")):
        assert siblings(f"{{x-a: {one}}}", f"{{x-a: {other}}}") == []
    for one, other in (("[{a: 1}]", "[{b: 1}]"), ("[{a: 1}]", "[1]"), ("[[1]]", "[[1, 2]]"), ("[1]", "[1.0]")):
        assert len(siblings(f"{{x-a: {one}}}", f"{{x-a: {other}}}")) == 1
    assert len(siblings("{x-a: !raw x}", "{x-a: x}")) == 1


def test_a_whole_file_cannot_be_removed() -> None:
    found = Findings()
    load(a_stack(STACK + "$delete: true\nspec: {}"), found)
    assert told(found) == ["merge_marker services.yaml:4: a whole file cannot be removed by $delete; do not import it"]


def test_files_beside_each_other_must_agree() -> None:
    keep = "keep one of them, or set it in a file that imports both"
    assert siblings("{x-a: 1, x-b: [1], vars: {a: {}}}", "{x-a: 1, x-b: [1], vars: {b: {}}}") == []
    assert siblings("{x-a: 1}", "{x-a: '1'}") == [
        f"merge_conflict a.yaml:3: /spec/x-a is 1 in a.yaml:3 and '1' in b.yaml:3; {keep}"
    ]
    assert siblings("{x-a: [1]}", "{x-a: [2]}") == [
        f"merge_conflict a.yaml:3: /spec/x-a is a list in a.yaml:3 and a list in b.yaml:3; {keep}"
    ]
    assert siblings("{x-a: true}", "{x-a: 1}", "  x-a: 2\n") == []
    assert siblings("{services: [{name: s, protected: true}]}", "{services: [{name: s, protected: false}]}") == [
        f"merge_conflict a.yaml:3: /spec/services/s/protected is True in a.yaml:3 and False in b.yaml:3; {keep}"
    ]
    files = {
        "a.yaml": fragment("spec: {imports: [c.yaml], vars: {v: {$delete: true}}}"),
        "b.yaml": fragment("spec: {vars: {v: {default: x}}}"),
        "c.yaml": fragment("spec: {vars: {v: {default: x}}}"),
    }
    found = Findings()
    load(a_stack("spec: {imports: [a.yaml, b.yaml]}", files), found)
    assert told(found) == [
        "merge_conflict a.yaml:3: a.yaml:3 removes what b.yaml:3 sets; let one of the two files import the other"
    ]


def test_a_diamond_is_no_conflict() -> None:
    files = {
        "a.yaml": fragment("spec: {imports: [c.yaml], vars: {v: {default: a}}}"),
        "b.yaml": fragment("spec: {imports: [c.yaml]}"),
        "c.yaml": fragment("spec: {vars: {v: {default: c}}}"),
    }
    result = loaded("spec: {imports: [b.yaml, a.yaml]}", files)
    assert plain(result.tree.items["spec"]) == {"vars": {"v": {"default": "a"}}}
    assert [str(at) for at in result.shadowed["spec", "vars", "v", "default"]] == ["c.yaml:3"]


def test_an_item_keeps_the_place_of_the_file_that_declared_it_first() -> None:
    others = {"ui": {"web.yaml": fragment("spec: {services: [{name: web, manifests: [{path: w.yaml}]}]}")}}
    result = loaded(
        "spec: {repositories: [{alias: ui}], imports: [{repository: ui, path: web.yaml}], "
        "services: [{name: web, manifests: [{path: w.yaml, when: false}]}]}",
        None,
        others,
    )
    spec = result.tree.items["spec"]
    assert isinstance(spec, Tree)
    services = spec.items["services"]
    assert isinstance(services, Many)
    web = services.items[0]
    assert isinstance(web, Tree)
    manifests = web.items["manifests"]
    assert isinstance(manifests, Many)
    manifest = manifests.items[0]
    assert isinstance(manifest, Tree)
    assert {web.at.source.repository, web.items["name"].at.source.repository} == {"ui"}
    assert manifest.items["path"].at.source.repository == "ui"
    assert manifest.items["when"].at.source.repository == "main"


# laws over generated stacks

NAMES = st.sampled_from("abcd")


def _item(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"name": NAMES}, optional=fields)


def _list(item: st.SearchStrategy[dict[str, Any]], *key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(item, max_size=3, unique_by=lambda one: tuple(str(one.get(name)) for name in key or ("name",)))


SCALAR = st.one_of(st.booleans(), st.integers(-5, 5), st.sampled_from(("x", "{{ y }}", "é")))
FLAT = st.lists(st.integers(0, 3), max_size=2)
HOOKS = _list(_item(run=SCALAR, args=FLAT))
MANIFEST = st.fixed_dictionaries({"path": NAMES}, optional={"when": SCALAR})
UNITS = _list(_item(protected=SCALAR, dependsOn=FLAT, hooks=HOOKS, manifests=_list(MANIFEST, "path")))
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "project": SCALAR,
        "vars": st.dictionaries(
            NAMES,
            st.fixed_dictionaries(
                {}, optional={"default": SCALAR, "environments": st.dictionaries(NAMES, SCALAR, max_size=2)}
            ),
            max_size=3,
        ),
        "services": UNITS,
        "secrets": _list(_item(type=SCALAR)),
        "orchestration": st.fixed_dictionaries({}, optional={"deployOrder": FLAT, "hooks": HOOKS}),
        "projectDocs": _list(
            st.fixed_dictionaries({"path": NAMES}, optional={"repository": NAMES, "priority": SCALAR}),
            "repository",
            "path",
        ),
        "x-free": st.dictionaries(NAMES, SCALAR, max_size=2),
    },
)


def tree_of(spec: Mapping[str, Any], name: str, envelope: str = FRAGMENT) -> Tree:
    """Read a spec as a file."""
    data = (envelope + yaml.safe_dump({"spec": dict(spec)}, allow_unicode=True, sort_keys=False)).encode()
    found = Findings()
    tree = read_stack_file(Blob(data, blob_id(data)), Source("main", name, blob_id(data)), found)
    assert tree is not None
    assert not found.items, told(found)
    return tree


def chain(*trees: Tree) -> tuple[Tree, Findings]:
    """Merge trees of which each imports all that follow."""
    found = Findings()
    layers = [Layer(tree, sum(1 << low for low in range(index + 1, len(trees)))) for index, tree in enumerate(trees)]
    return merge(layers, found).tree, found


@given(SPECS)
@settings(max_examples=50, deadline=None)
def test_an_empty_file_is_neutral_and_a_file_over_itself_changes_nothing(spec: dict[str, Any]) -> None:
    tree, nothing = tree_of(spec, "a", STACK), tree_of({}, "b", STACK)
    alone, _ = chain(tree)
    for other in (chain(tree, nothing), chain(nothing, tree), chain(tree, tree), chain(tree, tree_of(spec, "c"))):
        assert plain(other[0]) == plain(alone)
        assert not other[1].items
    assert plain(chain(alone)[0]) == plain(alone)


@given(SPECS, SPECS, SPECS)
@settings(max_examples=50, deadline=None)
def test_merging_along_a_chain_is_associative(one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]) -> None:
    a, b, c = tree_of(one, "a", STACK), tree_of(two, "b", STACK), tree_of(three, "c", STACK)
    at_once, found = chain(a, b, c)
    assert not found.items
    assert plain(chain(a, chain(b, c)[0])[0]) == plain(chain(chain(a, b)[0], c)[0]) == plain(at_once)


@given(SPECS, SPECS)
@settings(max_examples=50, deadline=None)
def test_merging_leaves_its_inputs_alone(one: dict[str, Any], two: dict[str, Any]) -> None:
    a, b = tree_of(one, "a", STACK), tree_of(two, "b")
    before = copy.deepcopy((plain(a), plain(b))), repr((a, b))
    chain(a, b)
    assert ((plain(a), plain(b)), repr((a, b))) == before


@given(st.lists(SPECS, min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_neither_imports_nor_keys_nor_the_cut_into_files_have_an_order(
    specs: list[dict[str, Any]], chance: Any
) -> None:
    def told_by(order: Sequence[int], *, shuffled: bool) -> tuple[object, list[tuple[str, str]]]:
        def turned(value: Any) -> Any:
            if isinstance(value, dict):
                keys = list(value)
                if shuffled:
                    chance.shuffle(keys)
                return {key: turned(value[key]) for key in keys}
            return value

        files = {f"f{index}.yaml": FRAGMENT + _dump(turned(spec)) for index, spec in enumerate(specs)}
        found = Findings()
        result = load(a_stack(STACK + f"spec: {{imports: {[f'f{index}.yaml' for index in order]}}}", files), found)
        assert result is not None
        return plain(result.tree), [(item.code, item.path) for item in found.items]

    order = list(range(len(specs)))
    first = told_by(order, shuffled=False)
    chance.shuffle(order)
    tree, problems = told_by(order, shuffled=True)
    assert tree == first[0]
    assert sorted(problems) == sorted(first[1])


def _dump(spec: Mapping[str, Any]) -> str:
    return yaml.safe_dump({"spec": dict(spec)}, allow_unicode=True, sort_keys=False)


@given(SPECS, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_a_stack_cut_into_files_is_the_same_stack(spec: dict[str, Any], chance: Any) -> None:
    parts: list[dict[str, Any]] = [{}, {}, {}]
    for name, value in spec.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                chance.choice(parts).setdefault(name, []).append(item)
        elif isinstance(value, dict):
            for key, child in value.items():
                chance.choice(parts).setdefault(name, {})[key] = child
        else:
            chance.choice(parts)[name] = value
    whole = plain(loaded(STACK + _dump(spec)).tree)
    files = {f"f{index}.yaml": FRAGMENT + _dump(part) for index, part in enumerate(parts)}
    cut = plain(loaded(STACK + "spec: {imports: ['*.yaml']}", files).tree)
    assert isinstance(whole, dict)
    assert isinstance(cut, dict)
    assert _without_empty(cut["spec"]) == _without_empty(whole["spec"])


def _without_empty(spec: Any) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value not in ({}, [])}


MARKED = st.sampled_from(({"$delete": True}, {"$replace": True}, {"$replace": True, "default": 1}))
MARKED_SPECS = st.fixed_dictionaries(
    {},
    optional={
        "vars": st.dictionaries(NAMES, st.one_of(MARKED, st.just({"default": 2})), max_size=3),
        "services": st.lists(
            st.one_of(
                st.just({"name": "a"}),
                st.just({"name": "b", "$delete": True}),
                st.just({"name": "c", "$replace": True}),
            ),
            max_size=3,
            unique_by=lambda item: str(item),
        ),
    },
)


@given(
    st.lists(MARKED_SPECS, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=4),
)
@settings(max_examples=50, deadline=None)
def test_no_marker_survives(specs: list[dict[str, Any]], edges: list[tuple[int, int]]) -> None:
    imports: dict[int, list[str]] = {}
    for upper, lower in edges:
        if upper < lower < len(specs):
            imports.setdefault(upper, []).append(f"f{lower}.yaml")
    files = {
        f"f{index}.yaml": FRAGMENT + _dump({**spec, "imports": imports.get(index, [])})
        for index, spec in enumerate(specs)
    }
    result = load(a_stack(STACK + "spec: {imports: ['*.yaml']}", files), Findings())
    assert result is not None
    assert "$" not in repr(plain(result.tree))


def leaves(node: Node, path: Path = (), form: Form | None = FORM) -> "list[tuple[Path, Scalar]]":
    """Return all scalars of a tree with their paths."""
    if isinstance(node, Scalar):
        return [(path, node)]
    if isinstance(node, Many):
        below = form.items if form is not None else None
        return [leaf for step, item in steps(node, form) for leaf in leaves(item, (*path, step), below)]
    return [leaf for key, item in node.items.items() for leaf in leaves(item, (*path, key), inside(form, key))]


@given(st.lists(SPECS, min_size=1, max_size=4), st.booleans())
@settings(max_examples=50, deadline=None)
def test_every_leaf_names_the_file_and_line_that_hold_it(
    specs: list[dict[str, Any]], one_below_the_other: bool
) -> None:
    files = {}
    for index, spec in enumerate(specs):
        imports = [f"f{index + 1}.yaml"] if one_below_the_other and index + 1 < len(specs) else []
        files[f"f{index}.yaml"] = FRAGMENT + _dump({**spec, "imports": imports})
    found = Findings()
    root = STACK + f"spec: {{imports: ['{'f0.yaml' if one_below_the_other else '*.yaml'}']}}\n"
    result = load(a_stack(root, files), found)
    assert result is not None
    texts = {"services.yaml": root, **files}
    for path, leaf in leaves(result.tree):
        line = texts[leaf.at.source.file].splitlines()[leaf.at.line - 1]
        assert yaml.safe_load(line[leaf.at.column - 1 :].strip(" ,]}")) == leaf.value or str(leaf.value) in line, path
        assert leaf.at.source.blob_id == blob_id(texts[leaf.at.source.file].encode())
    for path, places in result.shadowed.items():
        assert path
        assert all(at.source.file in texts and at.line > 0 for at in places)
