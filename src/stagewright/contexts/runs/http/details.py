"""One run: its frame, attempts, waits, journal, prompt and result."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel

from stagewright.contexts.agents import api as agents
from stagewright.contexts.identity.api import Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.errors import AttemptNotFound, ResultNotFound
from stagewright.contexts.runs.http.shapes import (
    AttemptView,
    CallerDep,
    RunDetail,
    WaitView,
    instant,
    run_detail,
    visible_run,
)
from stagewright.contexts.runs.model import Attempt, AttemptId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.kit import feed
from stagewright.kit.db import Reader
from stagewright.kit.http import Limit, Page, etag
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes
from stagewright.kit.http.shapes import Id, Instant
from stagewright.kit.journal import Entry

routes = Routes(tag="runs")
Generation = Annotated[int, Path(ge=1, le=10**6)]
AnyGeneration = Annotated[int | None, Query(ge=1, le=10**6, description="number of the attempt; default: the newest")]


class ActorView(BaseModel):
    """Who caused something."""

    kind: str
    id: str


class EventView(BaseModel):
    """One fact of a run's journal. ``data`` of a transition is the run's frame after it."""

    seq: int
    at: Instant
    kind: str
    actor: ActorView
    correlation_id: str
    data: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> "EventView":
        """Show ``entry``."""
        return cls(
            seq=entry.seq,
            at=entry.at.isoformat(),
            kind=entry.kind,
            actor=ActorView(kind=entry.actor_kind, id=entry.actor),
            correlation_id=entry.correlation_id,
            data=entry.body,
        )


class PromptPart(BaseModel):
    """One piece of a prompt and where it comes from."""

    part: str
    name: str
    locale: str
    source: str
    sha256: str


class PromptView(BaseModel):
    """What the agent of an attempt was told: the redacted copy, and the hashes of the original."""

    run_id: Id
    attempt_id: Id
    attempt: int
    sha256: str
    stable_sha256: str
    parts: list[PromptPart]
    sanitizer: dict[str, int]
    text: str


class SavedSessionView(BaseModel):
    """One saved session of the engine. What is in it is sealed, and shown to nobody."""

    id: Id
    run_id: Id
    attempt_id: Id
    attempt: int
    engine: str
    engine_version: str
    reason: str
    bytes: int
    work_in_progress: bool
    sha256: str
    saved_at: Instant

    @classmethod
    def of(cls, saved: agents.SavedSession, generation: int) -> "SavedSessionView":
        """Show ``saved``, which attempt ``generation`` handed over."""
        return cls(
            id=str(saved.id),
            run_id=str(saved.run_id),
            attempt_id=str(saved.attempt_id),
            attempt=generation,
            engine=saved.engine.value,
            engine_version=saved.engine_version,
            reason=saved.reason.value,
            bytes=saved.size,
            work_in_progress=saved.has_wip,
            sha256=saved.sha256.hex(),
            saved_at=saved.created_at.isoformat(),
        )


class ResultView(BaseModel):
    """What an attempt handed over, and what the checks said."""

    run_id: Id
    attempt_id: Id
    attempt: int
    proposal_no: int
    verdict: str | None
    report: dict[str, Any]
    changed: list[dict[str, Any]] | None
    violations: list[dict[str, Any]] | None
    warnings: list[str]
    tree_sha: str | None
    commit_sha: str | None
    proposed_at: Instant | None
    checked_at: Instant | None


class ResultDiffView(BaseModel):
    """What an accepted result changes against its base, as a unified diff without secrets."""

    run_id: Id
    attempt_id: Id
    attempt: int
    proposal_no: int
    base_sha: str
    tree_sha: str | None
    bytes: int
    truncated: bool
    diff: str
    checked_at: Instant | None


@routes.get("/runs/{run_id}", Permission.PROJECT_VIEW)
async def get_run(run_id: UUID, me: CallerDep, db: Db, response: Response) -> RunDetail:
    """Show a run with its attempts and open waits."""
    async with db.reading() as reader:
        row = await visible_run(reader, run_id, me)
        attempts = await attempt_rows.list_of(reader, run_id)
        waits = await wait_rows.list_open(reader, run_id)
        comment = await views.status_comment_url(reader, run_id)
    response.headers["ETag"] = etag(row.run.version)
    return run_detail(row, me, attempts=attempts, waits=waits, comment=comment)


@routes.get("/runs/{run_id}/attempts", Permission.PROJECT_VIEW)
async def list_attempts(
    run_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[AttemptView]:
    """List the run's attempts, oldest first."""
    paging = Paging(cursors, limit, cursor, "generation", {"run": run_id})
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        found = await attempt_rows.list_of(reader, run_id)
    return paging.slice(found, lambda item: (item.generation,), AttemptView.of, as_of=clock.now())


@routes.get("/runs/{run_id}/attempts/{generation}", Permission.PROJECT_VIEW)
async def get_attempt(run_id: UUID, generation: Generation, me: CallerDep, db: Db) -> AttemptView:
    """Show one attempt of the run by its number."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        return AttemptView.of(await chosen_attempt(reader, run_id, generation))


@routes.get("/runs/{run_id}/events", Permission.PROJECT_VIEW)
async def list_run_events(
    run_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    kind: Annotated[list[str] | None, Query()] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[EventView]:
    """List the facts of the run's journal, oldest first."""
    paging = Paging(cursors, limit, cursor, "seq", {"run": run_id, "kind": kind})
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        after = paging.after
        last = int(str(after[0])) if after else None
        found = await feed.list_stream(reader, f"run:{run_id}", kinds=kind, after=last, limit=paging.fetch)
    return paging.page(found, lambda item: (item.seq,), EventView.of, as_of=clock.now())


@routes.get("/runs/{run_id}/waits", Permission.PROJECT_VIEW)
async def list_run_waits(
    run_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[WaitView]:
    """List everything the run waited for, oldest first."""
    paging = Paging(cursors, limit, cursor, "opened_at", {"run": run_id})
    async with db.reading() as reader:
        row = await visible_run(reader, run_id, me)
        waits = await wait_rows.list_of(reader, run_id)
    rows = [views.WaitRow(wait, row.run.number, row.run.version, row.run.project_id) for wait in waits]
    return paging.slice(
        rows, lambda item: (item.wait.opened_at, item.wait.id), lambda item: WaitView.of(item, me), as_of=clock.now()
    )


@routes.get("/runs/{run_id}/prompt", Permission.PROJECT_VIEW)
async def get_prompt(run_id: UUID, me: CallerDep, db: Db, attempt: AnyGeneration = None) -> PromptView:
    """Show what the agent was told."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        chosen = await chosen_attempt(reader, run_id, attempt)
        prompt = await agents.get_prompt(reader, chosen.id)
    return PromptView(
        run_id=str(run_id),
        attempt_id=str(chosen.id),
        attempt=chosen.generation,
        sha256=prompt.sha256,
        stable_sha256=prompt.stable_sha256,
        parts=[PromptPart(**part.as_json()) for part in prompt.parts],
        sanitizer=prompt.sanitizer.as_json(),
        text=prompt.text,
    )


@routes.get("/runs/{run_id}/session", Permission.PROJECT_VIEW)
async def list_run_sessions(
    run_id: UUID,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[SavedSessionView]:
    """List the engine's sessions that are kept of the run (three at most), oldest first. Contents are not shown."""
    paging = Paging(cursors, limit, cursor, "saved_at", {"run": run_id})
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        saved = await agents.list_sessions(reader, [run_id])
        number = {item.id: item.generation for item in await attempt_rows.list_of(reader, run_id)}
    return paging.slice(
        saved,
        lambda item: (item.created_at, item.id),
        lambda item: SavedSessionView.of(item, number[AttemptId(item.attempt_id)]),
        as_of=clock.now(),
    )


@routes.get("/runs/{run_id}/result", Permission.PROJECT_VIEW)
async def get_result(run_id: UUID, me: CallerDep, db: Db, attempt: AnyGeneration = None) -> ResultView:
    """Show what the run handed over last, and what the checks said."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        row = await views.find_result(reader, run_id, attempt)
    if row is None:
        raise ResultNotFound("this run has handed over no result yet")
    return ResultView(
        run_id=str(run_id),
        attempt_id=str(row.attempt_id),
        attempt=row.generation,
        proposal_no=row.proposal_no,
        verdict=row.verdict,
        report=dict(row.report),
        changed=[dict(item) for item in row.changed] if row.changed is not None else None,
        violations=[dict(item) for item in row.violations] if row.violations is not None else None,
        warnings=list(row.warnings),
        tree_sha=row.tree_sha,
        commit_sha=row.commit_sha,
        proposed_at=instant(row.proposed_at),
        checked_at=instant(row.checked_at),
    )


@routes.get("/runs/{run_id}/result/diff", Permission.PROJECT_VIEW)
async def get_result_diff(run_id: UUID, me: CallerDep, db: Db, attempt: AnyGeneration = None) -> ResultDiffView:
    """Show the diff of the accepted result against its base, as the checks saw it; at most 1 MiB of it."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        found = await diff_rows.find_newest(reader, run_id, attempt)
    if found is None:
        told = "no result of this run has a diff: none was accepted yet, or what was kept of it is gone"
        raise ResultNotFound(told, code="result.diff_not_found")
    return ResultDiffView(
        run_id=str(run_id),
        attempt_id=str(found.attempt_id),
        attempt=found.generation,
        proposal_no=found.proposal_no,
        base_sha=found.base_sha,
        tree_sha=found.tree_sha,
        bytes=len(found.diff),
        truncated=found.truncated,
        diff=found.diff.decode("utf-8", "replace"),
        checked_at=instant(found.checked_at),
    )


async def chosen_attempt(reader: Reader, run_id: UUID, generation: int | None) -> Attempt:
    """Return the run's attempt with this number, or the newest. Raises ``AttemptNotFound``."""
    attempts = await attempt_rows.list_of(reader, run_id)
    found = attempts if generation is None else [item for item in attempts if item.generation == generation]
    if not found:
        raise AttemptNotFound("this run has no such attempt" if generation else "this run has no attempt yet")
    return found[-1]
