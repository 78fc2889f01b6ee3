"""RN27: every check of a result, one code each; all violations at once."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.factories import a_report
from tests.unit.runs.words import a_change, an_inspection

from stagewright.contexts.runs.model import Inspection, Violation
from stagewright.contexts.runs.rules import result_checks
from stagewright.contexts.runs.rules.result_checks import ResultRules, check_result, worst

SECRET = b"hunter2hunter2"


def rules(**changes: Any) -> ResultRules:
    """Return what an ordinary work stage allows."""
    values: dict[str, Any] = {
        "check_paths": lambda _: [],
        "find_secrets": lambda data: ["live value"] if SECRET in data else [],
        "scope_none": False,
        "result_required": True,
    }
    return ResultRules(**(values | changes))


def codes(inspection: Inspection | None, report: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return [item.code for item in check_result(inspection, report or a_report(), rules(**changes))]


def test_a_good_result_passes() -> None:
    assert codes(an_inspection(a_change("hello.py"))) == []


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".GIT/config",
        "a/.Git/hooks/x",
        "GIT~1/config",
        ".git./config",
        ".git::$INDEX_ALLOCATION/x",
        ".g\u200cit/config",
        "a/../b",
        "a/./b",
        "a//b",
        "bell\x07.py",
        "new\nline.py",
        "del\x7f.py",
        b"\xff\xfe.py",
        "x" * 4097,
    ],
    ids=repr,
)
def test_rn27_odd_paths_are_tree_invalid(path: str | bytes) -> None:
    assert codes(an_inspection(a_change(path))) == ["tree_invalid"]


def test_rn27_an_odd_path_may_be_deleted() -> None:
    assert codes(an_inspection(a_change("bell\x07.py", status="D"), tree_paths=())) == []


def test_rn27_names_that_differ_only_in_case_are_tree_invalid() -> None:
    found = an_inspection(a_change("Same.py"), tree_paths=(b"Same.py", b"same.py"))
    (violation,) = check_result(found, a_report(), rules())
    assert (violation.code, violation.paths) == ("tree_invalid", ("Same.py", "same.py"))


def test_rn27_more_than_three_hundred_files() -> None:
    assert codes(an_inspection(*(a_change(f"{n}.py") for n in range(301)))) == ["size_limit"]
    assert codes(an_inspection(*(a_change(f"{n}.py") for n in range(300)))) == []


def test_rn27_a_file_over_five_megabytes() -> None:
    assert codes(an_inspection(a_change("big.bin"), blob_sizes={"a" * 40: 5 * 2**20 + 1})) == ["size_limit"]


def test_rn27_more_than_twenty_megabytes_in_all() -> None:
    changed = [a_change(f"{n}.bin", sha=f"{n:040x}") for n in range(6)]
    sizes = {item.new_sha: 4 * 2**20 for item in changed}
    assert codes(an_inspection(*changed, blob_sizes=sizes)) == ["size_limit"]


def test_the_same_blob_twice_is_added_once() -> None:
    changed = [a_change(f"{n}.bin") for n in range(6)]
    assert codes(an_inspection(*changed, blob_sizes={"a" * 40: 4 * 2**20})) == []


@pytest.mark.parametrize(("uses_lfs", "wanted"), [(False, ["size_limit"]), (True, [])])
def test_rn27_lfs_pointers_only_where_lfs_is_used(uses_lfs: bool, wanted: list[str]) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    found = an_inspection(a_change("big.bin"), added=(("big.bin", pointer),), uses_lfs=uses_lfs)
    assert codes(found) == wanted


def test_rn27_paths_outside_the_scope_and_protected_ones() -> None:
    def paths(_: Inspection) -> Sequence[tuple[str, str]]:
        return [("scope_violation", "a.py"), ("protected_path", "services.yaml"), ("scope_violation", "b.py")]

    found = check_result(an_inspection(a_change("a.py")), a_report(), rules(check_paths=paths))
    assert [(item.code, item.paths) for item in found] == [
        ("scope_violation", ("a.py", "b.py")),
        ("protected_path", ("services.yaml",)),
    ]


def test_rn27_a_bundle_that_is_not_taken_says_why_and_nothing_else() -> None:
    refused = an_inspection(problem="ref_violation: one ref is expected")
    (violation,) = check_result(refused, a_report(), rules())
    assert violation == Violation("ref_violation", "one ref is expected")


def test_at_most_fifty_paths_are_listed() -> None:
    def paths(_: Inspection) -> Sequence[tuple[str, str]]:
        return [("scope_violation", f"{n}.py") for n in range(80)]

    (violation,) = check_result(an_inspection(a_change("a.py")), a_report(), rules(check_paths=paths))
    assert len(violation.paths) == 50


def test_scope_none_changes_nothing() -> None:
    assert codes(an_inspection(a_change("a.py")), scope_none=True, result_required=False) == ["scope_violation"]
    assert codes(None, scope_none=True, result_required=False) == []


@pytest.mark.parametrize("inspection", [None, an_inspection()])
def test_a_required_result_that_changes_nothing_is_empty(inspection: Inspection | None) -> None:
    assert codes(inspection) == ["empty_result"]
    assert codes(inspection, result_required=False) == []


def test_rn26_secrets_are_named_by_place_only() -> None:
    found = an_inspection(a_change("a.py"), added=(("a.py", b"KEY = " + SECRET),))
    violations = check_result(found, a_report(summary=f"see {SECRET.decode()}"), rules())
    assert [(item.code, item.paths) for item in violations] == [
        ("secret_in_result", ("a.py",)),
        ("secret_in_result", ("/summary",)),
    ]
    assert all(SECRET.decode() not in item.message for item in violations)


def test_rn26_a_path_or_a_key_may_be_a_secret_too() -> None:
    path = f"{SECRET.decode()}.py"
    assert codes(an_inspection(a_change(path))) == ["secret_in_result"]
    assert codes(an_inspection(a_change("a.py")), {SECRET.decode(): 1}) == ["secret_in_result"]


def test_all_violations_are_returned_at_once_and_the_worst_one_names_the_failure() -> None:
    def paths(_: Inspection) -> Sequence[tuple[str, str]]:
        return [("scope_violation", "a.py")]

    found = an_inspection(a_change("bell\x07.py"), added=(("a.py", SECRET),), blob_sizes={"a" * 40: 2**23})
    violations = check_result(found, a_report(), rules(check_paths=paths))
    assert {item.code for item in violations} == {
        "tree_invalid",
        "scope_violation",
        "size_limit",
        "secret_in_result",
    }
    assert worst(violations).code == "tree_invalid"
    assert worst([Violation("unheard_of", "x"), Violation("empty_result", "y")]).code == "empty_result"
    assert set(result_checks.PRECEDENCE) >= {item.code for item in violations}
