"""Findings for machines of others: SARIF 2.1.0 for code scanning, and the annotations of a GitHub job's log."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from stagewright.processes.cli.build import VERSION
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.stacks.reading import API, Stack

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import At, Diagnostic

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"


def sarif(stack: Stack, found: "Sequence[Diagnostic]") -> dict[str, Any]:
    """Return the findings as a SARIF log of one run."""
    codes = sorted({item.code for item in found})
    driver = {"name": "stagewright", "version": VERSION, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(stack, item, codes.index(item.code)) for item in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    known = load(f"{API}:CODES").get(code.removeprefix("stack."))
    says = known.says if known is not None and known.says else code
    return {
        "id": code,
        "shortDescription": {"text": says},
        "defaultConfiguration": {"level": "warning" if known is not None and known.warning else "error"},
    }


def _result(stack: Stack, item: "Diagnostic", rule: int) -> dict[str, Any]:
    text = item.message if not item.hint else f"{item.message}\n{item.hint}"
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": item.severity.value,
        "message": {"text": text},
        "locations": [_location(stack, item.at, item.path)],
    }
    if item.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": other.message}, **_location(stack, other.at)}
            for number, other in enumerate(item.related, start=1)
        ]
    return result


def _location(stack: Stack, at: "At | None", path: str = "") -> dict[str, Any]:
    """Return a place. Code scanning shows only what stands in a file: without one it is the stack file's first line."""
    named = {"logicalLocations": [{"fullyQualifiedName": path}]} if path else {}
    if at is None:
        file, line, column, alias = stack.repositories.stack_path, 1, 1, stack.alias
    else:
        file, line, column, alias = at.source.file, at.line, at.column, at.source.repository
    base = ROOT if alias == stack.alias else alias.upper()
    shown = stack.path(alias, file) if alias == stack.alias else file
    place = {
        "artifactLocation": {"uri": quote(shown.replace("\\", "/")), "uriBaseId": base},
        "region": {"startLine": max(1, line), "startColumn": max(1, column)},
    }
    return {"physicalLocation": place, **named}


def annotations(stack: Stack, found: "Sequence[Diagnostic]") -> list[str]:
    """Return one workflow command per finding, which GitHub shows beside the line."""
    return [_annotation(stack, item) for item in found]


def _annotation(stack: Stack, item: "Diagnostic") -> str:
    fields = {"title": item.code}
    if item.at is not None:
        place = {"file": stack.path(item.at.source.repository, item.at.source.file)}
        fields = {**place, "line": str(item.at.line), "col": str(item.at.column), **fields}
    text = item.message if not item.hint else f"{item.message}\n{item.hint}"
    given = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
    return f"::{item.severity.value} {given}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
