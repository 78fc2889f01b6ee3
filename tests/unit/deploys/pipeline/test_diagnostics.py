"""Findings are told in the order of their places, each once, and no more than a person reads."""

from stagewright.contexts.deploys.model.codes import CODES
from stagewright.contexts.deploys.model.diagnostics import MOST, Findings, Severity, quoted
from stagewright.contexts.deploys.model.places import At, Source


def at(file: str, line: int) -> At:
    return At(Source("main", file, "0" * 40), line, 1)


def test_findings_stand_by_file_line_and_code() -> None:
    found = Findings()
    for file, line, code in (
        ("b.yaml", 1, "kind"),
        ("a.yaml", 9, "kind"),
        ("a.yaml", 2, "kind"),
        ("a.yaml", 2, "bad_enum"),
    ):
        found.add(code, "wrong", at(file, line))
    assert [(item.where, item.code) for item in found.sorted()] == [
        ("a.yaml:2", "stack.bad_enum"),
        ("a.yaml:2", "stack.kind"),
        ("a.yaml:9", "stack.kind"),
        ("b.yaml:1", "stack.kind"),
    ]


def test_what_several_environments_find_is_told_once() -> None:
    found = Findings()
    for _ in range(3):
        found.add("kind", "wrong", at("a.yaml", 1))
    assert len(found.sorted()) == 1


def test_two_hundred_findings_are_told_and_then_that_there_are_more() -> None:
    found = Findings()
    for line in range(MOST + 7):
        found.add("unused_image", "nothing uses it", at("a.yaml", line))
    told = found.sorted()
    assert len(told) == MOST + 1
    assert (told[-1].code, told[-1].severity) == ("stack.too_many", Severity.ERROR)
    assert told[-1].message == "7 more findings are not shown; mend these first"
    assert told[0].severity is Severity.WARNING


def test_exactly_two_hundred_are_all() -> None:
    found = Findings()
    for line in range(MOST):
        found.add("unused_image", "nothing uses it", at("a.yaml", line))
    assert [item.code for item in found.sorted()] == ["stack.unused_image"] * MOST


def test_quoted_values_are_short() -> None:
    assert quoted("abc") == "'abc'"
    assert len(quoted("x" * 1000)) == 80


def test_every_code_has_an_area_and_words() -> None:
    assert all(code.area and code.says for code in CODES.values())
