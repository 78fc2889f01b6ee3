"""How findings in a stack are shown: to a person, to programs, to code scanning and to GitHub."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.unit.cli.stack_findings import TEXT, a_stack, a_warning, an_error, at

from stagewright.contexts.deploys.model.diagnostics import Diagnostic
from stagewright.processes.cli.stacks.findings import counted, document, strictly, write
from stagewright.processes.cli.stacks.sarif import annotations, sarif

ESSENCE = json.loads((Path(__file__).parent / "sarif_essence.json").read_text())


def shown(*found: Diagnostic, colours: bool = False, text: str = TEXT, place: str = "") -> list[str]:
    stream = io.StringIO()
    write(a_stack(text, place), found, stream, colours=colours)
    return stream.getvalue().splitlines()


def test_a_finding_shows_its_line_with_a_caret_and_what_to_do() -> None:
    assert shown(an_error()) == [
        "services.yaml:4:19: error: there is no field 'manifest' in a service [stack.unknown_field]",
        "    4 |     - {name: api, manifest: [ deploy/api.yaml]}",
        "      |                   ^",
        "  hint: did you mean 'manifests'?",
    ]


def test_a_long_line_is_cut_around_the_place() -> None:
    line, caret = shown(an_error(at=at(5, 200)))[1:3]

    assert len(line) <= 8 + 120
    assert len(caret) <= len(line)


def test_a_place_in_another_repository_names_it_and_a_file_that_cannot_be_read_is_not_shown() -> None:
    assert shown(a_warning()) == [
        "ui:deploy/a b.yaml:1:1: warning: nothing uses the image 'web' [stack.unused_image]",
        "  services.yaml:2:1: declared here",
    ]


def test_a_line_that_the_file_does_not_have_is_not_shown() -> None:
    assert len(shown(an_error(at=at(99, 1)))) == 2


def test_a_finding_without_a_place_shows_its_path() -> None:
    assert shown(an_error(at=None, hint=None)) == [
        "/spec/services/api/manifest: error: there is no field 'manifest' in a service [stack.unknown_field]"
    ]


def test_paths_are_printed_from_where_the_person_stands() -> None:
    assert shown(an_error(), place="examples/shop")[0].startswith("examples/shop/services.yaml:4:19: ")
    assert shown(an_error(), place="..")[0].startswith("../services.yaml:4:19: ")


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("object_plain_secret", ()),
        ("image_arg_secret", ()),
        ("wrong_type", ("spec", "secrets", "a", "keys", "default")),
    ],
)
def test_a_line_that_may_hold_a_secret_is_never_shown(code: str, path: tuple[str, ...]) -> None:
    text = "data:\n  token: ghp_012345678901234567890123456789\n"

    assert "ghp_" not in "\n".join(shown(an_error(code=code, path=path, at=at(2, 10)), text=text))


def test_control_characters_of_a_file_are_shown_and_not_acted_on() -> None:
    lines = shown(an_error(at=at(1, 1), message="\x1b[31mred"), text="\x1b[2J\n")

    assert "\x1b" not in "".join(lines)
    assert lines[1] == "    1 | \\x1b[2J"


def test_colours_only_add() -> None:
    plain, coloured = shown(an_error(), a_warning()), "\n".join(shown(an_error(), a_warning(), colours=True))

    assert "\x1b[" in coloured
    for sequence in ("\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[36m", "\x1b[0m"):
        coloured = coloured.replace(sequence, "")
    assert coloured.splitlines() == plain


def test_strict_takes_warnings_for_errors() -> None:
    assert all(item.is_error for item in strictly([an_error(), a_warning()]))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "no findings"),
        ([an_error()], "1 error"),
        ([an_error(), an_error(), a_warning()], "2 errors and 1 warning"),
    ],
)
def test_findings_are_counted(found: list[Diagnostic], said: str) -> None:
    assert counted(found) == said


def test_programs_get_every_field() -> None:
    assert document(a_stack(), an_error()) == {
        "code": "stack.unknown_field",
        "severity": "error",
        "message": "there is no field 'manifest' in a service",
        "repository": "main",
        "file": "services.yaml",
        "line": 4,
        "column": 19,
        "path": "/spec/services/api/manifest",
        "hint": "did you mean 'manifests'?",
        "related": [],
    }
    assert document(a_stack(), an_error(at=None))["file"] is None


def test_sarif_has_the_essential_structure_of_its_standard() -> None:
    found = sarif(a_stack(shown="examples/my shop"), [an_error(), a_warning(), an_error(at=None)])

    jsonschema.validate(found, ESSENCE)
    run: dict[str, Any] = found["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["stack.unknown_field", "stack.unused_image"]
    for item in run["results"]:
        assert run["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] == item["ruleId"]
    places = [item["locations"][0]["physicalLocation"]["artifactLocation"] for item in run["results"]]
    assert places == [
        {"uri": "examples/my%20shop/services.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "deploy/a%20b.yaml", "uriBaseId": "UI"},
        {"uri": "examples/my%20shop/services.yaml", "uriBaseId": "%SRCROOT%"},
    ]


def test_sarif_without_findings_is_valid_too() -> None:
    jsonschema.validate(sarif(a_stack(), []), ESSENCE)


def test_github_gets_an_annotation_per_finding_with_its_escapes() -> None:
    error, warning = annotations(a_stack(), [an_error(message="100%: a, b"), a_warning()])

    assert error == (
        "::error file=services.yaml,line=4,col=19,title=stack.unknown_field::100%25: a, b%0Adid you mean 'manifests'?"
    )
    assert warning.startswith("::warning file=ui%3Adeploy/a b.yaml,line=1,col=1,title=stack.unused_image::nothing uses")
