"""Several repositories: the root, the pins, and what is left out."""

import hashlib

from tests.fakes.stack_files import MemoryFiles
from tests.unit.deploys.stacks import STACK, a_stack, fragment, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import FileSource, Repositories
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.composing import (
    GENERATED_ALIAS,
    Composed,
    Heads,
    Pin,
    Root,
    choose_root,
    composition,
    generated_root,
    plan_pins,
    survey,
)
from stagewright.contexts.deploys.rules.loading import load

A, B, C = "a" * 40, "b" * 40, "c" * 40
HEADS = Heads(default_branch="trunk", refs={"trunk": A, "v2": B})


def test_the_orchestrator_is_the_root_else_the_only_stack_else_one_is_generated() -> None:
    found = Findings()
    roles = {"ui": "service", "api": "service", "lead": "orchestrator", "book": "docs"}
    everywhere = frozenset(roles)
    assert choose_root(roles, everywhere, found) == Root("lead")
    without = {alias: role for alias, role in roles.items() if role != "orchestrator"}
    assert choose_root(without, frozenset({"book"}), found) == Root("book")
    assert choose_root(without, frozenset(without), found) == Root(None, ("api", "ui"))
    assert choose_root(without, frozenset(), found) is None
    assert told(found) == []


def test_two_orchestrators_are_ambiguous() -> None:
    found = Findings()
    assert choose_root({"b": "orchestrator", "a": "orchestrator"}, frozenset(), found) is None
    assert told(found) == [
        "root_ambiguous stack: several repositories are orchestrators: a, b; keep the role for one of them"
    ]


def test_a_generated_root_imports_the_stack_of_every_service() -> None:
    root = generated_root("shop", {"ui": "services.yaml", "api": "deploy/stack.yaml"})
    sources: dict[str, FileSource] = {
        GENERATED_ALIAS: root,
        "ui": MemoryFiles({"services.yaml": STACK + "spec: {services: [{name: web}]}\n"}, A),
        "api": MemoryFiles({"deploy/stack.yaml": STACK + "spec: {services: [{name: api}]}\n"}, B),
    }
    found = Findings()
    repositories = Repositories(root=GENERATED_ALIAS, sources=sources)
    result = load(repositories, found)
    assert result is not None
    assert told(found) == []
    tree = plain(result.tree)
    assert isinstance(tree, dict)
    assert tree["metadata"] == {"name": "shop"}
    assert tree["spec"]["services"] == [{"name": "api"}, {"name": "web"}]
    blob = sources["ui"].read("services.yaml", most=1000).blob_id
    assert composition(result, repositories) == (Composed("api", B, None), Composed("ui", A, blob))
    assert root.glob("**") == ()
    assert root.tracked("") == ()
    assert root.stat("other") is None
    data = root.read("services.yaml", most=10_000)
    assert data.blob_id == hashlib.sha1(b"blob %d\0" % len(data.data) + data.data).hexdigest()


def test_a_stack_is_no_fragment_of_another_stack() -> None:
    found = Findings()
    others = {"ui": {"services.yaml": STACK + "spec: {}\n"}}
    load(
        a_stack("spec: {repositories: [{alias: ui}], imports: [{repository: ui, path: services.yaml}]}", None, others),
        found,
    )
    assert told(found) == [
        "import_kind services.yaml:2: kind is 'ServiceStack' in an imported file; write kind: ServiceStackFragment"
    ]


def test_every_alias_gets_a_full_commit_id() -> None:
    found = Findings()
    uses = survey(
        a_stack("spec: {repositories: [{alias: d}, {alias: t, ref: v2}, {alias: s, ref: " + C + "}, {alias: own}]}")
    )
    pins = plan_pins(uses, dict.fromkeys(("d", "t", "s", "own"), HEADS), found, own={"own": C})
    assert pins.pins == {
        "own": Pin("own", C, None),
        "d": Pin("d", A, "trunk"),
        "t": Pin("t", B, "v2"),
        "s": Pin("s", C, C),
    }
    assert told(found) == []


def test_a_revise_keeps_the_pins_and_repin_refreshes_them() -> None:
    found = Findings()
    uses = survey(a_stack("spec: {repositories: [{alias: ui}, {alias: new}]}"))
    heads = {"ui": HEADS, "new": HEADS}
    kept = plan_pins(uses, heads, found, own={}, kept={"ui": C})
    assert kept.pins == {"ui": Pin("ui", C, None, kept=True), "new": Pin("new", A, "trunk")}
    assert plan_pins(uses, heads, found, own={}, kept={"ui": C}, repin=True).pins["ui"] == Pin("ui", A, "trunk")
    gone = plan_pins(uses, {"ui": "timeout", "new": HEADS}, found, own={}, kept={"ui": C})
    assert gone.pins["ui"].sha == C
    assert gone.unavailable == {}


def test_what_cannot_be_reached_or_is_not_registered_gets_no_pin() -> None:
    found = Findings()
    uses = survey(a_stack("spec: {repositories: [{alias: ui, stackPath: s.yaml}, {alias: gone}, {ref: x}, text]}"))
    assert [(use.alias, use.required, use.ref, use.stack_path) for use in uses] == [
        ("gone", True, None, "services.yaml"),
        ("ui", True, None, "s.yaml"),
    ]
    pins = plan_pins(uses, {"ui": "timed out"}, found, own={})
    assert (pins.pins, pins.unavailable, told(found)) == ({}, {"ui": "timed out"}, [])
    assert survey(Repositories(root="main", sources={})) == ()


def test_a_ref_that_is_not_there_is_told() -> None:
    found = Findings()
    uses = survey(a_stack("spec:\n  repositories:\n    - {alias: ui, ref: gone}"))
    pins = plan_pins(uses, {"ui": HEADS}, found, own={})
    assert told(found) == ["repository_ref services.yaml:6: the repository 'ui' has no branch or tag 'gone'; mend ref"]
    assert pins.pins == {}
    assert pins.unavailable == {"ui": "it has no branch or tag 'gone'"}


def test_an_optional_repository_that_cannot_be_read_is_left_out_with_a_warning() -> None:
    text = """
    spec:
      repositories: [{alias: ui, required: false}]
      imports: [{repository: ui, path: web.yaml}]
      services: [{name: api}]
    """
    found = Findings()
    result = load(a_stack(text, unavailable={"ui": "timed out"}), found)
    assert result is not None
    assert result.left_out == {"ui"}
    assert not found.failed
    assert told(found) == [
        (
            "repository_unavailable services.yaml:5: the repository 'ui' cannot be read: timed out; "
            "its imports and units are left out"
        )
    ]


def test_a_required_repository_that_cannot_be_read_is_an_error() -> None:
    found = Findings()
    result = load(a_stack("spec: {repositories: [{alias: ui}]}", unavailable={"ui": "timed out"}), found)
    assert result is not None
    assert result.left_out == frozenset()
    assert found.failed
    assert told(found) == ["repository_unavailable services.yaml:4: the repository 'ui' cannot be read: timed out"]


def test_an_alias_must_be_declared_and_registered() -> None:
    found = Findings()
    load(a_stack("spec: {imports: [{repository: ui, path: x.yaml}], repositories: [{alias: gone}]}"), found)
    assert sorted(told(found)) == [
        "unknown_repository services.yaml:4: the project has no repository 'gone'; it has main",
        "unknown_repository services.yaml:4: the repository 'ui' is not declared; add it to spec.repositories",
    ]


def test_a_repository_is_declared_even_where_its_files_are_at_hand() -> None:
    found = Findings()
    others = {"ui": {"x.yaml": fragment("spec: {}")}}
    load(
        a_stack(
            "spec: {imports: [{repository: ui, path: x.yaml}, {repository: main, path: y.yaml}]}",
            {"y.yaml": fragment("spec: {}")},
            others,
        ),
        found,
    )
    assert told(found) == [
        "unknown_repository services.yaml:4: the repository 'ui' is not declared; add it to spec.repositories"
    ]


def test_a_root_in_a_repository_that_cannot_be_read_ends_the_load() -> None:
    found = Findings()
    assert load(Repositories(root="main", sources={}, unavailable={"main": "gone"}), found) is None
    assert told(found) == ["repository_unavailable services.yaml:1: the repository 'main' cannot be read: gone"]


def test_files_of_another_repository_keep_their_place_and_their_importers() -> None:
    others = {
        "ui": {"d/a.yaml": fragment("spec: {imports: [b.yaml]}"), "d/b.yaml": fragment("spec: {services: [{name: w}]}")}
    }
    found = Findings()
    text = "spec: {repositories: [{alias: ui}], imports: [{repository: ui, path: d/a.yaml}]}"
    result = load(a_stack(text, None, others), found)
    assert result is not None
    assert told(found) == []
    assert [(file.repository, file.file, file.chain) for file in result.files] == [
        ("main", "services.yaml", ()),
        ("ui", "d/a.yaml", ("services.yaml",)),
        ("ui", "d/b.yaml", ("services.yaml", "ui:d/a.yaml")),
    ]
