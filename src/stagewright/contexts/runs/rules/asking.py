"""What an approver is asked about a run: the canonical action, and what they are shown as codes with parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.approvals.api import Action
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.rules.frames import shown_number

START, PUBLISH = "run.start", "result.publish"
PULL_REQUEST, DEFAULT_BRANCH = "pull_request", "default_branch"
MOST_PATHS = 20
PATH_CHARS = 200
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """A held result: the very tree, what it stands on, where it goes, and why it is held."""

    tree_sha: str
    base_sha: str
    branch: str
    target: str
    pr_number: int | None
    why: str
    held_paths: Sequence[str]
    files: int


def start_action(run: Run) -> Action:
    """Return the start of ``run``."""
    return Action(
        name=START,
        project_id=run.project_id,
        repository_id=run.repository_id,
        run_id=run.id,
        arguments={"kind": run.kind, "role": run.role, "mode": run.mode, "issue": run.issue_number},
        target={"environment": run.env, "access_profile": run.access_profile},
    )


def publish_action(run: Run, result: Result) -> Action:
    """Return the publication of exactly this tree; another tree, base or target is another action."""
    return Action(
        name=PUBLISH,
        project_id=run.project_id,
        repository_id=run.repository_id,
        run_id=run.id,
        arguments={"tree": result.tree_sha, "base": result.base_sha},
        target={"kind": result.target, "branch": result.branch, "pull_request": result.pr_number},
    )


def effect(run: Run, action: Action, repository: str) -> dict[str, Any]:
    """Return what approving does, in one code."""
    return {
        "code": action.name,
        "params": {"kind": run.kind, "repository": repository, "run": shown_number(run.number)},
    }


def requester(run: Run) -> dict[str, Any]:
    """Return who asks."""
    return {
        "run_number": shown_number(run.number),
        "kind": run.kind,
        "role": run.role,
        "mode": run.mode,
        "stage": run.stage,
        "issue_number": run.issue_number,
        "pr_number": run.pr_number,
        "initiator_kind": run.requested_by_kind,
        "initiator": run.requested_by,
    }


def start_lines(run: Run, repository: str) -> list[Line]:
    """Return what the approver of a start is shown."""
    return list(_lines(_start(run, repository)))


def _start(run: Run, repository: str) -> Iterator[tuple[str, str, object]]:
    yield "target", "repository", repository
    yield "target", "issue", run.issue_number
    yield "argument", "kind", run.kind
    yield "argument", "mode", run.mode
    yield "risk", "environment", run.env
    yield "risk", "access_profile", run.access_profile
    yield "argument", "limit_minutes", run.limit_seconds // 60


def publish_lines(run: Run, result: Result, report: Mapping[str, Any], repository: str) -> list[Line]:
    """Return what the approver of a publication is shown; the report's words are the agent's."""
    said = [_line("justification", name, str(report.get(name) or "")[:1000], untrusted=True) for name in WORDS]
    return [*_lines(_publish(result, repository)), *(line for line in said if line["value"])]


WORDS = ("title", "summary")


def _publish(result: Result, repository: str) -> Iterator[tuple[str, str, object]]:
    yield "target", "repository", repository
    yield "target", result.target, result.branch
    yield "target", "pull_request_number", result.pr_number
    yield "change", "tree", result.tree_sha
    yield "change", "base", result.base_sha
    yield "change", "files", result.files
    yield "risk", "held_because", result.why
    for path in result.held_paths[:MOST_PATHS]:
        yield "risk", "protected_path", path[:PATH_CHARS]


def _lines(facts: Iterator[tuple[str, str, object]]) -> Iterator[Line]:
    for section, label, value in facts:
        if value is not None:
            yield _line(section, label, str(value))


def _line(section: str, label: str, value: str, *, untrusted: bool = False) -> Line:
    return {"section": section, "label": label, "value": value, "masked": False, "untrusted": untrusted}
