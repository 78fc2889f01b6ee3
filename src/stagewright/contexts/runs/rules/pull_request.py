"""Title and body of a pull request from the structured report (specification: runs, section 9)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.rules.texts import CATALOGUE, run_name, text

LIMIT = 60_000
BEGIN = "<!-- stagewright:delivery {} -->"
BEGINS = "<!-- stagewright:delivery "
END = "<!-- /stagewright:delivery -->"
PROSE = {"context": 8_000, "done": 16_000, "risks": 5_000}
MOST_LINES = 40
LINE = 250

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
    body = f"{_block(run, report, facts)}\n\n{facts.closing}\n"
    return body if len(body) <= LIMIT else f"{_block(run, {}, facts)}\n\n{facts.closing}\n"


def revise_body(body: str, run: Run, report: Mapping[str, Any], facts: PullRequestFacts) -> str:
    """Return ``body`` with our block replaced and a section for this revision; a person's words stay."""
    if delivery_marker(str(run.id)) in body:
        return body
    heading = text("pr.revision", run.locale, number=revisions(body) + 1)
    note = f"### {heading}\n\n{facts.inert(str(report.get('summary', ''))[:2_000])}".rstrip()
    nothing: Mapping[str, Any] = {}
    for shown in (report, nothing):
        revised = _appended(joined(body, _block(run, shown, facts)), note, facts.closing)
        if len(revised) <= LIMIT:
            return revised
    return joined(body, _block(run, nothing, facts))


def joined(body: str, ours: str) -> str:
    """Return ``body`` with its delivery block replaced by the one in ``ours``, or ``ours`` appended without one."""
    found = _block_of(body)
    block = _block_of(ours)
    if found is None or block is None:
        return f"{body.rstrip()}\n\n{ours.strip()}\n".lstrip()
    return f"{body[: found[0]]}{ours[block[0] : block[1]]}{body[found[1] :]}"


def revisions(body: str) -> int:
    """Return how many revision sections of ours the body has, whatever their language; other headings do not count."""
    return sum(1 for line in body.splitlines() if REVISION.fullmatch(line.strip()))


def _heading(template: str) -> str:
    before, after = template.split("{number}")
    return f"{re.escape(before)}\\d+{re.escape(after)}"


REVISION = re.compile("### (?:" + "|".join(_heading(texts["pr.revision"]) for texts in CATALOGUE.values()) + ")")


def _block_of(body: str) -> tuple[int, int] | None:
    start = body.find(BEGINS)
    end = body.find(END, start)
    return None if start < 0 or end < 0 else (start, end + len(END))


def _appended(body: str, note: str, closing: str) -> str:
    """Append ``note``, before the closing line where that is the last one."""
    lines = body.rstrip().split("\n")
    if lines[-1].strip() != closing:
        return f"{body.rstrip()}\n\n{note}\n"
    before = "\n".join(lines[:-1]).rstrip()
    return f"{before}\n\n{note}\n\n{closing}\n"


def _block(run: Run, report: Mapping[str, Any], facts: PullRequestFacts) -> str:
    sections = report.get("sections") or {}
    parts = [delivery_marker(str(run.id))]
    parts += _prose("context", sections.get("context"), run, facts)
    parts += _prose("done", sections.get("done") or report.get("summary"), run, facts)
    parts += _listed("pr.artifacts", [str(item) for item in sections.get("artifacts") or ()], run, facts)
    parts += _listed("pr.checks", [_check(item) for item in sections.get("checks") or ()], run, facts)
    parts += _prose("risks", sections.get("risks"), run, facts)
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
    shown = facts.inert(str(value)[: PROSE[key]]).strip() if value else ""
    return [f"## {text(f'pr.{key}', run.locale)}\n\n{shown}"] if shown else []


def _listed(key: str, values: Sequence[str], run: Run, facts: PullRequestFacts) -> list[str]:
    kept = [" ".join(facts.inert(value[:LINE]).split()) for value in values if value]
    if not kept:
        return []
    lines = [f"- {value}" for value in kept[:MOST_LINES]]
    if len(kept) > MOST_LINES:
        lines.append(f"- {text('paths.more', run.locale, count=len(kept) - MOST_LINES)}")
    return [f"## {text(key, run.locale)}\n\n" + "\n".join(lines)]


def _check(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    detail = f": {item['detail']}" if item.get("detail") else ""
    return f"{item.get('name', '')} — {item.get('outcome', '')}{detail}"
