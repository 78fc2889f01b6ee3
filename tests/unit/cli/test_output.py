"""Results on stdout: tables that fit, JSON that is whole, names, YAML, and hints on stderr."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from stagewright.processes.cli.call import Call
from stagewright.processes.cli.exits import Failure
from stagewright.processes.cli.present.output import Output, make_output
from stagewright.processes.cli.present.table import Column, Style, render, shortest_prefixes
from stagewright.processes.cli.present.text import width
from stagewright.processes.cli.runs import words

PLAIN = Style(decorated=False, columns=None, now=datetime(2026, 5, 4, 12, 0, tzinfo=UTC))
COLUMNS = (Column("id", kind="id"), Column("name"), Column("note", drop=1), Column("more", wide=True))
ITEMS: list[dict[str, Any]] = [
    {"id": "aaaaaaaa-1", "name": "one", "note": "x" * 60, "more": 1},
    {"id": "aaaaaaaa-2", "name": "два", "note": None, "more": [1, 2]},
]


def an_output(form: str = "table", **changes: Any) -> Output:
    return replace(Output(form=form, fields=None, columns=None, style=PLAIN), **changes)


def a_run(**changes: Any) -> dict[str, Any]:
    run = {
        "id": "01920000-0000-7000-8000-000000000001",
        "number": "run-0007",
        "status": "failed",
        "stage": "dev",
        "kind": "dev",
        "repository": "acme/shop",
        "issue_number": 118,
        "failure_class": "policy",
        "code": "path_out_of_scope",
        "created_at": "2026-05-04T11:00:00Z",
        "requester_name": "ann",
        "wait": None,
        "pull_request": None,
    }
    return {**run, **changes}


def test_a_table_has_a_heading_and_one_line_per_item(capsys: pytest.CaptureFixture[str]) -> None:
    an_output().items([a_run(), a_run(id="02", status="queued", failure_class=None, code=None)], words.LIST)

    assert capsys.readouterr().out.splitlines() == [
        "ID      NUMBER    STATUS    STAGE  ISSUE          WHY                        CREATED",
        "019200  run-0007  ✗ failed  dev    acme/shop#118  policy: path_out_of_scope  2026-05-04T11:00:00Z",
        "02      run-0007  ○ queued  dev    acme/shop#118  -                          2026-05-04T11:00:00Z",
    ]


@pytest.mark.parametrize("columns", [80, 60, 50])
def test_a_table_fits_its_terminal_by_dropping_columns_never_by_cutting_ids(columns: int) -> None:
    style = replace(PLAIN, columns=columns, decorated=True)
    lines = render([a_run()], [column for column in words.LIST if not column.wide], style)

    assert all(width(line) <= columns for line in lines)
    assert lines[1].startswith("019200  ")


def test_at_200_columns_nothing_is_dropped() -> None:
    lines = render([a_run()], words.LIST, replace(PLAIN, columns=200))

    assert {"NUMBER", "WHY", "MODEL", "BRANCH"} <= set(lines[0].split())


def test_wide_shows_all_columns_and_full_texts(capsys: pytest.CaptureFixture[str]) -> None:
    an_output("wide").items(ITEMS, COLUMNS)

    out = capsys.readouterr().out
    assert "MORE" in out
    assert "x" * 60 in out
    assert "1, 2" in out


def test_chosen_columns_are_shown_in_that_order(capsys: pytest.CaptureFixture[str]) -> None:
    an_output(columns=("name", "id")).items(ITEMS, COLUMNS)
    assert capsys.readouterr().out.splitlines()[0].split() == ["NAME", "ID"]

    with pytest.raises(Failure, match="no column bogus; there are id, name, note, more"):
        an_output(columns=("bogus",)).items(ITEMS, COLUMNS)


def test_json_of_a_list_is_an_array_and_jsonl_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    an_output("json").items(ITEMS, COLUMNS)
    assert json.loads(capsys.readouterr().out) == ITEMS

    an_output("jsonl").items(ITEMS, COLUMNS)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ITEMS


def test_an_empty_list_is_valid_json_with_a_hint_beside(capsys: pytest.CaptureFixture[str]) -> None:
    an_output("json").items([], COLUMNS, empty="nothing here")

    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert captured.err == "nothing here\n"


def test_yaml_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    an_output("yaml").one(ITEMS[1], COLUMNS)
    assert yaml.safe_load(capsys.readouterr().out) == ITEMS[1]

    an_output("name").items(ITEMS, COLUMNS)
    assert capsys.readouterr().out.split() == ["aaaaaaaa-1", "aaaaaaaa-2"]


def test_fields_are_picked_listed_and_an_unknown_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    an_output("json", fields=("name",)).one(ITEMS[0], COLUMNS)
    assert json.loads(capsys.readouterr().out) == {"name": "one"}

    an_output("json", fields=()).items(ITEMS, COLUMNS)
    assert capsys.readouterr().out.split() == ["id", "more", "name", "note"]

    with pytest.raises(Failure, match="no field nme"):
        an_output("json", fields=("nme",)).one(ITEMS[0], COLUMNS)


def test_one_resource_is_lines_of_name_and_value_without_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    an_output().one(ITEMS[1], COLUMNS, ["next: try it"])

    assert capsys.readouterr().out.splitlines() == ["Id:   aaaaaaaa-2", "Name: два", "More: 1, 2", "next: try it"]


def test_server_text_cannot_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    an_output().items([{"id": "x", "name": "evil\x1b[2J\nline"}], COLUMNS)

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_prefixes_are_the_shortest_unique_ones_of_at_least_six() -> None:
    found = shortest_prefixes(["abcdef12-3", "abcdef12-4", "fedcba98-7"])

    assert found == {"abcdef12-3": "abcdef12-3", "abcdef12-4": "abcdef12-4", "fedcba98-7": "fedcba"}


@pytest.mark.parametrize(
    ("wanted", "environ", "form"),
    [
        ({}, {}, "table"),
        ({"output": "yaml"}, {"STAGEWRIGHT_CLI_OUTPUT": "json"}, "yaml"),
        ({}, {"STAGEWRIGHT_CLI_OUTPUT": "json"}, "json"),
        ({"json_fields": "id"}, {}, "json"),
        ({"json_fields": "id", "output": "jsonl"}, {}, "jsonl"),
    ],
)
def test_the_form_follows_option_variable_default(
    tmp_path: Any, wanted: dict[str, Any], environ: dict[str, str], form: str
) -> None:
    call = Call(environ={**environ, "STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path)})
    call.wanted.update(wanted)

    assert make_output(call).form == form


def test_the_persons_file_is_the_default_and_its_mistakes_are_named(tmp_path: Any) -> None:
    environ = {"STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path)}
    (tmp_path / "config.toml").write_text('output = "jsonl"\n')
    assert make_output(Call(environ=environ)).form == "jsonl"

    for text, what in (
        ('output = "xml"', "no form"),
        ("colour = 1", "unknown key colour"),
        ("pager = 1", "pager is a text"),
        ("[", "cannot be read"),
    ):
        (tmp_path / "config.toml").write_text(text)
        with pytest.raises(Failure, match=what):
            make_output(Call(environ=environ))
