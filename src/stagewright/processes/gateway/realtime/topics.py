"""Which frames a row of the journal makes, and for whom: a pure function of its columns (access.md §8.2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stagewright.contexts.approvals.api import ApprovalMoved
from stagewright.contexts.identity.events import AccessChanged, MemberFact
from stagewright.contexts.incidents.events import IncidentFact
from stagewright.contexts.projects.events import LabelDrifted, LabelsSynced, ProjectFact, RepositoryFact
from stagewright.contexts.runs.events import (
    AttemptFact,
    PullRequestCreated,
    PullRequestUpdated,
    RunMoved,
    RunWaitPaused,
    RunWaitResumed,
)
from stagewright.contexts.workflow.events import PolicyChanged
from stagewright.kit.journal import Entry, Event
from stagewright.kit.settings.stored import SettingChanged

LISTS = frozenset({"runs", "waits", "approvals", "projects", "incidents", "users"})
"""Routes of which only the last version of a key counts."""

OVER = ("cancelling", "succeeded", "failed", "cancelled")
Kinds = tuple[type[Event], ...]
FAMILIES: Mapping[str, Kinds] = {
    "runs": (RunMoved, PullRequestUpdated),
    "approvals": (ApprovalMoved,),
    "projects": (ProjectFact, RepositoryFact),
    "incidents": (IncidentFact,),
    "users": (AccessChanged,),
    "agents": (PolicyChanged,),
    "labels": (PolicyChanged, LabelDrifted, LabelsSynced),
}
SHAPES: Mapping[str, Kinds] = {
    "run": (RunMoved,),
    "approval": (ApprovalMoved,),
    "project": (ProjectFact,),
    "repository": (RepositoryFact,),
    "user": (AccessChanged,),
    "incident": (IncidentFact,),
    "setting": (SettingChanged,),
}
KEYED: Kinds = (
    RunMoved,
    AttemptFact,
    ApprovalMoved,
    ProjectFact,
    RepositoryFact,
    IncidentFact,
    AccessChanged,
    SettingChanged,
)
OF_ISSUE: Kinds = (RunMoved, PullRequestCreated, PullRequestUpdated)
"""Rows of other streams that an Issue's topic shows: its runs and what becomes of its pull requests."""

STREAMS = ("run", "repository")


@dataclass(frozen=True, slots=True)
class Frame:
    """One change for one route. ``shape`` says what the data shows, where a reader's allowed actions belong to it.

    A route is the topic's name, but for issues: theirs names the repository by its id.
    """

    route: str
    key: str
    kind: str
    version: int | None
    project_id: UUID | None
    data: Mapping[str, Any]
    shape: str | None = None

    @property
    def in_list(self) -> bool:
        """Say whether a later frame of the key makes this one needless."""
        return self.version is not None and self.route in LISTS


def frames_of(entry: Entry) -> tuple[Frame, ...]:
    """Return the frames of one row. Rows of other releases may lack what ours have: nothing here fails for it."""
    event = Event.registry.get(entry.kind)
    keyed = event is not None and issubclass(event, KEYED) and "id" in entry.body
    key = str(entry.body["id"]) if keyed else f"event:{entry.seq}"
    version = _version(entry.body) if keyed else None
    shape = next((name for name, kinds in SHAPES.items() if _is(event, kinds)), None)

    def frame(route: str) -> Frame:
        return Frame(route, key, entry.kind, version, entry.project_id, entry.body, shape)

    return (*map(frame, _routes(entry, event)), *_waits(entry, event))


def _routes(entry: Entry, event: type[Event] | None) -> Iterator[str]:
    yield from (name for name, kinds in FAMILIES.items() if _is(event, kinds))
    head, _, rest = entry.stream.partition(":")
    if head in STREAMS:
        yield entry.stream
    if head == "thread":
        repository, _, number = rest.partition(":")
        yield issue_route(repository, number)
    if head == "user":
        yield f"inbox:{rest}"
    if _is(event, OF_ISSUE) and entry.body.get("issue_number") is not None:
        yield issue_route(entry.body.get("repository_id"), entry.body["issue_number"])
    if _is(event, (MemberFact,)):
        yield f"members:{entry.project_id}"
    if entry.topic in ("settings", "system"):
        yield entry.topic
    yield "audit"


def _waits(entry: Entry, event: type[Event] | None) -> Iterator[Frame]:
    """Yield the waits that a run began or left; of a run that ended, that nothing of it waits any more."""
    body = entry.body
    if not _is(event, (RunMoved,)) or "id" not in body:
        return
    version = _version(body)
    if body.get("status") in OVER:
        data = {"run_id": body["id"], "status": "closed"}
        yield Frame("waits", f"run:{body['id']}", entry.kind, version, entry.project_id, data)
    elif _is(event, (RunWaitPaused, RunWaitResumed)):
        more = {"run_number": body.get("number"), "project_id": body.get("project_id"), "version": version}
        for wait in _moved_waits(body):
            yield Frame("waits", str(wait["id"]), entry.kind, version, entry.project_id, {**wait, **more}, "wait")


def _moved_waits(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = body.get("waits")
    for wait in found if isinstance(found, list) else [body.get("wait")]:
        if isinstance(wait, Mapping) and "id" in wait:
            yield wait


def _version(body: Mapping[str, Any]) -> int | None:
    version = body.get("version")
    return version if isinstance(version, int) else None


def issue_route(repository_id: object, number: object) -> str:
    """Return the route of an issue's thread and runs."""
    return f"issue:{repository_id}#{number}"


def _is(event: type[Event] | None, kinds: Kinds) -> bool:
    return event is not None and issubclass(event, kinds)
