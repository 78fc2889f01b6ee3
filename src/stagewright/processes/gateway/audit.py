"""The journal as an audit: who did what, and whether its chains are whole."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import BaseModel

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.projects.api import ProjectNotFound
from stagewright.kit import feed
from stagewright.kit.db import Database
from stagewright.kit.errors import NotFound
from stagewright.kit.feed.history import verify_stream as verify_chain
from stagewright.kit.http import Limit, Page
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant
from stagewright.kit.journal import Entry
from stagewright.processes.gateway.audit_words import AuditWords, object_of, words_for
from stagewright.processes.gateway.meta import Channel

CHANNELS = {"forge": Channel.GITHUB, "run": Channel.MCP, "system": Channel.SYSTEM, "policy": Channel.SYSTEM}
ACTING_FOR_OTHERS = ("run", "system")
routes = Routes(tag="audit")
CallerDep = Annotated[Caller, Depends(caller)]
Texts = Annotated[list[str] | None, Query()]


class AuditActor(BaseModel):
    """Who did it, or for whom; people by their name too."""

    kind: str
    id: str
    name: str | None


class AuditObject(BaseModel):
    """What it was done to, and what people call it."""

    type: str
    id: str
    label: str | None


class AuditView(BaseModel):
    """One fact of the journal. ``before`` and ``after`` hold the fields of a resource that it changed.

    ``channel`` and ``ip_prefix`` are null where they are not known.
    """

    seq: int
    at: Instant
    actor: AuditActor
    on_behalf_of: AuditActor | None
    action: str
    object: AuditObject
    project_id: Id | None
    project: str | None
    run_id: Id | None
    correlation_id: str
    channel: Channel | None
    ip_prefix: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    data: dict[str, Any]


class ChainView(BaseModel):
    """Whether the chain of a stream is whole, and up to where; if not, the first row that does not fit.

    Without ``stream``: what is known of all chains, which the worker verifies over and over. ``checked_at`` says when
    it last had looked at everything, null until it has.
    """

    stream: str | None
    checked_at: Instant | None
    intact: bool
    first_bad_seq: int | None
    verified_rows: int
    verified_until_seq: int | None
    verified_until: Instant | None


class EntryNotFound(NotFound):
    """No such row of the journal, or none the caller may see."""

    code = "audit.not_found"


@routes.get("/audit", Permission.AUDIT_VIEW)
async def list_audit(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    project: UUID | None = None,
    actor: Texts = None,
    action: Texts = None,
    about: Annotated[list[str] | None, Query(alias="object", description="type:id, for example run:<id>")] = None,
    correlation: Annotated[str | None, Query(max_length=200)] = None,
    channel: Annotated[list[Channel] | None, Query()] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[AuditView]:
    """List facts, newest first: of one project, or of the installation, whose reading is itself noted."""
    filters = {
        "project": project,
        "actors": actor,
        "kinds": action,
        "streams": about,
        "correlation": correlation,
        "channels": channel,
        "since": since,
        "until": until,
    }
    paging = Paging(cursors, limit, cursor, "-seq", filters)
    after = paging.after
    await _admit(db, me, project, filters)
    async with db.reading() as reader:
        before = int(str(after[0])) if after else None
        kinds = [kind for kind, of_kind in CHANNELS.items() if of_kind in (channel or ())]
        found = await feed.list_audit(reader, {**filters, "actor_kinds": kinds}, before=before, limit=paging.fetch)
        words = await words_for(reader, found)
    return paging.page(found, lambda item: (item.seq,), lambda item: _view(item, words), as_of=clock.now())


async def _admit(db: Database, me: Caller, project: UUID | None, filters: dict[str, Any]) -> None:
    if project is not None:
        me.admit(project, ProjectNotFound(f"there is no project {project}"))
        return
    identity.require(me.principal, Permission.AUDIT_VIEW_INSTALLATION)
    shown = {name: str(value) for name, value in filters.items() if value is not None}
    async with db.transaction(me.actor) as tx:
        tx.publish(identity.AuditRead(filters=shown))


@routes.get("/audit/verify", Permission.AUDIT_VIEW)
async def verify_stream(
    me: CallerDep, db: Db, clock: ClockDep, stream: Annotated[str | None, Query(min_length=1, max_length=200)] = None
) -> ChainView:
    """Recompute the chain of a stream, or say how far all chains are verified."""
    if stream is None:
        return await _all_chains(db)
    hidden = EntryNotFound(f"there is no stream {stream}")
    async with db.reading() as reader:
        known, project = await feed.project_of_stream(reader, stream)
        if not known:
            raise hidden
        _admit_entry(me, project, hidden)
        bad, verified = await verify_chain(reader, stream)
    return ChainView(
        stream=stream,
        checked_at=clock.now().isoformat(),
        intact=bad is None,
        first_bad_seq=bad,
        verified_rows=verified.rows,
        verified_until_seq=verified.seq,
        verified_until=verified.at.isoformat() if verified.at else None,
    )


async def _all_chains(db: Database) -> ChainView:
    async with db.reading() as reader:
        state = await feed.read_verification(reader)
    return ChainView(
        stream=None,
        checked_at=state.checked_at.isoformat() if state.checked_at else None,
        intact=not state.broken,
        first_bad_seq=state.first_bad_seq,
        verified_rows=state.rows,
        verified_until_seq=state.seq,
        verified_until=state.at.isoformat() if state.at else None,
    )


@routes.get("/audit/{seq}", Permission.AUDIT_VIEW)
async def get_audit_entry(seq: Annotated[int, Path(ge=1, le=2**62)], me: CallerDep, db: Db) -> AuditView:
    """Show one fact."""
    hidden = EntryNotFound(f"there is no entry {seq}")
    async with db.reading() as reader:
        found = await feed.find_entry(reader, seq)
        if found is None:
            raise hidden
        _admit_entry(me, found.project_id, hidden)
        words = await words_for(reader, [found])
    return _view(found, words)


def _admit_entry(me: Caller, project: UUID | None, hidden: NotFound) -> None:
    me.admit(project, hidden, Permission.AUDIT_VIEW if project else Permission.AUDIT_VIEW_INSTALLATION)


def _view(entry: Entry, words: AuditWords) -> AuditView:
    kind, key = object_of(entry)
    origin = words.origins.get((entry.correlation_id, entry.actor)) if entry.actor_kind == "user" else None
    changes = words.changes.get(entry.seq)
    return AuditView(
        seq=entry.seq,
        at=entry.at.isoformat(),
        actor=AuditActor(kind=entry.actor_kind, id=entry.actor, name=words.names.get((entry.actor_kind, entry.actor))),
        on_behalf_of=_on_behalf_of(entry, words),
        action=entry.kind,
        object=AuditObject(type=kind, id=key, label=words.labels.get((kind, key))),
        project_id=str(entry.project_id) if entry.project_id else None,
        project=words.labels.get(("project", str(entry.project_id))) if entry.project_id else None,
        run_id=str(entry.run_id) if entry.run_id else None,
        correlation_id=entry.correlation_id,
        channel=Channel(origin.channel) if origin else CHANNELS.get(entry.actor_kind),
        ip_prefix=origin.ip_prefix if origin else None,
        before=changes[0] if changes else None,
        after=changes[1] if changes else None,
        data=entry.body,
    )


def _on_behalf_of(entry: Entry, words: AuditWords) -> AuditActor | None:
    """Return the person whose run did it: an agent and the platform act for somebody."""
    found = words.requesters.get(entry.run_id) if entry.run_id and entry.actor_kind in ACTING_FOR_OTHERS else None
    return AuditActor(kind=found[0], id=found[1], name=found[2]) if found else None
