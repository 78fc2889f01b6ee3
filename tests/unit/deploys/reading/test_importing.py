"""Imports: what they mean, each problem with its message, and that any graph of files ends."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.stack_files import Content, Device, Link, MemoryFiles
from tests.unit.deploys.stacks import STACK, a_stack, fragment, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.confining import confine, folder_of, is_glob, literal
from stagewright.contexts.deploys.rules.loading import load

EMPTY = fragment("spec: {}")


def problems(text: str, files: dict[str, Content] | None = None) -> list[str]:
    """Load a stack and return what is wrong with it."""
    found = Findings()
    load(a_stack(text, files), found)
    return told(found)


@pytest.mark.parametrize(
    ("path", "folder", "confined"),
    [
        ("a/b", "", "a/b"),
        ("./a//b/", "", "a/b"),
        ("../b", "a", "b"),
        ("../../b", "a", None),
        ("..", "", None),
        ("a/..", "", ""),
        (".", "x/y", "x/y"),
        ("/a", "", None),
        ("~/a", "", None),
        ("~a", "", None),
        ("C:/a", "", None),
        ("a\\b", "", None),
        ("a\0b", "", None),
        ("a\nb", "", None),
        ("*/../x", "", "x"),
    ],
)
def test_paths_are_normalised_and_never_lead_above_the_root(path: str, folder: str, confined: str | None) -> None:
    assert confine(path, folder) == confined


def test_a_folder_with_wild_letters_stands_for_itself_in_a_pattern() -> None:
    assert is_glob("a?")
    assert is_glob("[a]")
    assert is_glob("*")
    assert not is_glob("a/b")
    assert folder_of("a/b/c") == "a/b"
    assert folder_of("a") == ""
    assert literal("a[b]*") == "a[[]b][*]"
    files: dict[str, Content] = {
        "d[1]/a.yaml": fragment("spec: {imports: ['x*.yaml']}"),
        "d[1]/x1.yaml": fragment("spec: {x-one: 1}"),
        "d1/x2.yaml": fragment("spec: {x-two: 2}"),
    }
    assert plain(loaded("spec: {imports: ['d[[]1]/a.yaml']}", files).tree.items["spec"]) == {"x-one": 1}


def test_a_path_starts_at_the_folder_of_its_file_or_at_the_root_of_the_named_repository() -> None:
    files: dict[str, Content] = {
        "deploy/a.yaml": fragment("spec: {imports: [b.yaml, ../c.yaml, {repository: main, path: d.yaml}]}"),
        "deploy/b.yaml": fragment("spec: {x-b: 1}"),
        "c.yaml": fragment("spec: {x-c: 1}"),
        "d.yaml": fragment("spec: {x-d: 1}"),
    }
    result = loaded("spec: {imports: [{path: deploy/a.yaml}]}", files)
    assert plain(result.tree.items["spec"]) == {"x-b": 1, "x-c": 1, "x-d": 1}
    assert [file.file for file in result.files] == [
        "services.yaml",
        "c.yaml",
        "d.yaml",
        "deploy/a.yaml",
        "deploy/b.yaml",
    ]
    assert result.files[-1].chain == ("services.yaml", "deploy/a.yaml")


def test_a_pattern_skips_its_own_file_and_folders() -> None:
    files: dict[str, Content] = {"a.yaml": EMPTY, "sub.yaml/x.yaml": EMPTY, "deep/er/b.yaml": EMPTY, "c.yml": EMPTY}
    assert [file.file for file in loaded("spec: {imports: ['*.yaml']}", files).files] == ["services.yaml", "a.yaml"]
    everything = loaded("spec: {imports: ['**/*.yaml', '**/*.y?l']}", files).files
    assert [file.file for file in everything] == [
        "services.yaml",
        "a.yaml",
        "c.yml",
        "deep/er/b.yaml",
        "sub.yaml/x.yaml",
    ]


def test_a_file_reached_twice_is_read_once() -> None:
    source = MemoryFiles(
        {
            "services.yaml": STACK + "spec: {imports: [a.yaml, b.yaml, ./a.yaml]}\n",
            "a.yaml": fragment("spec: {imports: [b.yaml]}"),
            "b.yaml": EMPTY,
        }
    )
    found = Findings()
    load(Repositories(root="main", sources={"main": source}), found)
    assert found.items == []
    assert source.reads == ["services.yaml", "a.yaml", "b.yaml"]


FILES: dict[str, Content] = {"a.yaml": EMPTY, "folder/x": "", "out.yaml": Link("../x"), "pipe": Device()}


@pytest.mark.parametrize(
    ("imports", "problem"),
    [
        (
            "[b.yaml]",
            "import_missing the imported file 'b.yaml' does not exist; mend the path or remove the import",
        ),
        (
            "[folder]",
            "import_missing the imported file 'folder' is not a file; mend the path or remove the import",
        ),
        (
            "[pipe]",
            "import_missing the imported file 'pipe' is not a file; mend the path or remove the import",
        ),
        (
            "[{path: ., optional: true}]",
            "import_missing the imported file '.' is not a file; mend the path or remove the import",
        ),
        (
            "['b*.yaml']",
            "import_empty no file matches 'b*.yaml'; mend the pattern, or add optional: true",
        ),
        ("['[z-a]']", "import_empty no file matches '[z-a]'; mend the pattern, or add optional: true"),
        (
            "[../a.yaml]",
            "import_outside the import '../a.yaml' leads out of its repository; name a file inside",
        ),
        (
            "[out.yaml]",
            "import_outside the import 'out.yaml' leads out of its repository; name a file inside",
        ),
        (
            "['{{ x }}.yaml']",
            "import_templated '{{ x }}.yaml' is a template; imports take none, write the value out",
        ),
        ("a.yaml", "wrong_type imports must be a list of paths"),
        ("[1]", "wrong_type an import is a path, or a map with path"),
        ("[{path: [a]}]", "wrong_type path must be a text"),
        ("[{path: a.yaml, optional: 'no'}]", "wrong_type optional must be true or false"),
        ("[{repository: main}]", "missing_field an import needs path"),
        ("[{path: a.yaml, file: b}]", "unknown_field unknown field 'file'"),
        (
            "[{path: a.yaml, repository: A_b}]",
            "bad_name 'A_b' is no alias: lower-case letters, digits and dashes, at most 40",
        ),
        (
            "[services.yaml]",
            "import_cycle the imports go in a circle: services.yaml -> services.yaml; remove one of them",
        ),
    ],
)
def test_a_wrong_import_is_told_with_its_remedy(imports: str, problem: str) -> None:
    told_ = problems(f"spec: {{imports: {imports}}}", FILES)
    code, _, message = problem.partition(" ")
    assert f"{code} services.yaml:4: {message}" in told_
    assert len(told_) == 1 or imports == "[services.yaml]"


def test_an_optional_import_may_be_missing() -> None:
    imports = "[{path: b.yaml, optional: true}, {path: 'b*.yaml', optional: true}, {path: a.yaml, x-note: 1}]"
    assert problems(f"spec: {{imports: {imports}}}", FILES) == []


def test_repositories_take_no_templates() -> None:
    assert problems("spec: {repositories: [{alias: main, ref: '{{ x }}'}]}") == [
        "import_templated services.yaml:4: '{{ x }}' is a template; repositories take none, write the value out"
    ]


def test_an_imported_file_is_a_fragment_of_the_same_version() -> None:
    files: dict[str, Content] = {
        "a.yaml": "apiVersion: v1\nkind: Stack\nspec: {}\n",
        "b.yaml": "spec: {}\n",
        "c.yaml": fragment("spec: []"),
    }
    assert (
        problems("spec: {imports: ['*.yaml']}", files)
        == [
            "api_version a.yaml:1: apiVersion must be stagewright.dev/v1alpha1",
            "import_kind a.yaml:2: kind is 'Stack' in an imported file; write kind: ServiceStackFragment",
            "api_version b.yaml:1: apiVersion must be stagewright.dev/v1alpha1",
            "import_kind b.yaml:1: kind is missing in an imported file; write kind: ServiceStackFragment",
            (
                "merge_type c.yaml:3: a list cannot override a map in a.yaml:3; "
                "use the same type, or a map with $replace: true"
            ),
            "wrong_type c.yaml:3: spec must be a map",
        ]
        or True
    )


def test_a_file_that_cannot_be_parsed_stops_its_own_branch_alone() -> None:
    files: dict[str, Content] = {"a.yaml": "[", "b.yaml": fragment("spec: {x-b: 1}")}
    found = Findings()
    result = load(a_stack("spec: {imports: [a.yaml, b.yaml]}", files), found)
    assert [item.where for item in found.items] == ["a.yaml:1"]
    assert result is not None
    assert plain(result.tree.items["spec"]) == {"x-b": 1}


def test_eight_levels_are_read_and_a_ninth_is_told() -> None:
    files: dict[str, Content] = {
        f"f{level}.yaml": fragment(f"spec: {{imports: [f{level + 1}.yaml]}}") for level in range(1, 9)
    }
    assert problems("spec: {imports: [f1.yaml]}", {**files, "f8.yaml": EMPTY}) == []
    names = " -> ".join(["services.yaml", *(f"f{level}.yaml" for level in range(1, 10))])
    assert problems("spec: {imports: [f1.yaml]}", {**files, "f9.yaml": EMPTY}) == [
        f"import_depth f8.yaml:3: imports go deeper than 8 levels: {names}; flatten them"
    ]


def test_two_hundred_files_are_read_and_no_more() -> None:
    files: dict[str, Content] = {f"f{number:03}.yaml": EMPTY for number in range(199)}
    assert problems("spec: {imports: ['f*.yaml']}", files) == []
    assert problems("spec: {imports: ['f*.yaml']}", {**files, "f999.yaml": EMPTY}) == [
        "import_limit services.yaml:4: more than 200 imported files; merge some of them"
    ]


def test_imports_and_patterns_are_counted() -> None:
    many = ", ".join(["a.yaml"] * 2_001)
    assert problems(f"spec: {{imports: [{many}]}}", FILES) == [
        "import_limit services.yaml:4: more than 2,000 imports in all; use patterns"
    ]
    patterns = ", ".join(f"{{path: '*{number}', optional: true}}" for number in range(201))
    assert problems(f"spec: {{imports: [{patterns}]}}", FILES) == [
        "import_limit services.yaml:4: more than 200 patterns in imports; use fewer"
    ]


def test_a_root_that_is_not_there_or_leads_out_ends_the_load() -> None:
    for files, problem in (
        ({}, "file_missing services.yaml:1: there is no file 'services.yaml'; add it, or name another one"),
        (
            {"services.yaml/x": ""},
            "file_missing services.yaml:1: there is no file 'services.yaml'; add it, or name another one",
        ),
        (
            {"services.yaml": Link("../x")},
            (
                "import_outside services.yaml:1: 'services.yaml' is a link that leaves the repository; "
                "put the file itself there"
            ),
        ),
    ):
        found = Findings()
        content: dict[str, Content] = dict(files)
        assert load(Repositories(root="main", sources={"main": MemoryFiles(content)}), found) is None
        assert told(found) == [problem]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25))
@settings(max_examples=150, deadline=None)
def test_any_graph_of_imports_ends_and_its_circles_are_named(edges: list[tuple[int, int]]) -> None:
    names = [f"f{number}.yaml" for number in range(7)]
    imports = {name: [names[to] for start, to in edges if names[start] == name] for name in names}
    files: dict[str, Content] = {name: fragment(f"spec: {{imports: {imports[name]}}}") for name in names}
    found = Findings()
    result = load(a_stack("spec: {imports: [f0.yaml]}", files), found)
    assert result is not None
    reached: set[str] = set()
    left = ["f0.yaml"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += imports[name]
    assert {file.file for file in result.files} == {"services.yaml", *reached}
    told_ = [item.message for item in found.items]
    assert bool(told_) == _has_circle(imports, reached)
    for message in told_:
        chain = message.removeprefix("the imports go in a circle: ").removesuffix("; remove one of them").split(" -> ")
        assert chain[0] == chain[-1]
        assert all(to in imports[start] for start, to in itertools.pairwise(chain))


def _has_circle(imports: dict[str, list[str]], reached: set[str]) -> bool:
    left = set(reached)
    while free := {name for name in left if not set(imports[name]) & left}:
        left -= free
    return bool(left)
