"""What the forge reads without I/O: routes, closing keywords, searches, faults, patches, limits, wishes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stagewright.kit.errors import Invalid
from stagewright.processes.devforge.acts.lines import first_hunk, place_of
from stagewright.processes.devforge.acts.pushes import Moved, closing_references, compare_refs
from stagewright.processes.devforge.acts.threads import unique
from stagewright.processes.devforge.faults import Faults, parse_fault
from stagewright.processes.devforge.git.command import ZERO
from stagewright.processes.devforge.git.objects import valid_branch
from stagewright.processes.devforge.limits import CORE, SEARCH, Limits
from stagewright.processes.devforge.problems import ApiProblem
from stagewright.processes.devforge.rest.api import ROUTES
from stagewright.processes.devforge.rest.search import parse_query
from stagewright.processes.devforge.serve import loopback_socket
from stagewright.processes.devforge.wishes import Wish

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/repos/o/r/issues/events", "/repos/{owner}/{repo}/issues/events"),
        ("GET", "/repos/o/r/issues/comments", "/repos/{owner}/{repo}/issues/comments"),
        ("GET", "/repos/o/r/issues/7", "/repos/{owner}/{repo}/issues/{issue_number}"),
        ("GET", "/repos/o/r/pulls/comments/7", "/repos/{owner}/{repo}/pulls/comments/{comment_id}"),
        ("GET", "/repos/o/r/pulls/7/comments", "/repos/{owner}/{repo}/pulls/{pull_number}/comments"),
        ("GET", "/repos/o/r/contents/a/b", "/repos/{owner}/{repo}/contents/{path}"),
        ("GET", "/repos/o/r/git/ref/heads/a/b", "/repos/{owner}/{repo}/git/ref/{ref}"),
        ("GET", "/repos/o/r/installation", "/repos/{owner}/{repo}/installation"),
    ],
)
def test_a_path_finds_the_most_exact_route(method: str, path: str, template: str) -> None:
    found = [one.template for one in ROUTES if one.method == method and one.pattern().fullmatch(path)]
    assert found[0] == template


def test_no_two_routes_are_the_same() -> None:
    rows = [(route.method, route.template) for route in ROUTES]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Closes #1", [1]),
        ("fixes: #2 and resolved o/r#3", [2, 3]),
        ("CLOSED #4, fix #5", [4, 5]),
        ("Part of #6; see #7", []),
        ("closes other/place#8", []),
        ("encloses #9; closes#10", []),
        ("", []),
    ],
)
def test_closing_keywords_name_issues_of_this_repository(text: str, numbers: list[int]) -> None:
    assert closing_references(text, "o/r") == numbers


def test_moved_refs_are_made_changed_and_deleted_ones() -> None:
    before, after = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}
    assert compare_refs(before, after) == [Moved("a", "1", ZERO), Moved("c", "3", "4"), Moved("d", ZERO, "5")]


@pytest.mark.parametrize(
    ("name", "good"),
    [
        *[("main", True), ("feature/a.b-c_d", True), ("stagewright/issue-1/dev", True)],
        *[("", False), ("-x", False), ("a..b", False), ("a b", False), ("a~1", False), ("a@{1}", False)],
        *[("a:b", False), ("/a", False), ("a/", False), ("a.lock", False), ("a\n", False), ("@", False)],
    ],
)
def test_only_plain_branch_names_reach_git(name: str, good: bool) -> None:
    assert valid_branch(name) is good


def test_a_search_is_taken_apart() -> None:
    query = parse_query('repo:o/R is:issue in:title,body "two words" bare author:Me unknown:x')
    assert query.qualifiers == {"repo": ["o/r"], "is": ["issue"], "in": ["title,body"], "author": ["me"]}
    assert query.phrases == ["two words", "bare", "unknown:x"]
    with pytest.raises(ApiProblem):
        parse_query('"open')


def test_faults_are_spent_in_order() -> None:
    faults = Faults()
    faults.active += [parse_fault({"status": 500, "path": "^/api/a", "method": "post"})]
    faults.active += [parse_fault({"drop_before": True, "times": 2})]
    assert faults.take("GET", "/api/a") is faults.active[1]
    taken = faults.take("POST", "/api/a")
    assert taken is not None
    assert (taken.kind, taken.status, taken.met) == ("status", 500, 1)
    assert faults.take("POST", "/x") is not None
    assert faults.take("POST", "/x") is None
    assert faults.active == []


PATCH = "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n@@ -10,1 +10,2 @@\n ten\n+eleven\n\\ No newline at end of file"


@pytest.mark.parametrize(
    ("line", "side", "last", "position"),
    [
        (1, "RIGHT", " one", 1),
        (2, "RIGHT", "+TWO", 3),
        (2, "LEFT", "-two", 2),
        (3, "RIGHT", " three", 4),
        (11, "RIGHT", "+eleven", 7),
    ],
)
def test_a_line_is_found_in_its_patch(line: int, side: str, last: str, position: int) -> None:
    place = place_of(PATCH, line, side)
    assert place is not None
    assert (place.hunk.split("\n")[-1], place.position) == (last, position)
    assert place.hunk.startswith("@@ -1" if line < 10 else "@@ -10")


def test_a_line_outside_the_diff_has_no_place() -> None:
    assert place_of(PATCH, 7, "RIGHT") is None
    assert place_of("", 1, "RIGHT") is None
    assert first_hunk(PATCH).hunk == PATCH[: PATCH.index("\n@@ -10")]


def test_a_window_starts_anew_when_its_time_has_come() -> None:
    limits = Limits()
    window = limits.window("user:1", CORE, NOW)
    window.used = 4999
    assert limits.window("user:1", CORE, NOW).remaining == 1
    assert limits.window("user:1", SEARCH, NOW).remaining == 30
    assert limits.window("user:2", CORE, NOW).remaining == 5000
    assert limits.window("user:1", CORE, NOW + timedelta(seconds=3600)).remaining == 5000
    limits.leave("user:1", CORE, 7, 123, NOW + timedelta(seconds=3600))
    assert window.reset != 123


def test_names_are_unique_in_any_case_and_keep_their_order() -> None:
    assert unique(["b", "A", "B", "a", "c"]) == ["b", "A", "c"]


@pytest.mark.parametrize(
    ("told", "read", "complaint"),
    [
        ([], lambda wish: None, "must be a JSON object"),
        ({}, lambda wish: wish.text("a"), "w.a: is missing"),
        ({"a": 1}, lambda wish: wish.text("a"), "w.a: must be a text"),
        ({"a": True}, lambda wish: wish.whole("a"), "w.a: must be a whole number"),
        ({"a": ["x", 1]}, lambda wish: wish.texts("a"), "w.a: must be a list of texts"),
        ({"a": {"x": 1}}, lambda wish: wish.mapping("a"), "w.a: must be an object of texts"),
        ({"a": "yes"}, lambda wish: wish.flag("a"), "w.a: must be true or false"),
        ({"a": [{}, 1]}, lambda wish: wish.each("a"), "w.a[1]: must be a JSON object"),
        ({"b": 1}, lambda wish: wish.done(), "w.b: is no field here"),
    ],
)
def test_a_wrong_wish_is_refused_by_its_field(told: Any, read: Any, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint.replace("[", r"\[")):
        read(Wish(told, "w"))


def test_a_socket_is_bound_to_loopback_only() -> None:
    with loopback_socket("127.0.0.1:0") as bound:
        assert bound.getsockname()[0] == "127.0.0.1"
    with pytest.raises(Invalid, match="no loopback address"):
        loopback_socket("0.0.0.0:0")
