"""What people do to runs and waits: cancel one, answer a question, grant budget, try a limited one again now."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.errors import RunNotFound, WaitNotFound, WaitNotRetryable
from stagewright.contexts.runs.http.shapes import CallerDep, RunView, WaitView, run_view, visible_run
from stagewright.contexts.runs.model import Wait, WaitKind
from stagewright.contexts.runs.rules.budget import Choice
from stagewright.contexts.runs.rules.cancelling import what_cancel_does, why_not_cancel
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import cancel as cancelling
from stagewright.contexts.runs.usecases.answering import answer_question
from stagewright.contexts.runs.usecases.granting import resolve_budget
from stagewright.kit.consequences import Consequences
from stagewright.kit.db import Reader, Tx
from stagewright.kit.http import RequestBody, etag
from stagewright.kit.http.confirm import Preview
from stagewright.kit.http.once import Answer, KeyedOnce, Once, OnceDep
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, Routes

routes = Routes(tag="runs")


class CancelForm(RequestBody):
    """Why, and the token of the preview."""

    reason: str | None = Field(default=None, max_length=500)
    confirm_token: str | None = Field(default=None, max_length=2048)


class Nothing(RequestBody):
    """A verb without words."""


@routes.post(
    "/runs/{run_id}:cancel",
    Permission.RUN_CONTROL,
    keyed=True,
    response_model=RunView | Preview,
    responses={202: {"model": RunView, "description": "the run is being cancelled"}},
)
async def cancel_run(
    run_id: UUID,
    me: CallerDep,
    once: KeyedOnce,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    form: CancelForm | None = None,
    preview: Annotated[bool, Query(description="show what would stop, and get the token that confirms it")] = False,
) -> Response | Preview:
    """Cancel a run. Without a token of the preview: 428. Once its result is being published: 409."""
    wanted = form or CancelForm()
    subject = {"user": str(me.user.id), "verb": "run.cancel", "resource": str(run_id)}
    if preview:
        async with once.parts.db.reading() as reader:
            row, shown = await _consequences(reader, run_id, me)
            if why_not_cancel(row.run.status) is None:
                await cancelling.refuse_after_push(reader, row.run)
        return confirmations.preview(subject, row.run.version, shown)

    async def act(tx: Tx) -> Answer:
        await _lock(tx, run_id)
        row, shown = await _consequences(tx, run_id, me)
        if why_not_cancel(row.run.status) is None:
            await cancelling.refuse_after_push(tx, row.run)
            confirmations.check(wanted.confirm_token, subject, row.run.version, shown)
        _, ended = await cancelling.cancel_run(tx, run_id, cause="person", clock=clock, reason=wanted.reason)
        after = await visible_run(tx, run_id, me)
        return Answer(run_view(after, me), 200 if ended else 202, {"ETag": etag(after.run.version)})

    return await once.run(act)


async def _lock(tx: Tx, run_id: UUID) -> None:
    try:
        await run_rows.lock(tx, run_id)
    except RunNotFound:
        return  # the object rule answers


async def _consequences(reader: Reader, run_id: UUID, me: Caller) -> tuple[views.RunRow, Consequences]:
    row = await visible_run(reader, run_id, me)
    attempt = await attempt_rows.find_open(reader, run_id)
    return row, what_cancel_does(row.run, attempt, row.link)


class AnswerForm(RequestBody):
    """What a person answers to the question of a report."""

    text: str = Field(min_length=1, max_length=4000)


@routes.post("/waits/{wait_id}:answer", Permission.RUN_START, keyed=True, response_model=WaitView)
async def answer_wait(wait_id: UUID, me: CallerDep, once: KeyedOnce, clock: ClockDep, form: AnswerForm) -> Response:
    """Answer what a run asks in its report; the run goes on with the answer. Answered before: 409."""

    async def act(tx: Tx, _: Wait) -> None:
        await answer_question(tx, wait_id, text=form.text, by=_name(me), now=clock.now())

    return await _act_on(wait_id, me, once, act)


class ChoiceForm(RequestBody):
    """What a person chooses for a run that waits for budget."""

    choice: Choice


@routes.post("/waits/{wait_id}:resolve", Permission.BUDGET_MANAGE, keyed=True, response_model=WaitView)
async def resolve_wait(wait_id: UUID, me: CallerDep, once: KeyedOnce, clock: ClockDep, form: ChoiceForm) -> Response:
    """Choose at a wait for budget: a quarter more, as much again, an end with what exists, or a stop as failed."""

    async def act(tx: Tx, wait: Wait) -> None:
        await resolve_budget(tx, wait, form.choice, by=_name(me), now=clock.now())

    return await _act_on(wait_id, me, once, act)


def _name(me: Caller) -> str:
    return me.user.github_login or me.user.display_name


@routes.post("/waits/{wait_id}:retry", Permission.RUN_CONTROL, response_model=WaitView)
async def retry_wait(
    wait_id: UUID, me: CallerDep, once: OnceDep, clock: ClockDep, form: Nothing | None = None
) -> Response:
    """End a wait for a rate limit now; the run tries again, and waits again if the limit still holds."""

    async def act(tx: Tx, wait: Wait) -> None:
        if wait.kind is not WaitKind.RATE_LIMIT:
            raise WaitNotRetryable(
                f"this run waits for {wait.kind.value}, which {wait.who_can_act} answers; "
                "only a rate limit can be tried again"
            )
        now = clock.now()
        await wait_rows.close(
            tx, wait_id, status="resolved", resolution="limit_cleared", text=None, by=me.actor.id, now=now
        )

    return await _act_on(wait_id, me, once, act)


async def _act_on(wait_id: UUID, me: Caller, once: Once, act: Callable[[Tx, Wait], Awaitable[None]]) -> Response:
    """Do ``act`` with a wait that the caller may see and act on, and answer with the wait as it is then."""
    hidden = WaitNotFound(f"there is no wait {wait_id}")

    async def within(tx: Tx) -> Answer:
        row = await views.find_wait(tx, wait_id)
        if row is None:
            raise hidden
        me.admit(row.project_id, hidden)
        await act(tx, row.wait)
        after = await views.find_wait(tx, wait_id)
        assert after is not None
        return Answer(WaitView.of(after, me))

    answer = await once.run(within)
    once.parts.db.ring()
    return answer
