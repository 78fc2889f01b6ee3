"""The door for people to requests: the queue and the history, deciding, renewing, giving up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from stagewright.contexts.approvals import views
from stagewright.contexts.approvals.errors import ApprovalNotFound
from stagewright.contexts.approvals.model import ApprovalLevel, ApproverKind, Decision, RequestKind, RequestState
from stagewright.contexts.approvals.model import Request as Asked
from stagewright.contexts.approvals.rules.deciding import LONGEST_REASON, permission_for, what_approving_does
from stagewright.contexts.approvals.rules.frames import approval_frame
from stagewright.contexts.approvals.usecases import deciding, ending
from stagewright.contexts.identity.api import Caller, FreshLoginRequired, Permission, list_names
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Reader, Tx
from stagewright.kit.http import Limit, Page, RequestBody, etag
from stagewright.kit.http.confirm import Confirmations, Preview, check_name
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

routes = Routes(tag="approvals")
CallerDep = Annotated[Caller, Depends(caller)]
Ids = Annotated[list[UUID] | None, Query()]
Texts = Annotated[list[Annotated[str, Field(max_length=80)]] | None, Query()]
PreviewQuery = Annotated[bool, Query(description="show what approving does, and get the token that confirms it")]


@dataclass(frozen=True, slots=True)
class Parts:
    """What signs capabilities; ``sole_may``: the single person of the installation may decide their own requests."""

    signer: MacSigner
    sole_may: bool


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.approvals
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


class Effect(BaseModel):
    """What approving does: a code with parameters; the client has the words."""

    code: str
    params: dict[str, str | int]


class RequesterView(BaseModel):
    """Who asks: the run with its role, and the person who started it."""

    run_number: str | None
    kind: str
    role: str
    mode: str
    stage: str | None
    issue_number: int | None
    pr_number: int | None
    initiator_kind: str
    initiator: str


class ApproverView(BaseModel):
    """Who or what decided."""

    kind: ApproverKind
    id: str


class ApprovalFrame(BaseModel):
    """The part of a request that is equal for all readers and that its events carry."""

    id: Id
    kind: RequestKind
    project_id: Id
    repository_id: Id | None
    run_id: Id | None
    attempt_id: Id | None
    action: str
    env: str
    target_name: str
    action_hash: str
    state: RequestState
    version: int
    row: str
    policy_version: str
    level: ApprovalLevel
    who_can_act: str
    self_approval: bool
    typed_confirm: bool
    grantable: bool
    on_expiry: Literal["park", "resume"]
    effect: Effect
    requester: RequesterView
    opened_at: Instant
    expires_at: Instant
    not_after: Instant | None
    decided_at: Instant | None
    approver: ApproverView | None
    reason: str | None
    reason_code: str | None
    acknowledged_sole: bool
    renews: Id | None
    settled_at: Instant | None


class ApprovalView(ApprovalFrame):
    """A request with the names of its place, and what the caller may do with it."""

    project: str
    repository: str | None
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, row: views.RequestRow, me: Caller) -> "ApprovalView":
        """Show ``row`` to ``me``."""
        return cls(**_fields(row, me))


class DisplayLine(BaseModel):
    """One fact of the request. ``label`` is a code; ``untrusted``: the agent's or a stranger's words."""

    section: Literal[
        "effect", "target", "argument", "change", "risk", "requester", "justification", "policy", "expiry", "history"
    ]
    label: str
    value: str
    masked: bool = False
    untrusted: bool = False


class DecisionView(BaseModel):
    """An earlier decision about the same action on the same target."""

    id: Id
    state: RequestState
    decided_at: Instant | None
    approver: ApproverView | None
    approver_name: str | None
    reason: str | None
    reason_code: str | None
    run_number: str | None


class ApprovalDetail(ApprovalView):
    """A request with everything that a person needs to decide it.

    ``own``: ``barred`` when the caller started the run and somebody else has to decide, ``sole`` when nobody else may
    and the decision needs ``acknowledge_sole``. ``confirm_name`` is typed where ``typed_confirm`` is set.
    """

    display: list[DisplayLine]
    hidden_characters: int
    approver_name: str | None
    own: Literal["no", "barred", "sole"]
    confirm_name: str | None
    history: list[DecisionView]
    result: dict[str, Any] | None


class DecisionForm(RequestBody):
    """What a person decided about the action with this hash."""

    decision: Literal["approve", "deny"]
    action_hash: str = Field(max_length=100)
    reason: str | None = Field(default=None, max_length=LONGEST_REASON)
    reason_code: Literal["refused", "needs_information"] | None = None
    acknowledge_sole: bool = False
    confirm_token: str | None = Field(default=None, max_length=2048)
    confirm_name: str | None = Field(default=None, max_length=300)

    @property
    def said(self) -> Decision:
        """Return the decision in our words."""
        return Decision(
            approve=self.decision == "approve",
            action_hash=self.action_hash,
            reason=self.reason,
            reason_code=self.reason_code,
            acknowledge_sole=self.acknowledge_sole,
        )


class GiveUpForm(RequestBody):
    """Why the request is given up."""

    reason: str | None = Field(default=None, max_length=LONGEST_REASON)


class Nothing(RequestBody):
    """A verb without words."""


def _fields(row: views.RequestRow, me: Caller) -> dict[str, Any]:
    asked = row.request
    return {
        **approval_frame(asked),
        "project": row.project,
        "repository": row.repository,
        "allowed_actions": approval_actions(asked.project_id, asked.level, asked.state, me),
    }


def approval_actions(project_id: UUID, level: ApprovalLevel, state: RequestState, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with a request of this level and state."""
    decides = None if me.may(permission_for(level), project_id) else "permission_denied"
    controls = None if me.may(Permission.RUN_CONTROL, project_id) else "permission_denied"
    open_now = None if state is RequestState.REQUESTED else "already_resolved"
    reasons = {
        "approve": decides or open_now,
        "deny": decides or open_now,
        "renew": controls or (None if state is RequestState.EXPIRED else "not_expired"),
        "cancel": controls or (None if state is RequestState.EXPIRED else open_now),
    }
    return [
        AllowedAction(verb=verb, mode="deny" if reason else "allow", reason_code=reason)
        for verb, reason in reasons.items()
    ]


@routes.get("/approvals", Permission.PROJECT_VIEW)
async def list_approvals(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    kind: Annotated[list[RequestKind] | None, Query()] = None,
    state: Annotated[list[RequestState] | None, Query()] = None,
    action: Texts = None,
    project: Ids = None,
    run: Ids = None,
    mine: Annotated[
        bool | None, Query(description="those that wait for the caller, or that the caller decided")
    ] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[ApprovalView]:
    """List requests of visible projects, the newest first: the queue with ``state=requested``, else the history."""
    filters: Mapping[str, Any] = {
        "kinds": kind,
        "states": state,
        "actions": action,
        "projects": project,
        "runs": run,
        "mine": mine,
        "since": since,
        "until": until,
    }
    paging = Paging(cursors, limit, cursor, "-opened_at", filters)
    async with db.reading() as reader:
        rows = await views.list_page(reader, {**filters, **_reach(me)}, after=paging.after, limit=paging.fetch)
    return paging.page(
        rows,
        lambda row: (row.request.opened_at, row.request.id),
        lambda row: ApprovalView.of(row, me),
        as_of=clock.now(),
    )


def _reach(me: Caller) -> dict[str, Any]:
    """Return which projects the caller sees, and in which they decide; None for all."""
    seen = me.projects
    if seen is not None:
        projects = list(seen)
        return {
            "visible": projects,
            "delegated": [item for item in projects if me.may(Permission.APPROVAL_DECIDE, item)],
            "owned": [item for item in projects if me.may(Permission.APPROVAL_DECIDE_OWNER, item)],
            "user": str(me.user.id),
        }
    member_of = [item.project_id for item in me.principal.memberships]
    everywhere = UUID(int=0)  # of no project: what the platform's roles alone give
    owns = me.may(Permission.APPROVAL_DECIDE_OWNER, everywhere)
    decides = me.may(Permission.APPROVAL_DECIDE, everywhere)
    return {
        "visible": None,
        "delegated": None if decides else [],
        "owned": None if owns else [item for item in member_of if me.may(Permission.APPROVAL_DECIDE_OWNER, item)],
        "user": str(me.user.id),
    }


@routes.get("/approvals/{approval_id}", Permission.PROJECT_VIEW)
async def get_approval(approval_id: UUID, me: CallerDep, db: Db, parts: PartsDep, response: Response) -> ApprovalDetail:
    """Show a request with all that an approver sees."""
    async with db.reading() as reader:
        row = await _visible(reader, approval_id, me)
        shown = await _detail(reader, row, me, parts)
    response.headers["ETag"] = etag(row.request.version)
    return shown


async def _visible(
    reader: Reader, approval_id: UUID, me: Caller, permission: Permission | None = None
) -> views.RequestRow:
    hidden = ApprovalNotFound(f"there is no request {approval_id}")
    row = await views.find(reader, approval_id)
    if row is None:
        raise hidden
    me.admit(row.request.project_id, hidden, permission)
    return row


async def _detail(reader: Reader, row: views.RequestRow, me: Caller, parts: Parts) -> ApprovalDetail:
    asked = row.request
    before = await views.last_decisions(reader, asked)
    people = {item.approver_id for item in (asked, *before) if item.approver_kind is ApproverKind.USER}
    names = await list_names(reader, [item for item in people if item])
    return ApprovalDetail(
        **_fields(row, me),
        display=[DisplayLine(**line) for line in asked.display.get("lines", [])],
        hidden_characters=int(asked.display.get("hidden_characters", 0)),
        approver_name=names.get(asked.approver_id or ""),
        own=await deciding.how_self(reader, asked, me.user.id, sole_may=parts.sole_may),
        confirm_name=asked.target_name if asked.typed_confirm else None,
        history=[_decision(item, names) for item in before],
        result=dict(asked.result) if asked.result is not None else None,
    )


def _decision(item: Asked, names: Mapping[str, str]) -> DecisionView:
    frame = approval_frame(item)
    return DecisionView(
        id=frame["id"],
        state=item.state,
        decided_at=frame["decided_at"],
        approver=frame["approver"],
        approver_name=names.get(item.approver_id or ""),
        reason=item.reason,
        reason_code=item.reason_code,
        run_number=frame["requester"]["run_number"],
    )


@routes.post("/approvals/{approval_id}:decide", Permission.APPROVAL_DECIDE, response_model=ApprovalDetail | Preview)
async def decide_approval(
    approval_id: UUID,
    form: DecisionForm,
    me: CallerDep,
    once: OnceDep,
    clock: ClockDep,
    parts: PartsDep,
    confirmations: ConfirmationsDep,
    preview: PreviewQuery = False,
) -> Response | Preview:
    """Approve or deny the action with this hash.

    Where ``typed_confirm`` is set, approving needs the preview's token, the target's name and a fresh sign-in. The
    answer's ``state`` is ``void`` when the policy changed since the request was opened: the run may ask again.
    """
    subject = {"user": str(me.user.id), "verb": "approval.approve", "resource": str(approval_id)}
    if preview:
        async with once.parts.db.reading() as reader:
            row = await _deciding(reader, approval_id, me)
        asked = row.request
        return confirmations.preview(subject, asked.version, what_approving_does(asked), name=asked.target_name)

    async def act(tx: Tx) -> Answer:
        row = await _deciding(tx, approval_id, me)
        if row.request.typed_confirm and form.decision == "approve" and row.request.state is RequestState.REQUESTED:
            _check_typed(me, form, row.request, subject, confirmations)
        said = form.said
        await deciding.decide(
            tx, approval_id, said, by=me.user.id, signer=parts.signer, sole_may=parts.sole_may, now=clock.now()
        )
        return await _again(tx, approval_id, me, parts)

    answer = await once.run(act)
    once.parts.db.ring()
    return answer


async def _deciding(reader: Reader, approval_id: UUID, me: Caller) -> views.RequestRow:
    """Return the request if the caller may decide those of its level."""
    row = await _visible(reader, approval_id, me)
    await _visible(reader, approval_id, me, permission_for(row.request.level))
    return row


def _check_typed(
    me: Caller, form: DecisionForm, asked: Asked, subject: Mapping[str, str], confirmations: Confirmations
) -> None:
    if not me.principal.fresh:
        raise FreshLoginRequired("this needs a sign-in or an API token younger than one hour")
    confirmations.check(form.confirm_token, subject, asked.version, what_approving_does(asked))
    check_name(form.confirm_name, asked.target_name)


async def _again(tx: Tx, approval_id: UUID, me: Caller, parts: Parts) -> Answer:
    row = await _visible(tx, approval_id, me)
    return Answer(await _detail(tx, row, me, parts), 200, {"ETag": etag(row.request.version)})


@routes.post("/approvals/{approval_id}:renew", Permission.RUN_CONTROL, response_model=ApprovalDetail)
async def renew_approval(
    approval_id: UUID, me: CallerDep, once: OnceDep, clock: ClockDep, parts: PartsDep, form: Nothing | None = None
) -> Response:
    """Ask again for what nobody decided in time: a new request about the same bytes; what waits moves to it."""

    async def act(tx: Tx) -> Answer:
        await _visible(tx, approval_id, me)
        renewed = await ending.renew(tx, approval_id, now=clock.now())
        return await _again(tx, renewed.id, me, parts)

    answer = await once.run(act)
    once.parts.db.ring()
    return answer


@routes.post("/approvals/{approval_id}:cancel", Permission.RUN_CONTROL, response_model=ApprovalDetail)
async def cancel_approval(
    approval_id: UUID, me: CallerDep, once: OnceDep, clock: ClockDep, parts: PartsDep, form: GiveUpForm | None = None
) -> Response:
    """Give up a request that nobody decided; what waits for it goes on without the approval."""

    async def act(tx: Tx) -> Answer:
        await _visible(tx, approval_id, me)
        await ending.cancel(tx, approval_id, reason=form.reason if form else None, now=clock.now())
        return await _again(tx, approval_id, me, parts)

    answer = await once.run(act)
    once.parts.db.ring()
    return answer
