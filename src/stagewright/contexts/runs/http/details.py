"""One run: its frame, attempts, waits, journal, prompt and result."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, Field

from stagewright.contexts.agents import api as agents
from stagewright.contexts.identity.api import Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.errors import AttemptNotFound, ResultNotFound
from stagewright.contexts.runs.http.session import (
    ActsView,
    AttemptSession,
    ModelView,
    RunSession,
    SavedSessionView,
    changed_files,
)
from stagewright.contexts.runs.http.shapes import (
    AskedWaitView,
    AttemptView,
    CallerDep,
    RunDetail,
    instant,
    run_detail,
    visible_run,
    wait_row,
)
from stagewright.contexts.runs.model import Attempt, AttemptId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.views import session as sessions
from stagewright.kit.db import Reader
from stagewright.kit.http import Limit, Page, etag
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes
from stagewright.kit.http.shapes import Id, Instant
from stagewright.kit.journal import Entry

routes = Routes(tag="runs")
Generation = Annotated[int, Path(ge=1, le=10**6)]
AnyGeneration = Annotated[int | None, Query(ge=1, le=10**6, description="number of the attempt; default: the newest")]
KindPattern = Annotated[str, Field(max_length=80, pattern=r"^[a-z_.]+\*?$")]
Kinds = Annotated[
    list[KindPattern] | None, Query(max_length=50, description="only these kinds; `run.agent.*`: all of it")
]
Without = Annotated[
    list[KindPattern] | None, Query(max_length=50, description="not these kinds; `*` at the end as there")
]


class ActorView(BaseModel):
    """Who caused something."""

    kind: str
    id: str


class Asked:
    """What every list of a run is asked with: the run, who asks, and which page."""

    def __init__(
        self,
        run_id: UUID,
        me: CallerDep,
        db: Db,
        clock: ClockDep,
        cursors: CursorsDep,
        limit: Limit = 50,
        cursor: str | None = None,
    ) -> None:
        self.run_id, self.me, self.db, self.clock = run_id, me, db, clock
        self._page = (cursors, limit, cursor)

    def paging(self, sort: str, **filters: Any) -> Paging:
        """Return the page asked for, of a list in this order and with these filters."""
        return Paging(*self._page, sort, {"run": self.run_id, **filters})

    async def run(self, reader: Reader) -> views.RunRow:
        """Return the run. Raises ``RunNotFound`` for one that the caller may not see."""
        return await visible_run(reader, self.run_id, self.me)


AskedDep = Annotated[Asked, Depends()]


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
        known = await wait_rows.list_circumstances(reader, [run_id])
    response.headers["ETag"] = etag(row.run.version)
    question = known[run_id].question
    return run_detail(row, me, attempts=attempts, waits=waits, question=question, comment=comment)


@routes.get("/runs/{run_id}/attempts", Permission.PROJECT_VIEW)
async def list_attempts(asked: AskedDep) -> Page[AttemptView]:
    """List the run's attempts, oldest first."""
    async with asked.db.reading() as reader:
        await asked.run(reader)
        found = await attempt_rows.list_of(reader, asked.run_id)
    return asked.paging("generation").slice(
        found, lambda item: (item.generation,), AttemptView.of, as_of=asked.clock.now()
    )


@routes.get("/runs/{run_id}/attempts/{generation}", Permission.PROJECT_VIEW)
async def get_attempt(run_id: UUID, generation: Generation, me: CallerDep, db: Db) -> AttemptView:
    """Show one attempt of the run by its number."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        return AttemptView.of(await chosen_attempt(reader, run_id, generation))


@routes.get("/runs/{run_id}/events", Permission.PROJECT_VIEW)
async def list_run_events(
    asked: AskedDep, kind: Kinds = None, without: Without = None, order: Literal["oldest", "newest"] = "oldest"
) -> Page[EventView]:
    """List the facts of the run's journal, oldest or newest first."""
    newest = order == "newest"
    paging = asked.paging("-seq" if newest else "seq", kind=kind, without=without)
    async with asked.db.reading() as reader:
        await asked.run(reader)
        after = paging.after
        found = await sessions.list_events(
            reader,
            asked.run_id,
            kinds=kind,
            without=without,
            newest_first=newest,
            after=int(str(after[0])) if after else None,
            limit=paging.fetch,
        )
    return paging.page(found, lambda item: (item.seq,), EventView.of, as_of=asked.clock.now())


@routes.get("/runs/{run_id}/waits", Permission.PROJECT_VIEW)
async def list_run_waits(asked: AskedDep) -> Page[AskedWaitView]:
    """List everything the run waited for, oldest first."""
    async with asked.db.reading() as reader:
        row = await asked.run(reader)
        waits = await wait_rows.list_of(reader, asked.run_id)
        known = await wait_rows.list_circumstances(reader, [asked.run_id])
    rows = [wait_row(row, wait) for wait in waits]
    return asked.paging("opened_at").slice(
        rows,
        lambda item: (item.wait.opened_at, item.wait.id),
        lambda item: AskedWaitView.asked(item, known[asked.run_id].question, asked.me),
        as_of=asked.clock.now(),
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
async def get_run_session(run_id: UUID, me: CallerDep, db: Db, clock: ClockDep) -> RunSession:
    """Show what the run's agent did and used, by attempt, and which sessions of the engine are kept (three at most)."""
    async with db.reading() as reader:
        await visible_run(reader, run_id, me)
        attempts = await attempt_rows.list_of(reader, run_id)
        acts = await sessions.list_acts(reader, run_id)
        used = await sessions.list_used(reader, run_id)
        result = await views.find_result(reader, run_id, None)
        diff = await diff_rows.find_newest(reader, run_id, result.generation) if result else None
        saved = await agents.list_sessions(reader, [run_id])
    number = {item.id: item.generation for item in attempts}
    saved.sort(key=lambda item: (item.created_at, item.id))
    return RunSession(
        run_id=str(run_id),
        acts=ActsView.sum(acts.values()),
        models=ModelView.by_model(used),
        attempts=[AttemptSession.of(item, acts.get(str(item.id)), used) for item in attempts],
        files=changed_files(result, diff),
        files_truncated=diff is not None and diff.truncated,
        saved=[SavedSessionView.of(item, number[AttemptId(item.attempt_id)]) for item in saved],
        as_of=clock.now().isoformat(),
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
