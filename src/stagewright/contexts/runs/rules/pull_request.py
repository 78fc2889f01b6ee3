"""Title and body of a pull request from the structured report (specification: runs, section 9)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.rules.texts import run_name, text

LIMIT = 60_000
BEGIN = "<!-- stagewright:delivery {} -->"
END = "<!-- /stagewright:delivery -->"

Inert = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PullRequestFacts:
    """What the body shows beside the report. ``closing`` is its last line, e.g. ``Closes #7``."""

    run_url: str | None
    stage_name: str
    model: str
    closing: str
    warnings: Sequence[str]
    inert: Inert


def delivery_marker(run_id: str) -> str:
    """Return the line by which our block is found again."""
    return BEGIN.format(run_id)


def render_body(run: Run, report: Mapping[str, Any], facts: PullRequestFacts) -> str:
    """Return the whole body of a new pull request."""
    block = _block(run, report, facts)
    return f"{block}\n\n{facts.closing}\n"[:LIMIT]


def revise_body(body: str, run: Run, report: Mapping[str, Any], facts: PullRequestFacts, *, revision: int) -> str:
    """Return ``body`` with our block replaced and a section for this revision; a person's words stay."""
    start = body.find("<!-- stagewright:delivery ")
    end = body.find(END)
    block = _block(run, report, facts)
    note = f"### {text('pr.revision', run.locale, number=revision)}\n\n{facts.inert(str(report.get('summary', '')))}"
    if delivery_marker(str(run.id)) in body:
        return body
    if start < 0 or end < start:
        return f"{body.rstrip()}\n\n{block}\n\n{note}\n"[:LIMIT]
    tail = body[end + len(END) :].strip("\n")
    return f"{body[:start]}{block}\n\n{note}\n\n{tail}\n"[:LIMIT]


def _block(run: Run, report: Mapping[str, Any], facts: PullRequestFacts) -> str:
    sections = report.get("sections") or {}
    parts = [delivery_marker(str(run.id))]
    parts += _prose("pr.context", sections.get("context"), run, facts)
    parts += _prose("pr.done", sections.get("done") or report.get("summary"), run, facts)
    parts += _listed("pr.artifacts", [str(item) for item in sections.get("artifacts") or ()], run, facts)
    parts += _listed("pr.checks", [_check(item) for item in sections.get("checks") or ()], run, facts)
    parts += _prose("pr.risks", sections.get("risks"), run, facts)
    follow_ups = [str(item.get("title", "")) for item in report.get("follow_ups") or ()]
    parts += _listed("pr.follow_ups", follow_ups, run, facts)
    parts += _listed("pr.warnings", list(facts.warnings), run, facts)
    name = f"[{run_name(run.number)}]({facts.run_url})" if facts.run_url else run_name(run.number)
    parts.append(
        "---\n"
        + text("pr.platform", run.locale, run=name, stage=facts.stage_name, role=run.role, model=facts.model or "-")
    )
    parts.append(END)
    return "\n\n".join(parts)


def _prose(key: str, value: Any, run: Run, facts: PullRequestFacts) -> list[str]:
    if not value:
        return []
    return [f"## {text(key, run.locale)}\n\n{facts.inert(str(value)).strip()}"]


def _listed(key: str, values: Sequence[str], run: Run, facts: PullRequestFacts) -> list[str]:
    kept = [" ".join(facts.inert(value).split()) for value in values if value]
    if not kept:
        return []
    return [f"## {text(key, run.locale)}\n\n" + "\n".join(f"- {value}" for value in kept)]


def _check(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    detail = f": {item['detail']}" if item.get("detail") else ""
    return f"{item.get('name', '')} — {item.get('outcome', '')}{detail}"
