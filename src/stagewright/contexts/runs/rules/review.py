"""One review of type comment from a reviewer's report (specification: workflow, section 14). Rows in, text out."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.rules.texts import run_name, text

LIMIT = 60_000
MARK = "<!-- stagewright:review "
SUMMARY, FINDING, PATH = 2_000, 8_000, 300
INLINE = 50

Inert = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the text shows beside the report. ``shown``: by path, the lines of the newer side that the diff shows."""

    sha: str
    run_url: str | None
    model: str
    shown: Mapping[str, frozenset[int]]
    inert: Inert


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding at a line of the diff."""

    path: str
    line: int
    body: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The review: its text and the remarks in the diff. ``whole`` is a text that holds the remarks too."""

    body: str
    remarks: tuple[Remark, ...]
    whole: str


def marker(run_id: str) -> str:
    """Return the line by which our review is found again."""
    return f"{MARK}{run_id} -->"


def is_review(body: str) -> bool:
    """Say whether a text is that of a reviewer's run."""
    return MARK in body


def render_review(run: Run, report: Mapping[str, Any], facts: ReviewFacts) -> Rendered:
    """Return the review: findings at lines that the diff shows stand there, all others in its text."""
    findings = list((report.get("review") or {}).get("findings") or ())
    inline = [one for one in findings if one.get("line") in facts.shown.get(str(one.get("path")), frozenset())][:INLINE]
    beside = [one for one in findings if one not in inline]
    remarks = tuple(Remark(str(one["path"]), int(one["line"]), _said(one, run, facts)) for one in inline)
    return Rendered(_text(run, report, facts, beside, len(inline)), remarks, _text(run, report, facts, findings, 0))


def _text(
    run: Run, report: Mapping[str, Any], facts: ReviewFacts, findings: Iterable[Mapping[str, Any]], inline: int
) -> str:
    name = f"[{run_name(run.number)}]({facts.run_url})" if facts.run_url else run_name(run.number)
    verdict = str((report.get("review") or {}).get("verdict") or "cannot_judge")
    parts = [
        text("review.title", run.locale, sha=facts.sha[:12]),
        f"**{text(f'review.verdict.{verdict}', run.locale)}**",
        _prose(report.get("summary"), SUMMARY, facts),
        text("review.inline", run.locale, count=inline) if inline else "",
        *_listed(findings, run, facts, heading="review.others" if inline else "review.findings"),
    ]
    end = [
        "---\n" + text("review.platform", run.locale, run=name, sha=facts.sha, model=facts.model or "-"),
        marker(str(run.id)),
    ]
    tail = "\n\n".join(end)
    body = "\n\n".join(part for part in parts if part)
    return f"{body[: LIMIT - len(tail) - 3]}\n\n{tail}\n"


def _listed(findings: Iterable[Mapping[str, Any]], run: Run, facts: ReviewFacts, *, heading: str) -> list[str]:
    lines = [f"#### {_place(one, facts)}\n\n{_said(one, run, facts)}" for one in findings]
    return [f"### {text(heading, run.locale)}", *lines] if lines else []


def _place(finding: Mapping[str, Any], facts: ReviewFacts) -> str:
    path = " ".join(facts.inert(str(finding.get("path") or "")[:PATH]).replace("`", "'").split())
    line = finding.get("line")
    return f"`{path}:{line}`" if line is not None else f"`{path}`"


def _said(finding: Mapping[str, Any], run: Run, facts: ReviewFacts) -> str:
    severity = str(finding.get("severity") or "minor")
    return f"**{text(f'review.severity.{severity}', run.locale)}.** {_prose(finding.get('text'), FINDING, facts)}"


def _prose(value: Any, most: int, facts: ReviewFacts) -> str:
    """Return an agent's text: it calls nobody, closes nothing, and its headings are none of ours."""
    return HEADING.sub("", facts.inert(str(value or "")[:most])).strip()


HEADING = re.compile(r"(?m)^ {0,3}#{1,6}\s+")
