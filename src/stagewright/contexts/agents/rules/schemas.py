"""Report schemas, chosen by stage: closed, every property required, absent = null.

Only keywords that providers accept in strict structured output are used; lengths stand in the descriptions and are
checked by ``parse_report``. Providers reject a schema with ``maxLength``, so do not add it here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from stagewright.contexts.agents.errors import ReportSchemaUnknown
from stagewright.contexts.agents.model import ReportSchema

Schema = dict[str, Any]

ESCALATION_REASONS: Final = (
    "cross_service_change",
    "new_integration",
    "data_migration",
    "security_impact",
    "nfr_change",
)
SUMMARY_LIMIT: Final = 2000
TITLE_LIMIT: Final = 90
TEXT_LIMIT: Final = 20_000
NOTE_LIMIT: Final = 4000
REPLY_LIMIT: Final = 60_000


def _text(about: str) -> Schema:
    return {"type": "string", "description": about}


def _optional(about: str) -> Schema:
    return {"type": ["string", "null"], "description": about}


def _choice(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _list(items: Schema, most: int, about: str = "", *, least: int = 0) -> Schema:
    schema: Schema = {"type": "array", "items": items, "maxItems": most}
    if least:
        schema["minItems"] = least
    return schema | ({"description": about} if about else {})


def _object(about: str = "", /, **properties: Schema) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return schema | ({"description": about} if about else {})


def _common() -> dict[str, Schema]:
    escalation = _object(
        "Only when the change turned out larger than its launch profile.",
        to=_text("Key of the launch profile this needs."),
        reasons=_list(_choice(*ESCALATION_REASONS), 5, least=1),
    )
    return {
        "status": _choice("completed", "needs_input", "blocked"),
        "summary": _text(f"What was achieved, or why not: at most {SUMMARY_LIMIT} characters."),
        "question": _optional("One question for a person; required with needs_input, else null."),
        "tool_gaps": _list(_text("Name of a program that was missing, at most 100 characters."), 20),
        "escalation": {"anyOf": [escalation, {"type": "null"}]},
    }


def _work() -> dict[str, Schema]:
    check = _object(
        name=_text("The command or the thing verified."),
        outcome=_choice("passed", "failed", "skipped"),
        detail=_text("The figure or line that proves it, or why it was skipped."),
    )
    addressed = _object(
        comment_id={"type": "integer", "description": "The number in the comment's source."},
        action=_choice("fixed", "declined"),
        note=_text("What was changed, or why it was not."),
    )
    return {
        **_common(),
        "title": _text(f"What the change does: at most {TITLE_LIMIT} characters, no Issue number, no stage name."),
        "sections": _object(
            context=_text("Why the change is needed, in a few sentences."),
            done=_text("What was done and how it works, as Markdown."),
            artifacts=_list(_text("Path of a file written or changed, relative to the repository."), 100),
            checks=_list(check, 50),
            risks=_text("What could still go wrong and what was not verified; empty when nothing."),
        ),
        "follow_ups": _list(_object(title=_text("At most 200 characters."), body=_text("Enough to start.")), 10),
        "merged_base_sha": _optional("Full SHA of the default branch commit merged into the work, else null."),
        "addressed_comments": _list(addressed, 200, "One entry per review comment; empty without any."),
    }


def _review() -> dict[str, Schema]:
    finding = _object(
        path=_text("Path in the repository."),
        line={"type": ["integer", "null"], "description": "Line on the new side, null for the whole file."},
        severity=_choice("blocking", "important", "minor"),
        text=_text("What is wrong, why it matters, what would settle it."),
    )
    review = _object(
        verdict=_choice("looks_good", "needs_changes", "cannot_judge"),
        findings=_list(finding, 50, "The most important first."),
    )
    return {**_common(), "review": review}


def _self_improve() -> dict[str, Schema]:
    return {
        **_work(),
        "diagnosis": _text("What goes wrong in past runs and why."),
        "action_items": _list(_text("One change, and how its effect will be seen."), 30, least=1),
        "evidence_refs": _list(_text("run:<id>, event:<seq>, pr:<n> or issue:<n>."), 100, least=1),
    }


def _schemas() -> Mapping[str, Schema]:
    return MappingProxyType(
        {
            "work.v1": _object(**_work()),
            "rethink.v1": _object(**_work(), restart=_choice("intake", "prd", "plan")),
            "review.v1": _object(**_review()),
            "discussion.v1": _object(**_common(), reply_markdown=_text("The reply to post, as Markdown.")),
            "self_improve.v1": _object(**_self_improve()),
        }
    )


SCHEMAS: Final = _schemas()
_BY_STAGE: Final = MappingProxyType(
    {
        "rethink": "rethink.v1",
        "reviewer": "review.v1",
        "discussion": "discussion.v1",
        "self_improve": "self_improve.v1",
    }
)


def report_schema(kind: str) -> ReportSchema:
    """Return the schema for a stage or a run's kind. Work and revise of one stage share it; `-` and `_` are equal."""
    stage = kind.replace("-", "_").removesuffix("_revise")
    if not stage or stage == "deploy":
        raise ReportSchemaUnknown(f"runs of kind {kind!r} have no agent and no report", kind=kind)
    name = _BY_STAGE.get(stage, "work.v1")
    return ReportSchema(name, SCHEMAS[name])
