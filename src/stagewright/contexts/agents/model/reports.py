"""The structured report an agent ends its turn with (``runs.md`` section 16.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple


class ReportStatus(StrEnum):
    """How the turn ended, in the agent's own words."""

    COMPLETED = "completed"
    NEEDS_INPUT = "needs_input"
    BLOCKED = "blocked"


class ReportSchema(NamedTuple):
    """A closed JSON Schema (draft 2020-12) and the id it travels under."""

    id: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Escalation:
    """The agent's proposal of a longer launch profile."""

    to: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One verification the agent made."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    detail: str


@dataclass(frozen=True, slots=True)
class Sections:
    """The text of the pull request, section by section."""

    context: str
    done: str
    artifacts: tuple[str, ...]
    checks: tuple[Check, ...]
    risks: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Work found but not done."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class AddressedComment:
    """What became of one review comment: fixed (the note says how) or declined (the note says why)."""

    comment_id: int
    action: Literal["fixed", "declined"]
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of a review. ``line`` is of the new side; None is the whole file."""

    path: str
    line: int | None
    severity: Literal["blocking", "important", "minor"]
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's result; it is posted as comments, never as an approval or a refusal."""

    verdict: Literal["looks_good", "needs_changes", "cannot_judge"]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What self-improve found. ``evidence_refs`` are ``run:<id>``, ``event:<seq>``, ``pr:<n>`` or ``issue:<n>``."""

    diagnosis: str
    action_items: tuple[str, ...]
    evidence_refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A valid report. Fields its schema does not have are None or empty."""

    schema_id: str
    status: ReportStatus
    summary: str
    question: str | None
    tool_gaps: tuple[str, ...]
    escalation: Escalation | None
    title: str | None
    sections: Sections | None
    follow_ups: tuple[FollowUp, ...]
    merged_base_sha: str | None
    addressed_comments: tuple[AddressedComment, ...]
    restart: Literal["intake", "prd", "plan"] | None
    review: Review | None
    reply_markdown: str | None
    self_improve: Diagnosis | None
    raw: Mapping[str, Any]
