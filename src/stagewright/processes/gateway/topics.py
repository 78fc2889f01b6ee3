"""Which frames a row of the journal makes for which topics: a pure function of its columns (access.md §8.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stagewright.contexts.incidents.events import IncidentFact
from stagewright.contexts.projects.events import ProjectFact, RepositoryFact
from stagewright.contexts.runs.events import AttemptFact, RunMoved
from stagewright.kit.journal import Entry, Event

FAMILIES: Mapping[str, tuple[type[Event], ...]] = {
    "runs": (RunMoved,),
    "projects": (ProjectFact, RepositoryFact),
    "incidents": (IncidentFact,),
}
"""List topics: what their frames are made of. Only the last version of each key is sent."""

KEYED = (RunMoved, AttemptFact, ProjectFact, RepositoryFact, IncidentFact)
STREAMS = ("run", "repository")


@dataclass(frozen=True, slots=True)
class Frame:
    """One change for one topic. ``data`` is the journal's body."""

    id: str
    topic: str
    key: str
    kind: str
    version: int | None
    at: str
    data: Mapping[str, Any]
    project_id: UUID | None
    is_run: bool


def frames_of(entries: Iterable[Entry], topics: frozenset[str]) -> list[Frame]:
    """Return the frames of ``entries`` in order; of a list topic, only the last per key."""
    frames: list[Frame] = []
    for entry in entries:
        frames += [_frame(entry, topic) for topic in _topics(entry) if topic in topics]
    newest = {(frame.topic, frame.key): frame.id for frame in frames}
    return [frame for frame in frames if frame.topic not in FAMILIES or newest[frame.topic, frame.key] == frame.id]


def _topics(entry: Entry) -> list[str]:
    event = Event.registry.get(entry.kind)
    families = [name for name, kinds in FAMILIES.items() if event is not None and issubclass(event, kinds)]
    stream = [entry.stream] if entry.stream.partition(":")[0] in STREAMS else []
    return families + stream


def _frame(entry: Entry, topic: str) -> Frame:
    event = Event.registry.get(entry.kind)
    keyed = event is not None and issubclass(event, KEYED) and "id" in entry.body
    return Frame(
        id=str(entry.seq),
        topic=topic,
        key=str(entry.body["id"]) if keyed else f"event:{entry.seq}",
        kind=entry.kind,
        version=entry.body.get("version") if keyed else None,
        at=entry.at.isoformat(),
        data=entry.body,
        project_id=entry.project_id,
        is_run=event is not None and issubclass(event, RunMoved),
    )
