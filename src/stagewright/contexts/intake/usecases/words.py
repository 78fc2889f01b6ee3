"""What a decision is about, and what was read live before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.intake.ports import ForgeRemark
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One act on a thread to decide about: a webhook told of it, the scan found it, or a person asks for it with us
    (``person``: their id here)."""

    fact: workflow.ThreadFact
    correlation_id: str
    delivery_id: str | None = None
    person: UUID | None = None

    @property
    def requester(self) -> tuple[str, str]:
        """Return kind and id of who asked: a person of ours, or an account of the forge."""
        if self.person is not None:
            return "user", str(self.person)
        return "forge", self.sender.login or "-"

    @property
    def thread(self) -> int:
        """Return the thread's number."""
        return self.fact.thread

    @property
    def sender(self) -> workflow.Sender:
        """Return who did it."""
        return self.fact.sender

    @property
    def label(self) -> str | None:
        """Return the text of the label it is about, if it is about one."""
        return self.fact.label if isinstance(self.fact, workflow.LabelEvent) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSeen:
    """A linked pull request as it was read just now; ``seen_at`` is the forge's time of its last change,
    ``asks`` the newest verdict on it if that asks for changes."""

    number: int
    facts: runs.PullRequestFacts
    in_repository: bool
    labels: tuple[str, ...]
    seen_at: datetime
    branch: str
    base_branch: str
    url: str
    closes: tuple[int, ...]
    asks: workflow.ReviewEvent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read live before deciding. ``pulls`` are the open pull requests of the Issue that we know of, or
    the one that a review is about; ``issue`` is the Issue that pull request belongs to; ``remarks`` are the permitted
    comments since the Issue's run asked its question. ``declared`` is what the project's ``services.yaml`` says;
    ``cluster``: one is configured that could run it."""

    repository: projects.Repository
    policy: workflow.Policy
    thread: workflow.LiveThread | None
    standing: workflow.Standing
    engines_available: frozenset[str]
    declared: workflow.DeclaredRuntime | None = None
    cluster: bool = False
    pulls: tuple[PullSeen, ...] = ()
    issue: workflow.LiveThread | None = None
    remarks: tuple[ForgeRemark, ...] = ()

    def pull(self, number: int) -> PullSeen | None:
        """Return the pull request with this number as it was read."""
        return next((pull for pull in self.pulls if pull.number == number), None)


def facts_of(occurrence: Occurrence, seen: Seen) -> dict[str, Any]:
    """Return the common part of an event about the occurrence."""
    return {
        "project_id": seen.repository.project_id,
        "delivery_id": occurrence.delivery_id,
        "event": occurrence.fact.event,
        "action": occurrence.fact.action,
        "sender": occurrence.sender.login,
        "repository_id": seen.repository.id,
        "repository": seen.repository.full_name,
        "thread": occurrence.thread,
        "label": occurrence.label,
    }
