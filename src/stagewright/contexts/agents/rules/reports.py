"""Reading of an agent's report: the schema first, then limits and what a status demands. Nothing is repaired here."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from jsonschema import Draft202012Validator

from stagewright.contexts.agents.errors import ReportInvalid, ReportSchemaUnknown
from stagewright.contexts.agents.model import (
    AddressedComment,
    Check,
    Diagnosis,
    Escalation,
    Finding,
    FollowUp,
    Report,
    ReportStatus,
    Review,
    Sections,
)
from stagewright.contexts.agents.rules.schemas import (
    NOTE_LIMIT,
    REPLY_LIMIT,
    SCHEMAS,
    SUMMARY_LIMIT,
    TEXT_LIMIT,
    TITLE_LIMIT,
)
from stagewright.kit.errors import FieldProblem

SIZE_LIMIT = 1024 * 1024
PROBLEMS_LIMIT = 20

_VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
_LIMITS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), limit)
    for pattern, limit in (
        (r"/summary", SUMMARY_LIMIT),
        (r"/title", TITLE_LIMIT),
        (r"/question", NOTE_LIMIT),
        (r"/tool_gaps/\d+", 100),
        (r"/escalation/to", 100),
        (r"/follow_ups/\d+/title", 200),
        (r"/sections/artifacts/\d+|/review/findings/\d+/path", 1000),
        (r"/sections/checks/\d+/(?:name|detail)", NOTE_LIMIT),
        (r"/(?:addressed_comments/\d+/note|review/findings/\d+/text|action_items/\d+)", NOTE_LIMIT),
        (r"/evidence_refs/\d+", 100),
        (r"/reply_markdown", REPLY_LIMIT),
    )
)
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_EVIDENCE = re.compile(
    r"run:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:event|pr|issue):[1-9]\d{0,17}"
)

Problems = Iterator[FieldProblem]
T = TypeVar("T")


def parse_report(raw: bytes | str | Mapping[str, Any], schema_id: str) -> Report:
    """Return the report, or raise ``ReportInvalid`` with at most 20 problems: a pointer and what to change each."""
    if schema_id not in SCHEMAS:
        raise ReportSchemaUnknown(f"no report schema {schema_id!r}; known are {', '.join(SCHEMAS)}", schema=schema_id)
    value = raw if isinstance(raw, Mapping) else _decoded(raw)
    problems = _first(_texts(value)) or _first(_schema_problems(value, schema_id))
    problems = problems or _first(_meaning_problems(value, schema_id))
    if problems:
        raise _invalid(problems)
    return _report(value, schema_id)


def _decoded(raw: bytes | str) -> Any:
    if len(raw) > SIZE_LIMIT:
        raise _invalid([FieldProblem("", "too_large", f"keep the report within {SIZE_LIMIT} bytes")])
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        text = "give one JSON object and nothing around it"
        raise _invalid([FieldProblem("", "not_json", f"{text} ({str(error)[:200]})")]) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _texts(value: Any, pointer: str = "", depth: int = 0) -> Problems:
    """Find texts that cannot be stored, and nesting no schema of ours has."""
    if depth > 16:
        yield FieldProblem(pointer, "too_deep", "nest no deeper than the schema does")
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            yield FieldProblem(pointer, "not_text", "remove NUL characters and half surrogate pairs")
    elif isinstance(value, float):
        yield FieldProblem(pointer, "not_whole", "write a whole number")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(str(key), f"{pointer}/{_escaped(key)}", depth + 1)
            yield from _texts(item, f"{pointer}/{_escaped(key)}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}", depth + 1)


def _schema_problems(value: Any, schema_id: str) -> Problems:
    for error in _VALIDATORS[schema_id].iter_errors(value):
        pointer = "".join(f"/{_escaped(step)}" for step in error.absolute_path)
        yield FieldProblem(pointer, f"schema_{error.validator}", _remedy(error.validator, error.validator_value, error))


_REMEDIES: Mapping[str, str] = {
    "required": "every property is required: give null where there is nothing ({message})",
    "additionalProperties": "remove what the schema does not name ({message})",
    "enum": "use one of {value}",
    "type": "give a value of type {value}",
    "maxItems": "give at most {value} entries",
    "minItems": "give at least {value} entries",
    "anyOf": "give an object of the schema's form, or null",
}


def _remedy(validator: Any, value: Any, error: Any) -> str:
    wanted = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return _REMEDIES.get(str(validator), "{message}").format(value=wanted, message=error.message[:300])


def _meaning_problems(value: Mapping[str, Any], schema_id: str) -> Problems:
    yield from _too_long(value)
    if not value["summary"].strip():
        yield FieldProblem("/summary", "empty", "say what was achieved, or why not")
    status = ReportStatus(value["status"])
    if status is ReportStatus.NEEDS_INPUT and not (value["question"] or "").strip():
        yield FieldProblem("/question", "empty", "ask the question a person has to answer")
    if status is ReportStatus.COMPLETED:
        yield from _incomplete(value)
    yield from _work_problems(value)


def _too_long(value: Any, pointer: str = "") -> Problems:
    if isinstance(value, str):
        limit = next((limit for pattern, limit in _LIMITS if pattern.fullmatch(pointer)), TEXT_LIMIT)
        if len(value) > limit:
            yield FieldProblem(pointer, "too_long", f"shorten it to {limit} characters (it has {len(value)})")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _too_long(item, f"{pointer}/{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _too_long(item, f"{pointer}/{index}")


def _incomplete(value: Mapping[str, Any]) -> Problems:
    for name in ("title", "reply_markdown", "diagnosis"):
        if name in value and not value[name].strip():
            yield FieldProblem(f"/{name}", "empty", "a completed report has it")
    if "sections" in value and not value["sections"]["done"].strip():
        yield FieldProblem("/sections/done", "empty", "say what was done")
    for name in ("action_items", "evidence_refs"):
        for index, item in enumerate(value.get(name, ())):
            if not item.strip():
                yield FieldProblem(f"/{name}/{index}", "empty", "fill it or remove it")


def _work_problems(value: Mapping[str, Any]) -> Problems:
    sha = value.get("merged_base_sha")
    if sha is not None and not _SHA.fullmatch(sha):
        yield FieldProblem("/merged_base_sha", "not_a_sha", "give the full lower-case commit SHA, or null")
    if "\n" in value.get("title", ""):
        yield FieldProblem("/title", "not_one_line", "keep the title on one line")
    for index, item in enumerate(value.get("addressed_comments", ())):
        if not item["note"].strip():
            yield FieldProblem(f"/addressed_comments/{index}/note", "empty", "say what was changed, or why it was not")
    for index, item in enumerate(value.get("follow_ups", ())):
        if not item["title"].strip():
            yield FieldProblem(f"/follow_ups/{index}/title", "empty", "give the follow-up a title")
    for index, reference in enumerate(value.get("evidence_refs", ())):
        if not _EVIDENCE.fullmatch(reference):
            form = "write run:<id>, event:<seq>, pr:<number> or issue:<number>"
            yield FieldProblem(f"/evidence_refs/{index}", "not_a_reference", form)


def _first(problems: Problems) -> list[FieldProblem]:
    return [problem for problem, _ in zip(problems, range(PROBLEMS_LIMIT), strict=False)]


def _invalid(problems: list[FieldProblem]) -> ReportInvalid:
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    place = first.pointer or "the report"
    return ReportInvalid(f"the report is not valid: {place}: {first.message}{more}", problems=tuple(problems))


def _escaped(step: object) -> str:
    return str(step)[:100].replace("~", "~0").replace("/", "~1")


def _report(value: Mapping[str, Any], schema_id: str) -> Report:
    return Report(
        schema_id=schema_id,
        status=ReportStatus(value["status"]),
        summary=value["summary"],
        question=value["question"],
        tool_gaps=tuple(value["tool_gaps"]),
        escalation=_maybe(value["escalation"], lambda e: Escalation(e["to"], tuple(e["reasons"]))),
        title=value.get("title"),
        sections=_maybe(value.get("sections"), _sections),
        follow_ups=tuple(FollowUp(**item) for item in value.get("follow_ups", ())),
        merged_base_sha=value.get("merged_base_sha"),
        addressed_comments=tuple(AddressedComment(**item) for item in value.get("addressed_comments", ())),
        restart=value.get("restart"),
        review=_maybe(value.get("review"), _review),
        reply_markdown=value.get("reply_markdown"),
        self_improve=_diagnosis(value),
        raw=dict(value),
    )


def _maybe(value: Any, make: Callable[[Any], T]) -> T | None:
    return None if value is None else make(value)


def _sections(value: Any) -> Sections:
    checks = tuple(Check(**item) for item in value["checks"])
    return Sections(value["context"], value["done"], tuple(value["artifacts"]), checks, value["risks"])


def _review(value: Any) -> Review:
    return Review(value["verdict"], tuple(Finding(**item) for item in value["findings"]))


def _diagnosis(value: Mapping[str, Any]) -> Diagnosis | None:
    if "diagnosis" not in value:
        return None
    return Diagnosis(value["diagnosis"], tuple(value["action_items"]), tuple(value["evidence_refs"]))
