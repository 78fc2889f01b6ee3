"""The door to the people of the installation: who may sign in, with which platform role, and who owns it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import FreshLoginRequired, UserNotFound
from stagewright.contexts.identity.http import confirming
from stagewright.contexts.identity.http.confirming import ConfirmedForm, PreviewQuery
from stagewright.contexts.identity.http.parts import CallerDep
from stagewright.contexts.identity.http.views import UserView
from stagewright.contexts.identity.model import PlatformRole, User, UserState
from stagewright.contexts.identity.rules import Permission, people
from stagewright.contexts.identity.usecases import people as usecases
from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.db import Reader, Tx
from stagewright.kit.http import Limit, Page, RequestBody, VersionMismatch, etag, expected_version
from stagewright.kit.http.confirm import Preview, check_name
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, CursorsDep, Db, Routes
from stagewright.kit.http.shapes import AllowedAction

routes = Routes(tag="users")
VersionDep = Annotated[int, Depends(expected_version)]
EMAIL = r"^[^@\s]{1,64}@[^@\s]{1,189}$"


class InviteForm(RequestBody):
    """Who may sign in from now on. A role above ``member`` is the owner's to give, with a session."""

    email: str = Field(max_length=254, pattern=EMAIL)
    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    role: Literal[PlatformRole.MEMBER, PlatformRole.ADMIN] = PlatformRole.MEMBER


class UserPatch(ConfirmedForm):
    """What to change of a user; what is absent stays. ``state: active`` lets a disabled person in again."""

    role: PlatformRole | None = None
    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    state: Literal[UserState.ACTIVE] | None = None


class TransferForm(ConfirmedForm):
    """Who becomes the owner, and the e-mail of that person typed exactly."""

    user_id: UUID
    confirm_name: str | None = Field(default=None, max_length=254)


def _view(user: User, me: Caller) -> UserView:
    verbs = {
        "change_role": people.why_not_change_role(me.principal, user, PlatformRole.MEMBER),
        "edit": people.why_not_manage(me.principal, user),
        "disable": people.why_not_disable(me.principal, user),
    }
    actions = [
        AllowedAction(verb=verb, mode="deny" if why else "allow", reason_code=why.stable_code if why else None)
        for verb, why in verbs.items()
    ]
    return UserView.of(user, actions)


async def _user(reader: Reader, user_id: UUID) -> User:
    user = await store.find_user(reader, user_id)
    if user is None:
        raise UserNotFound(f"there is no user {user_id}")
    return user


@routes.get("/users", Permission.USER_MANAGE)
async def list_users(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    limit: Limit = 50,
    cursor: str | None = None,
    sort: Literal["email"] = "email",
) -> Page[UserView]:
    """List everybody who may sign in, and who may not any more, by e-mail."""
    paging = Paging(cursors, limit, cursor, sort, {})
    async with db.reading() as reader:
        found = await store.list_users(reader)
    return paging.slice(
        found, lambda item: (item.email.casefold(), item.id), lambda item: _view(item, me), as_of=clock.now()
    )


@routes.get("/users/{user_id}", Permission.USER_MANAGE)
async def get_user(user_id: UUID, me: CallerDep, db: Db, response: Response) -> UserView:
    """Show a user."""
    async with db.reading() as reader:
        user = await _user(reader, user_id)
    response.headers["ETag"] = etag(user.version)
    return _view(user, me)


@routes.post("/users", Permission.USER_MANAGE, status_code=201, response_model=UserView)
async def invite_user(form: InviteForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Let somebody sign in with a verified e-mail of theirs; nobody can register."""

    async def act(tx: Tx) -> Answer:
        name = form.display_name or form.email.partition("@")[0]
        user = await usecases.invite_user(
            tx, me.principal, email=form.email, name=name, role=form.role, now=clock.now()
        )
        return Answer(_view(user, me), 201, {"Location": f"/api/v1/users/{user.id}", "ETag": etag(user.version)})

    return await once.run(act)


@routes.patch("/users/{user_id}", Permission.USER_MANAGE, response_model=UserView | Preview)
async def change_user(
    user_id: UUID,
    form: UserPatch,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    version: VersionDep,
    response: Response,
    preview: PreviewQuery = False,
) -> UserView | Preview:
    """Change a platform role (owner, with a session) or a name, or let a disabled person in. Confirmed by a preview."""
    subject = confirming.subject_of(me, "user.change", f"{user_id}:{_words(form)}")
    async with db.transaction(me.actor) as tx:
        user = await usecases.get_locked(tx, user_id)
        if user.version != version:
            raise VersionMismatch("the user was changed since you read it: read it again")
        usecases.check_change(
            me.principal,
            user,
            role=form.role,
            enable=form.state is not None,
            rename=form.display_name is not None,
        )
        shown = confirming.what_change_does(user, form.role, enable=form.state is not None, name=form.display_name)
        if preview:
            return confirming.preview_of(confirmations, subject, user.version, shown)
        confirmations.check(form.confirm_token, subject, user.version, shown)
        changed = await usecases.change_user(
            tx,
            me.principal,
            user,
            role=form.role,
            enable=form.state is not None,
            name=form.display_name,
            now=clock.now(),
        )
    response.headers["ETag"] = etag(changed.version)
    return _view(changed, me)


def _words(form: UserPatch) -> str:
    return form.model_dump_json(exclude={"confirm_token"})


@routes.post("/users/{user_id}:disable", Permission.USER_MANAGE, response_model=UserView | Preview)
async def disable_user(
    user_id: UUID,
    me: CallerDep,
    once: OnceDep,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    form: ConfirmedForm | None = None,
    preview: PreviewQuery = False,
) -> Response | Preview:
    """Let a person in no more: sessions and tokens end at once. Admins disable members, the owner anybody else."""
    subject = confirming.subject_of(me, "user.disable", user_id)
    if preview:
        async with once.parts.db.reading() as reader:
            user = await _user(reader, user_id)
        usecases.check_disable(me.principal, user)
        return confirming.preview_of(confirmations, subject, user.version, confirming.what_disable_does(user))

    async def act(tx: Tx) -> Answer:
        user = await usecases.get_locked(tx, user_id)
        usecases.check_disable(me.principal, user)
        token = form.confirm_token if form else None
        confirmations.check(token, subject, user.version, confirming.what_disable_does(user))
        disabled = await usecases.disable_user(tx, me.principal, user, now=clock.now())
        return Answer(_view(disabled, me), 200, {"ETag": etag(disabled.version)})

    return await once.run(act)


@routes.post("/users:transfer-ownership", Permission.USER_ROLES, response_model=UserView | Preview)
async def transfer_ownership(
    form: TransferForm,
    me: CallerDep,
    once: OnceDep,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    preview: PreviewQuery = False,
) -> Response | Preview:
    """Make an active admin the owner; the owner becomes an admin. Confirmed by the exact e-mail and a fresh session."""
    if not me.principal.fresh:
        raise FreshLoginRequired("this needs a session younger than an hour: sign in again")
    subject = confirming.subject_of(me, "ownership.transfer", form.user_id)
    if preview:
        async with once.parts.db.reading() as reader:
            target = await _user(reader, form.user_id)
        usecases.check_transfer(target)
        shown = confirming.what_transfer_does(me.user, target)
        return confirming.preview_of(confirmations, subject, target.version, shown, target.email)

    async def act(tx: Tx) -> Answer:
        locked = await store.lock_users(tx, me.user.id, form.user_id)
        if form.user_id not in locked:
            raise UserNotFound(f"there is no user {form.user_id}")
        owner, target = locked[me.user.id], locked[form.user_id]
        usecases.check_owner(owner)
        usecases.check_transfer(target)
        shown = confirming.what_transfer_does(owner, target)
        confirmations.check(form.confirm_token, subject, target.version, shown)
        check_name(form.confirm_name, target.email)
        after = await usecases.transfer_ownership(tx, owner, target, now=clock.now())
        return Answer(_view(after, me), 200, {"ETag": etag(after.version)})

    return await once.run(act)
