"""File scopes and protected paths: what a result may change (sections 5 and runs.md 8.3, 18)."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    EntryKind,
    PathChange,
    check_paths,
    is_held,
    locked_patterns,
    owner_review_paths,
    scope_patterns,
)
from stagewright.kit.globs import matches, protects

POLICY = a_policy()


def violations(kind: str, *changes: PathChange | str, text: str | None = None) -> set[tuple[str, str]]:
    wrapped = [PathChange(item) if isinstance(item, str) else item for item in changes]
    return {(item.code, item.path) for item in check_paths(wrapped, kind, a_policy(text))}


GLOBS = [
    ("**/*.md", "README.md", True),
    ("**/*.md", "docs/a/b.md", True),
    ("**/*.md", "docs/a/b.MD", True),
    ("**/*.md", "docs/a.md/b.py", False),
    ("**/*.md", "docs/a.mdx", False),
    ("*.md", "docs/a.md", False),
    ("docs/*.md", "docs/a.md", True),
    ("docs/*.md", "docs/a/b.md", False),
    (".github/**", ".github/workflows/ci.yml", True),
    (".github/**", ".github", False),
    (".github/**", "x/.github/a", False),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b", True),
    ("a/**/b", "a/xb", False),
    ("**", "anything/at/all", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a[bc]d", "abd", True),
    ("a[!bc]d", "abd", False),
    ("a[!bc]d", "axd", True),
    ("a[!bc]d", "a/d", False),
    ("a[", "a[", True),
    ("a.b", "axb", False),
    ("a+(b)", "a+(b)", True),
    ("a\nb*", "a\nbc", True),
    ("a[^x&&]b", "a&b", True),
    ("services.yaml", "Services.YAML", True),
    ("services.yaml", "app/services.yaml", False),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), GLOBS)
def test_patterns_mean_what_they_say(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "**/" * 20 + "b", "**/a/" * 20 + "b", "**/*a*a*a*a/**/*a*a*b"])
def test_no_pattern_takes_long_for_any_path(pattern: str) -> None:
    for path in ("a" * 4000, "a/" * 2000 + "a", ("a" * 60 + "/") * 60 + "a"):
        assert not matches(pattern, path)


PARTS = st.sampled_from(["**", "*", "a", "a*", "*a", "a*b", "*a*b*", "?", "a?*b", "b"])


@given(
    st.lists(PARTS, min_size=1, max_size=5),
    st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1, max_size=5),
)
def test_a_pattern_matches_what_trying_everything_finds(pattern: list[str], path: list[str]) -> None:
    assert matches("/".join(pattern), "/".join(path)) is _tried(pattern, path)


def _tried(pattern: list[str], path: list[str]) -> bool:
    """Match part by part, trying every length of ``**``; at the end it needs a part."""
    if not pattern or not path:
        return not pattern and not path
    if pattern[0] == "**":
        return len(pattern) == 1 or any(_tried(pattern[1:], path[start:]) for start in range(len(path)))
    return fnmatch.fnmatchcase(path[0], pattern[0]) and _tried(pattern[1:], path[1:])


@given(st.lists(st.text(alphabet="ab.", min_size=1, max_size=3), min_size=1, max_size=4))
def test_two_stars_hold_every_path_below(parts: list[str]) -> None:
    path = "/".join(parts)
    assert matches("**", path)
    assert matches(f"**/{parts[-1]}", path)
    assert matches(f"{parts[0]}/**", path) is (len(parts) > 1)


def test_what_stands_in_the_place_of_a_guarded_folder_is_guarded() -> None:
    assert protects(".github/**", ".github")
    assert protects(".stagewright/policy.yaml", ".Stagewright")
    assert not protects(".stagewright/policy.yaml", ".stagewright/prompts")
    assert not protects("*/secret.txt", "docs")


@pytest.mark.parametrize(
    ("kind", "path", "allowed"),
    [
        ("reviewer", "README.md", False),
        ("prd", "docs/prd.md", True),
        ("prd", "docs/PRD.MD", True),
        ("prd", "src/a.py", False),
        ("dev", "src/a.py", True),
        ("dev_revise", "src/a.py", True),
        ("self_improve", "docs/x.md", True),
        ("self_improve", ".stagewright/prompts/role/dev.txt", True),
        ("self_improve", "deploy/runner/Dockerfile", True),
        ("self_improve", "src/a.py", False),
    ],
)
def test_each_scope_allows_its_paths(kind: str, path: str, allowed: bool) -> None:
    assert violations(kind, path) == (set() if allowed else {("scope_violation", path)})


def test_a_rename_is_a_delete_and_an_add() -> None:
    out_of_code = PathChange("docs/a.md", old_path="src/a.py", kind="renamed")
    into_code = PathChange("src/a.py", old_path="docs/a.md", kind="renamed")
    in_place = PathChange("docs/a.md", old_path="docs/a.md", kind="modified")

    assert violations("prd", out_of_code) == violations("prd", into_code) == {("scope_violation", "src/a.py")}
    assert violations("prd", in_place) == set()


def test_all_violations_are_returned_each_once_and_in_order() -> None:
    found = check_paths([PathChange("b.py"), PathChange(".gitmodules"), PathChange("b.py")], "prd", POLICY)
    assert [(item.code, item.path) for item in found] == [
        ("scope_violation", "b.py"),
        ("scope_violation", ".gitmodules"),
        ("protected_path", ".gitmodules"),
    ]


def test_denied_paths_are_denied_in_every_scope_also_when_deleted() -> None:
    assert violations("dev", ".gitmodules") == {("protected_path", ".gitmodules")}
    assert violations("dev", PathChange(".gitmodules", kind="deleted")) == {("protected_path", ".gitmodules")}


@pytest.mark.parametrize(
    ("target", "denied"),
    [
        ("other.md", False),
        ("../src/a.py", False),
        ("../../etc/passwd", True),
        ("/etc/passwd", True),
        ("..", False),
        ("../..", True),
        ("a/../../../x", True),
        ("", True),
        (None, True),
        ("..\\..\\x", True),
        ("a\0b", True),
    ],
)
def test_a_symbolic_link_stays_inside_the_tree(target: str | None, denied: bool) -> None:
    link = PathChange("docs/link", kind="added", entry=EntryKind.SYMLINK, link_target=target)
    assert violations("dev", link) == ({("protected_path", "docs/link")} if denied else set())


def test_submodules_are_denied_and_removing_what_is_dangerous_is_not() -> None:
    submodule = PathChange("vendor/x", kind="added", entry=EntryKind.SUBMODULE)
    gone = PathChange("vendor/x", kind="deleted", entry=EntryKind.SUBMODULE)
    link = PathChange("x", kind="deleted", entry=EntryKind.SYMLINK, link_target="/etc/passwd")
    assert violations("dev", submodule) == {("protected_path", "vendor/x")}
    assert violations("dev", gone, link) == set()


@pytest.mark.parametrize(
    "path",
    [
        ".stagewright/policy.yaml",
        ".stagewright/evals/a.md",
        ".github/a.md",
        "services.yaml",
        ".stagewright/prompts/stage/self-improve.en.md",
        ".stagewright/prompts/base.ru.md",
        ".Stagewright/Prompts/Base.md",
    ],
)
def test_self_improvement_never_touches_what_is_locked(path: str) -> None:
    assert ("protected_path", path) in violations("self_improve", path)
    wide = "stages: {self-improve: {scope: any}}"
    assert violations("self_improve_revise", path, text=wide) == {("protected_path", path)}
    assert ("protected_path", path) not in violations("dev", path)


def test_protected_paths_hold_a_result_for_its_owner() -> None:
    moved = PathChange("ci.yml", old_path=".github/workflows/ci.yml", kind="renamed")
    paths = [PathChange("src/a.py"), PathChange("services.yaml"), moved]

    held = owner_review_paths(paths, POLICY)

    assert held == ("services.yaml", ".github/workflows/ci.yml")
    assert violations("dev", *paths) == set()
    assert is_held(POLICY.kinds["dev"], held)
    assert not is_held(POLICY.kinds["dev"], ())
    assert is_held(POLICY.kinds["ai_repair"], ())
    assert is_held(a_policy("stages: {dev: {publish: held}}").kinds["dev"], ())


def test_the_patterns_are_there_for_prompts_and_the_runner() -> None:
    assert scope_patterns("prd", POLICY) == ("**/*.md",)
    assert scope_patterns("reviewer", POLICY) == ()
    assert scope_patterns("dev", POLICY) == ("**",)
    assert "deploy/runner/Dockerfile" in scope_patterns("self_improve", POLICY)
    assert locked_patterns("dev", POLICY) == ()
    assert locked_patterns("self_improve", POLICY) == POLICY.self_improve_locked
