"""What a page of the audit needs besides the journal's rows: names, labels, origins, and what changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.overview import views
from stagewright.kit.db import Reader
from stagewright.kit.feed.history import changed, frames_before, is_frame
from stagewright.kit.journal import Entry
from stagewright.kit.origins import Origin, list_origins

Changes = tuple[dict[str, Any] | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AuditWords:
    """Names by (kind, id) of actors, labels by (type, id) of objects, origins, requesters and changes."""

    names: Mapping[tuple[str, str], str]
    labels: Mapping[tuple[str, str], str]
    origins: Mapping[tuple[str, str], Origin]
    requesters: Mapping[UUID, tuple[str, str, str | None]]
    changes: Mapping[int, Changes]


def object_of(entry: Entry) -> tuple[str, str]:
    """Return type and id of what a row is about: the stream's two parts."""
    kind, _, key = entry.stream.partition(":")
    return kind, key


async def words_for(reader: Reader, entries: Sequence[Entry]) -> AuditWords:
    """Read everything a page shows, one statement per kind of thing."""
    people = [entry for entry in entries if entry.actor_kind == "user"]
    return AuditWords(
        names=await _names(reader, entries),
        labels=await _labels(reader, entries),
        origins=await list_origins(
            reader, [entry.correlation_id for entry in people], [entry.actor for entry in people]
        ),
        requesters=await views.list_requesters(reader, [entry.run_id for entry in entries if entry.run_id]),
        changes=await _changes(reader, entries),
    )


async def _names(reader: Reader, entries: Sequence[Entry]) -> dict[tuple[str, str], str]:
    people = await identity.list_names(reader, _actors(entries, "user"))
    logins = _actors(entries, "forge")
    forge = await views.name_logins(reader, logins)
    found = {("user", key): name for key, name in people.items()}
    return found | {("forge", login): forge[login.lower()] for login in logins if login.lower() in forge}


def _actors(entries: Iterable[Entry], kind: str) -> list[str]:
    return sorted({entry.actor for entry in entries if entry.actor_kind == kind})


async def _labels(reader: Reader, entries: Sequence[Entry]) -> dict[tuple[str, str], str]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        kind, key = object_of(entry)
        wanted[kind].add(key.partition(":")[0])
        if entry.project_id is not None:
            wanted["project"].add(str(entry.project_id))
    found: dict[tuple[str, str], str] = {}
    for kind, ids in wanted.items():
        found |= {(kind, key): label for key, label in (await views.name_objects(reader, kind, sorted(ids))).items()}
    for entry in entries:  # a thread is called after its repository, a setting after itself
        kind, key = object_of(entry)
        repository, _, number = key.partition(":")
        if kind == "thread" and (kind, repository) in found:
            found[kind, key] = f"{found[kind, repository]}#{number}"
        elif kind == "setting":
            found[kind, key] = key
    return found


async def _changes(reader: Reader, entries: Sequence[Entry]) -> dict[int, Changes]:
    before = await frames_before(reader, entries)
    found: dict[int, Changes] = {}
    for entry in entries:
        if entry.seq in before:
            found[entry.seq] = changed(before[entry.seq], entry.body)
        elif is_frame(entry):
            found[entry.seq] = (None, {name: value for name, value in entry.body.items() if name != "v"})
    return found
