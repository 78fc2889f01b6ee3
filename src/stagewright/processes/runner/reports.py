"""The structured report: parsed and validated by us, whatever the engine claims. Imported when the first turn ends."""

import json
import re
from typing import Any

import jsonschema
import referencing

LARGEST_REPORT = 1024 * 1024
LISTED_PROBLEMS = 10
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
FENCED = re.compile(r"\A```[a-z]*\n(.*)\n```\Z", re.DOTALL)


class ReportInvalid(Exception):
    """The report is not what its schema asks for; the text names the places."""


def parse_report(text: str | None, schema_text: str) -> dict[str, Any]:
    """Return the report. Raises ``ReportInvalid`` with what to change."""
    if text is None or not text.strip():
        raise ReportInvalid("there is no report; the turn has to end with one JSON object")
    if len(text.encode(errors="replace")) > LARGEST_REPORT:
        raise ReportInvalid("the report is larger than 1 MiB")
    fenced = FENCED.match(text.strip())
    try:
        report = json.loads(fenced[1] if fenced else text, parse_constant=_no_constant)
        json.dumps(report, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ReportInvalid("the report has half a character (a lone surrogate); write the whole character") from error
    except (ValueError, RecursionError) as error:
        raise ReportInvalid(f"the report is not JSON: {error}") from error
    if not isinstance(report, dict):
        raise ReportInvalid("the report is not a JSON object")
    if NUL.search(text):
        raise ReportInvalid("the report has a NUL character (\\u0000); leave it out")
    schema = json.loads(schema_text) if schema_text.strip() else {}
    validator = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
    problems = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(report)]
    if problems:
        more = len(problems) - LISTED_PROBLEMS
        listed = problems[:LISTED_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise ReportInvalid("the report does not match its schema:\n" + "\n".join(f"- {line}" for line in listed))
    return report


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")
