"""Reports: closed schemas chosen by stage, limits, and problems that name the place and the remedy."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stagewright.adapters.engines.scripted.report import make_report
from stagewright.contexts.agents.api import (
    Finding,
    ReportInvalid,
    ReportSchemaUnknown,
    ReportStatus,
    parse_report,
    prompt_words,
    report_schema,
)
from stagewright.contexts.agents.rules.schemas import SCHEMAS
from stagewright.contexts.agents.usecases.templates import STAGES

STRICT_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "description", "enum", "items", "maxItems", "minItems",
    "anyOf",
}  # fmt: skip


def a_report(schema_id: str = "work.v1", **changes: Any) -> dict[str, Any]:
    report: dict[str, Any] = {
        "status": "completed",
        "summary": "The total is rounded once.",
        "question": None,
        "tool_gaps": [],
        "escalation": None,
    }
    if schema_id in ("work.v1", "rethink.v1", "self_improve.v1"):
        report |= {
            "title": "Round the total once",
            "sections": {
                "context": "Customers see a cent too much.",
                "done": "The cart rounds at the end.",
                "artifacts": ["src/cart.py"],
                "checks": [{"name": "make test", "outcome": "passed", "detail": "41 passed"}],
                "risks": "",
            },
            "follow_ups": [{"title": "Drop the old column", "body": "Nobody reads it."}],
            "merged_base_sha": "a" * 40,
            "addressed_comments": [{"comment_id": 9, "action": "fixed", "note": "see src/cart.py"}],
        }
    special: dict[str, dict[str, Any]] = {
        "rethink.v1": {"restart": "prd"},
        "review.v1": {
            "review": {
                "verdict": "needs_changes",
                "findings": [{"path": "a.py", "line": None, "severity": "minor", "text": "why"}],
            }
        },
        "discussion.v1": {"reply_markdown": "Yes."},
        "self_improve.v1": {
            "diagnosis": "Runs lack ripgrep.",
            "action_items": ["install it"],
            "evidence_refs": ["run:0192f0c1-0000-7000-8000-000000000001", "event:17", "pr:3", "issue:4"],
        },
    }
    return report | special.get(schema_id, {}) | changes


def objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        if schema.get("type") == "object":
            yield schema
        for key, value in schema.items():
            yield from objects(list(value.values()) if key == "properties" else value)
    elif isinstance(schema, list):
        for item in schema:
            yield from objects(item)


def keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema
    for key, value in schema.items():
        children = value.values() if key == "properties" else value if key == "anyOf" else [value]
        if key in ("properties", "anyOf", "items"):
            for child in children:
                yield from keywords(child)


def problems_of(raw: Any, schema_id: str = "work.v1") -> list[tuple[str, str]]:
    with pytest.raises(ReportInvalid) as refused:
        parse_report(raw, schema_id)
    assert all(problem.message for problem in refused.value.problems)
    return [(problem.pointer, problem.code) for problem in refused.value.problems]


@pytest.mark.parametrize("schema_id", SCHEMAS)
def test_every_schema_is_closed_and_every_property_required(schema_id: str) -> None:
    schema = SCHEMAS[schema_id]
    Draft202012Validator.check_schema(schema)
    for item in objects(schema):
        assert item["additionalProperties"] is False
        assert item["required"] == list(item["properties"])
    assert set(keywords(schema)) <= STRICT_KEYWORDS
    json.dumps(schema)


def test_the_schema_is_chosen_by_stage_and_shared_by_work_and_revise() -> None:
    special = {"self-improve": "self_improve.v1"}
    for stage in STAGES:
        kind = stage.replace("-", "_")
        expected = special.get(stage, "work.v1")
        assert {report_schema(k).id for k in (stage, kind, f"{kind}_revise")} == {expected}
    assert report_schema("ai_repair").id == "work.v1"
    assert report_schema("rethink").id == "rethink.v1"
    assert report_schema("reviewer").id == "review.v1"
    assert report_schema("discussion").id == "discussion.v1"
    with pytest.raises(ReportSchemaUnknown):
        report_schema("deploy")
    with pytest.raises(ReportSchemaUnknown, match=r"work\.v1"):
        parse_report({}, "work.v0")


@pytest.mark.parametrize("schema_id", SCHEMAS)
def test_a_valid_report_is_read_from_bytes_text_and_values(schema_id: str) -> None:
    value = a_report(schema_id)
    reports = [parse_report(raw, schema_id) for raw in (value, json.dumps(value), json.dumps(value).encode())]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].status is ReportStatus.COMPLETED
    assert reports[0].raw == value


def test_fields_come_typed() -> None:
    work = parse_report(a_report(escalation={"to": "feature", "reasons": ["data_migration"]}), "work.v1")
    assert work.sections is not None
    assert work.escalation is not None
    assert (work.sections.checks[0].outcome, work.follow_ups[0].title) == ("passed", "Drop the old column")
    assert (work.addressed_comments[0].comment_id, work.escalation.reasons) == (9, ("data_migration",))
    assert (work.review, work.restart, work.self_improve, work.reply_markdown) == (None, None, None, None)
    review = parse_report(a_report("review.v1"), "review.v1").review
    assert review is not None
    assert review.findings == (Finding("a.py", None, "minor", "why"),)
    assert parse_report(a_report("rethink.v1"), "rethink.v1").restart == "prd"
    diagnosis = parse_report(a_report("self_improve.v1"), "self_improve.v1").self_improve
    assert diagnosis is not None
    assert diagnosis.evidence_refs[1] == "event:17"


@pytest.mark.parametrize("schema_id", ["work.v1", "rethink.v1", "review.v1", "discussion.v1"])
def test_a_rehearsal_makes_a_valid_report_of_every_schema(schema_id: str) -> None:
    assert parse_report(make_report(SCHEMAS[schema_id], "dev"), schema_id).status is ReportStatus.COMPLETED


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "done"}, ("/status", "schema_enum")),
        ({"summary": None}, ("/summary", "schema_type")),
        ({"summary": " "}, ("/summary", "empty")),
        ({"summary": "x" * 2001}, ("/summary", "too_long")),
        ({"extra": 1}, ("", "schema_additionalProperties")),
        ({"title": "x" * 91}, ("/title", "too_long")),
        ({"title": ""}, ("/title", "empty")),
        ({"title": "a\nb"}, ("/title", "not_one_line")),
        ({"status": "needs_input"}, ("/question", "empty")),
        ({"follow_ups": [{"title": "t", "body": "b"}] * 11}, ("/follow_ups", "schema_maxItems")),
        ({"follow_ups": [{"title": "", "body": "b"}]}, ("/follow_ups/0/title", "empty")),
        ({"follow_ups": [{"title": "t"}]}, ("/follow_ups/0", "schema_required")),
        ({"merged_base_sha": "HEAD"}, ("/merged_base_sha", "not_a_sha")),
        ({"addressed_comments": [{"comment_id": "9", "action": "fixed", "note": "x"}]},
         ("/addressed_comments/0/comment_id", "schema_type")),
        ({"addressed_comments": [{"comment_id": 9, "action": "declined", "note": ""}]},
         ("/addressed_comments/0/note", "empty")),
        ({"tool_gaps": ["x" * 101]}, ("/tool_gaps/0", "too_long")),
        ({"escalation": {"to": "feature", "reasons": ["boredom"]}}, ("/escalation", "schema_anyOf")),
        ({"sections": {"context": "", "done": "", "artifacts": [], "checks": [], "risks": ""}},
         ("/sections/done", "empty")),
        ({"summary": "a\0b"}, ("/summary", "not_text")),
        ({"title": "\ud800"}, ("/title", "not_text")),
        ({"merged_base_sha": 1.5}, ("/merged_base_sha", "not_whole")),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_by_pointer(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problems_of(a_report(**changes)) == [problem]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"evidence_refs": ["commit:abc"]}, ("/evidence_refs/0", "not_a_reference")),
        ({"evidence_refs": []}, ("/evidence_refs", "schema_minItems")),
        ({"action_items": [" "]}, ("/action_items/0", "empty")),
        ({"diagnosis": ""}, ("/diagnosis", "empty")),
    ],
)
def test_a_diagnosis_needs_its_evidence(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problems_of(a_report("self_improve.v1", **changes), "self_improve.v1") == [problem]


def test_a_missing_property_says_that_null_is_wanted() -> None:
    value = a_report()
    del value["question"]
    with pytest.raises(ReportInvalid, match="give null"):
        parse_report(value, "work.v1")


def test_a_question_or_an_obstacle_needs_no_finished_sections() -> None:
    empty: dict[str, Any] = {
        "title": "",
        "sections": {"context": "", "done": "", "artifacts": [], "checks": [], "risks": ""},
    }
    assert parse_report(a_report(status="needs_input", question="Which?", **empty), "work.v1").question == "Which?"
    assert parse_report(a_report(status="blocked", **empty), "work.v1").status is ReportStatus.BLOCKED


def test_all_problems_are_told_at_once_but_at_most_twenty() -> None:
    assert len(problems_of(a_report(summary="", title="", follow_ups=[{"title": "", "body": ""}]))) == 3
    many = [{"comment_id": n, "action": "fixed", "note": ""} for n in range(60)]
    assert len(problems_of(a_report(addressed_comments=many))) == 20


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]x",
        b"\xff\xfe\x00",
        '{"status": NaN}',
        "[" * 100_000,
        "null",
        "[]",
        '"text"',
        b"{}" + b" " * 1_100_000,
    ],
)
def test_what_is_no_report_is_refused_and_never_crashes(raw: bytes | str) -> None:
    assert problems_of(raw)


def test_nesting_no_schema_has_is_refused() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    assert problems_of(a_report(tool_gaps=deep))[0][1] == "too_deep"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(list(a_report()))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=9))


@given(VALUES)
def test_any_value_is_either_a_report_or_refused_with_places(value: Any) -> None:
    assert problems_of(json.dumps(value))


def test_a_runs_kind_gives_stage_text_prompt_kind_and_schema() -> None:
    assert prompt_words("dev") == ("dev", "work", "work.v1")
    assert prompt_words("doc_audit_revise") == ("doc-audit", "revise", "work.v1")
    assert prompt_words("self_improve") == ("self-improve", "work", "self_improve.v1")
    assert prompt_words("ai_repair") == ("ai-repair", "work", "work.v1")
    assert prompt_words("rethink") == ("rethink", "work", "rethink.v1")
    assert prompt_words("reviewer") == ("reviewer", "review", "review.v1")
    assert prompt_words("discussion") == ("discussion", "discussion", "discussion.v1")
    with pytest.raises(ReportSchemaUnknown):
        prompt_words("deploy")
