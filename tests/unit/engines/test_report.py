"""A report made from any report schema is valid, completed and says that it is a rehearsal."""

from typing import Any

import jsonschema
import pytest
from tests.contract.engines.jobs import REPORT_SCHEMA

from stagewright.adapters.engines.scripted.report import make_report, merge

REVIEW_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["status", "summary", "review", "evidence", "restart", "count", "escalation", "note"],
    "properties": {
        "status": {"enum": ["completed", "needs_input", "blocked"]},
        "summary": {"type": "string", "minLength": 400, "maxLength": 401},
        "escalation": {"enum": [None, "role", "model"]},
        "review": {
            "type": "object",
            "additionalProperties": False,
            "required": ["verdict", "findings"],
            "properties": {
                "verdict": {"enum": ["approve", "request_changes"]},
                "findings": {"type": "array", "minItems": 0, "items": {"type": "object"}},
            },
        },
        "evidence": {
            "type": "array",
            "minItems": 2,
            "items": {"type": "string", "pattern": "^run:", "examples": ["run:1"]},
        },
        "restart": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 3},
        "note": {"oneOf": [{"type": "string", "maxLength": 4}, {"type": "integer"}]},
        "optional": {"type": "string"},
    },
}


@pytest.mark.parametrize("schema", [REPORT_SCHEMA, REVIEW_SCHEMA])
def test_a_made_report_is_valid_and_completed(schema: dict[str, Any]) -> None:
    report = make_report(schema, "dev")
    jsonschema.validate(report, schema)
    assert report["status"] == "completed"
    assert "optional" not in report


def test_a_made_report_uses_nulls_descriptions_and_the_stage() -> None:
    report = make_report(REPORT_SCHEMA, "dev")
    assert report["title"] == "Rehearsal of dev"
    assert report["question"] is None
    assert report["sections"] == {"context": "Rehearsal of dev: why this was asked", "artifacts": [], "risks": None}


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert make_report(schema, "dev") == {"status": "completed", "title": "Rehearsal of dev"}


def test_fields_of_a_scenario_lie_over_the_report() -> None:
    below = {"status": "completed", "sections": {"context": "a", "risks": None}, "tool_gaps": []}
    over = {"status": "blocked", "sections": {"risks": "many"}, "extra": 1}
    assert merge(below, over) == {
        "status": "blocked",
        "sections": {"context": "a", "risks": "many"},
        "tool_gaps": [],
        "extra": 1,
    }
    assert below["sections"] == {"context": "a", "risks": None}
