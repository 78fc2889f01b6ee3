"""The door to the people of the installation: who may sign in, with which platform role, and who owns it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import FreshLoginRequired, UserInvalid, UserNotFound
from stagewright.contexts.identity.http import confirming
from stagewright.contexts.identity.http.confirming import PreviewQuery, ReasonedForm
from stagewright.contexts.identity.http.parts import CallerDep, ListingDep, PartsDep
from stagewright.contexts.identity.http.views import UserView
from stagewright.contexts.identity.model import ForgeIdentity, PlatformRole, User, UserState
from stagewright.contexts.identity.rules import Permission, consequences, people
from stagewright.contexts.identity.usecases import people as usecases
from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.db import Database, Reader, Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.http import Page, RequestBody, VersionMismatch, etag, expected_version
from stagewright.kit.http.confirm import Preview, check_name, check_reason
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, Db, Routes
from stagewright.kit.http.shapes import AllowedAction

routes = Routes(tag="users")
VersionDep = Annotated[int, Depends(expected_version)]
EMAIL = r"^[^@\s]{1,64}@[^@\s]{1,189}$"
LOGIN = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?$"


class InviteForm(RequestBody):
    """Who may sign in from now on. A role above ``member`` is the owner's to give, with a session."""

    email: str = Field(max_length=254, pattern=EMAIL)
    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    role: Literal[PlatformRole.MEMBER, PlatformRole.ADMIN] = PlatformRole.MEMBER


class UserPatch(ReasonedForm):
    """What to change of a user; what is absent stays. ``state: active`` lets a disabled person in again.

    ``github_login`` says which account of the forge the person is: its number is read from the forge and kept.
    """

    role: PlatformRole | None = None
    github_login: str | None = Field(default=None, max_length=100, pattern=LOGIN)
    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    state: Literal[UserState.ACTIVE] | None = None


class TransferForm(ReasonedForm):
    """Who becomes the owner, why, and the e-mail of that person typed exactly."""

    user_id: UUID
    confirm_name: str | None = Field(default=None, max_length=254)


def user_actions(target: people.Target, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with a person now."""
    return [
        AllowedAction(verb=verb, mode="deny" if why else "allow", reason_code=why)
        for verb, why in people.why_not(me.principal, target).items()
    ]


def _view(user: User, me: Caller) -> UserView:
    return UserView.of(user, user_actions(user, me))


async def _user(reader: Reader, user_id: UUID) -> User:
    user = await store.find_user(reader, user_id)
    if user is None:
        raise UserNotFound(f"there is no user {user_id}")
    return user


@routes.get("/users", Permission.USER_MANAGE)
async def list_users(me: CallerDep, db: Db, listing: ListingDep, sort: Literal["email"] = "email") -> Page[UserView]:
    """List everybody who may sign in, and who may not any more, by e-mail."""
    async with db.reading() as reader:
        found = await store.list_users(reader)
    return listing.page(found, sort, lambda item: (item.email.casefold(), item.id), lambda item: _view(item, me))


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
    parts: PartsDep,
    confirmations: ConfirmationsDep,
    version: VersionDep,
    response: Response,
    preview: PreviewQuery = False,
) -> UserView | Preview:
    """Change a platform role or the forge account (owner, with a session) or a name, or let a disabled person in.

    Confirmed by a preview, with a reason.
    """
    account = await _account(db, me, user_id, form.github_login, parts)
    wanted = usecases.UserChange(form.role, form.state is not None, form.display_name, account)
    subject = confirming.subject_of(me, "user.change", f"{user_id}:{_words(form)}")
    async with db.transaction(me.actor) as tx:
        user = await usecases.get_locked(tx, user_id)
        if user.version != version:
            raise VersionMismatch("the user was changed since you read it: read it again")
        usecases.check_change(me.principal, user, wanted)
        shown = consequences.what_change_does(
            user, wanted.role, enable=wanted.enable, name=wanted.name, account=wanted.account
        )
        if preview:
            return confirmations.preview(subject, user.version, shown)
        confirmations.check(form.confirm_token, subject, user.version, shown)
        why = check_reason(form.reason)
        changed = await usecases.change_user(tx, me.principal, user, wanted, now=clock.now(), reason=why)
    response.headers["ETag"] = etag(changed.version)
    return _view(changed, me)


async def _account(db: Database, me: Caller, user_id: UUID, login: str | None, parts: PartsDep) -> ForgeIdentity | None:
    """Ask the forge who has the login, before the transaction and only for somebody who may pin it."""
    if login is None:
        return None
    async with db.reading() as reader:
        usecases.check_pin(me.principal, await _user(reader, user_id))
    found = await parts.accounts.find(login)
    if found is None:
        remedy = f"no account of the forge has the login {login}: check its spelling"
        raise UserInvalid(remedy, problems=(FieldProblem("/github_login", UserInvalid.code, remedy),))
    return found


def _words(form: UserPatch) -> str:
    return form.model_dump_json(exclude={"confirm_token", "reason"})


@routes.post("/users/{user_id}:disable", Permission.USER_MANAGE, response_model=UserView | Preview)
async def disable_user(
    user_id: UUID,
    me: CallerDep,
    once: OnceDep,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    form: ReasonedForm | None = None,
    preview: PreviewQuery = False,
) -> Response | Preview:
    """Let a person in no more: sessions and tokens end at once. Admins disable members, the owner anybody else.

    Confirmed by a preview, with a reason.
    """
    subject = confirming.subject_of(me, "user.disable", user_id)
    if preview:
        async with once.parts.db.reading() as reader:
            user = await _user(reader, user_id)
        usecases.check_disable(me.principal, user)
        return confirmations.preview(subject, user.version, consequences.what_disable_does(user))

    async def act(tx: Tx) -> Answer:
        user = await usecases.get_locked(tx, user_id)
        usecases.check_disable(me.principal, user)
        wanted = form or ReasonedForm()
        confirmations.check(wanted.confirm_token, subject, user.version, consequences.what_disable_does(user))
        why = check_reason(wanted.reason)
        disabled = await usecases.disable_user(tx, me.principal, user, now=clock.now(), reason=why)
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
    """Make an active admin the owner; the owner becomes an admin. Needs the exact e-mail, a reason, a fresh session."""
    if not me.principal.fresh:
        raise FreshLoginRequired("this needs a session younger than an hour: sign in again")
    subject = confirming.subject_of(me, "ownership.transfer", form.user_id)
    if preview:
        async with once.parts.db.reading() as reader:
            target = await _user(reader, form.user_id)
        usecases.check_transfer(target)
        shown = consequences.what_transfer_does(me.user, target)
        return confirmations.preview(subject, target.version, shown, name=target.email)

    async def act(tx: Tx) -> Answer:
        locked = await store.lock_users(tx, me.user.id, form.user_id)
        if form.user_id not in locked:
            raise UserNotFound(f"there is no user {form.user_id}")
        owner, target = locked[me.user.id], locked[form.user_id]
        usecases.check_owner(owner)
        usecases.check_transfer(target)
        shown = consequences.what_transfer_does(owner, target)
        confirmations.check(form.confirm_token, subject, target.version, shown)
        check_name(form.confirm_name, target.email)
        why = check_reason(form.reason)
        after = await usecases.transfer_ownership(tx, owner, target, now=clock.now(), reason=why)
        return Answer(_view(after, me), 200, {"ETag": etag(after.version)})

    return await once.run(act)
