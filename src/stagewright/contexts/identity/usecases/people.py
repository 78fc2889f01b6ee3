"""Users: the first ones, their forge accounts, invitations, roles, and their end."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import (
    FirstStart,
    MismatchedAccount,
    OwnerProtected,
    UserExists,
    UserInvalid,
    UserNotFound,
)
from stagewright.contexts.identity.events import AccessChanged, TokenRevoked
from stagewright.contexts.identity.model import ForgeIdentity, PlatformRole, Principal, SessionEnd, User, UserState
from stagewright.contexts.identity.rules import people as rules
from stagewright.contexts.identity.usecases.sessions import end_sessions
from stagewright.kit.db import Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.ids import uuid7

MOST_PREFERENCES = 16 * 1024


async def ensure_owner(tx: Tx, *, email: str, name: str, locale: str, now: datetime) -> User:
    """Return the owner, made on the first start."""
    owner = await store.find_owner(tx)
    if owner is not None:
        return owner
    made = await store.insert_user(
        tx, user_id=uuid7(), email=email, name=name, locale=locale, role=PlatformRole.OWNER.value, now=now
    )
    owner = made or await store.find_owner(tx)
    assert owner is not None
    if made is not None:
        tx.publish(AccessChanged(user=made))
    return owner


async def admit_first_users(tx: Tx, *, owner_email: str | None, allowed: Iterable[str], now: datetime) -> None:
    """Make the owner on the first start, and the members of the allow-list who are no users yet.

    Raise ``FirstStart`` when there is nobody and no owner is named. Users who are there already are never changed.
    """
    if not await store.list_users(tx):
        if owner_email is None:
            raise FirstStart("nobody may sign in here yet: set STAGEWRIGHT_OWNER_EMAIL to the owner's e-mail")
        await ensure_owner(tx, email=owner_email, name=_name_of(owner_email), locale="en", now=now)
    for email in allowed:
        made = await store.insert_user(
            tx, user_id=uuid7(), email=email, name=_name_of(email), locale="en", role="member", now=now, state="invited"
        )
        if made is not None:
            tx.publish(AccessChanged(user=made))


def _name_of(email: str) -> str:
    return email.partition("@")[0] or email


async def pin_github_login(tx: Tx, user: User, *, github_id: int, login: str) -> User:
    """Pin which forge account the user is; forge events are matched by its number only."""
    pinned = await store.pin_github(tx, user.id, github_id=github_id, login=login)
    if pinned is None:
        return user
    tx.publish(AccessChanged(user=pinned))
    return pinned


async def pin_owner(tx: Tx, owner: User, *, github_id: int, login: str) -> User:
    """Pin which forge account the owner is. Raises ``MismatchedAccount`` when it is somebody else's."""
    holder = await store.find_by_github_id(tx, github_id)
    if holder is not None and holder.id != owner.id:
        raise MismatchedAccount(f"the forge account {login} is pinned to another user")
    if owner.github_user_id is not None and owner.github_user_id != github_id:
        raise MismatchedAccount(f"you are pinned to the forge account {owner.github_login}, not {login}")
    return await pin_github_login(tx, owner, github_id=github_id, login=login)


async def invite_user(tx: Tx, by: Principal, *, email: str, name: str, role: PlatformRole, now: datetime) -> User:
    """Let somebody sign in from now on. Raises ``UserExists``; a role above member needs the right to give it."""
    user = await store.insert_user(
        tx,
        user_id=uuid7(),
        email=email,
        name=name,
        locale=by.user.locale,
        role=PlatformRole.MEMBER.value,
        now=now,
        state=UserState.INVITED.value,
        invited_by=by.user.id,
    )
    if user is None:
        raise UserExists(f"{email} is a user already")
    if role is not PlatformRole.MEMBER:
        _refuse(rules.why_not_change_role(by, user, role))
        user = await store.set_access(tx, user.id, role=role.value)
    tx.publish(AccessChanged(user=user))
    return user


async def get_locked(tx: Tx, user_id: UUID) -> User:
    """Return the user, locked. Raises ``UserNotFound``."""
    found = await store.lock_users(tx, user_id)
    if user_id not in found:
        raise UserNotFound(f"there is no user {user_id}")
    return found[user_id]


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is wanted of a user; None and False leave it as it is."""

    role: PlatformRole | None = None
    enable: bool = False
    name: str | None = None
    account: ForgeIdentity | None = None


def check_change(by: Principal, user: User, wanted: UserChange) -> None:
    """Refuse what ``by`` may not change of ``user``."""
    if wanted.role is not None and wanted.role is not user.role:
        _refuse(rules.why_not_change_role(by, user, wanted.role))
    if wanted.enable or wanted.name is not None:
        _refuse(rules.why_not_manage(by, user))
    if wanted.account is not None:
        check_pin(by, user)


def check_pin(by: Principal, user: User) -> None:
    """Refuse when ``by`` may not say which forge account ``user`` is."""
    _refuse(rules.why_not_pin(by, user))


async def change_user(
    tx: Tx, by: Principal, user: User, wanted: UserChange, *, now: datetime, reason: str | None = None
) -> User:
    """Change a platform role, a name or the forge account, or let a disabled person in. A lower role ends sessions."""
    check_change(by, user, wanted)
    changed, role = user, wanted.role
    if wanted.name is not None:
        changed = await store.change_user(tx, user.id, name=wanted.name)
    if wanted.account is not None:
        changed = await _pin(tx, changed, wanted.account)
    enabling = wanted.enable and user.state is UserState.DISABLED
    if enabling or (role is not None and role is not user.role):
        state = UserState.ACTIVE.value if enabling else None
        changed = await store.set_access(tx, user.id, role=role.value if role else None, state=state)
    if role is not None and rules.is_demotion(user.role, role):
        await end_sessions(tx, user.id, reason=SessionEnd.DEMOTED, now=now)
    if changed is not user:
        tx.publish(AccessChanged(user=changed, reason=reason))
    return changed


async def _pin(tx: Tx, user: User, account: ForgeIdentity) -> User:
    pinned = await store.pin_github(tx, user.id, github_id=account.github_user_id, login=account.login)
    return pinned or user


async def change_profile(
    tx: Tx,
    user: User,
    *,
    name: str | None,
    locale: str | None,
    zone: str | None,
    preferences: Mapping[str, Any] | None,
) -> User:
    """Change what people change of themselves. Preferences are merged; one that is None goes. Rights stay."""
    kept = None
    if preferences is not None:
        merged = {**user.preferences, **preferences}
        kept = {key: value for key, value in merged.items() if value is not None}
        if len(json.dumps(kept)) > MOST_PREFERENCES:
            problem = FieldProblem("/preferences", UserInvalid.code, f"keep them below {MOST_PREFERENCES} bytes")
            raise UserInvalid("the preferences are too large", problems=(problem,))
    changed = await store.change_user(tx, user.id, name=name, locale=locale, zone=zone, preferences=kept)
    tx.publish(AccessChanged(user=changed))
    return changed


async def disable_user(tx: Tx, by: Principal, user: User, *, now: datetime, reason: str | None = None) -> User:
    """Let a user in no more: sessions and tokens end, and the next request of each is refused."""
    _refuse(rules.why_not_disable(by, user))
    if user.state is UserState.DISABLED:
        return user
    disabled = await store.set_access(tx, user.id, state=UserState.DISABLED.value)
    await end_sessions(tx, user.id, reason=SessionEnd.DISABLED, now=now)
    for token in await store.revoke_all(tx, user.id, now):
        tx.publish(TokenRevoked(token=token))
    tx.publish(AccessChanged(user=disabled, reason=reason))
    return disabled


def check_disable(by: Principal, user: User) -> None:
    """Refuse when ``by`` may not disable ``user``."""
    _refuse(rules.why_not_disable(by, user))


def check_owner(user: User) -> None:
    """Refuse when the caller was the owner a moment ago only."""
    if user.role is not PlatformRole.OWNER:
        raise OwnerProtected("you are not the owner any more")


def check_transfer(target: User) -> None:
    """Refuse when ``target`` cannot become the owner."""
    _refuse(rules.why_not_transfer(target))


async def transfer_ownership(tx: Tx, owner: User, target: User, *, now: datetime, reason: str | None = None) -> User:
    """Make ``target`` the owner and the owner an admin, whose sessions end. Both rows are locked by the caller."""
    _refuse(rules.why_not_transfer(target))
    before = await store.set_access(tx, owner.id, role=PlatformRole.ADMIN.value)
    after = await store.set_access(tx, target.id, role=PlatformRole.OWNER.value)
    await end_sessions(tx, owner.id, reason=SessionEnd.DEMOTED, now=now)
    tx.publish(AccessChanged(user=before, reason=reason))
    tx.publish(AccessChanged(user=after, reason=reason))
    return after


def _refuse(why: rules.Refusal | None) -> None:
    if why is not None:
        raise why
