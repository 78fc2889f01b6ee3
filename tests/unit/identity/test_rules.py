"""Who may change whom, which addresses may match a user, and what PKCE says: pure decisions (AX6, AX10)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from stagewright.contexts.identity.model import (
    ALL_SCOPES,
    ForgeAccount,
    ForgeEmail,
    Membership,
    PlatformRole,
    Principal,
    ProjectRole,
    User,
    UserId,
    UserState,
)
from stagewright.contexts.identity.rules.login import challenge_of, emails_to_try
from stagewright.contexts.identity.rules.people import (
    is_demotion,
    why_not_change_role,
    why_not_disable,
    why_not_leave,
    why_not_manage,
    why_not_transfer,
)

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MEMBER, ADMIN, OWNER = PlatformRole
ME = uuid4()


def a_user(role: PlatformRole, user_id: UUID | None = None, state: UserState = UserState.ACTIVE) -> User:
    return User(
        id=UserId(user_id or uuid4()),
        email="ann@example.test",
        github_user_id=None,
        github_login=None,
        display_name="Ann",
        locale="en",
        role=role,
        state=state,
        access_version=1,
        created_at=NOW,
        zone="UTC",
        preferences={},
        version=1,
    )


def by(role: PlatformRole, credential: str = "session") -> Principal:
    return Principal(
        user=a_user(role, ME), scopes=ALL_SCOPES, memberships=(), credential=credential, authenticated_at=NOW
    )


def code(why: Any) -> str | None:
    return None if why is None else str(why.stable_code)


@pytest.mark.parametrize(
    ("principal", "target", "role", "expected"),
    [
        (by(OWNER), MEMBER, ADMIN, None),
        (by(OWNER), ADMIN, MEMBER, None),
        (by(OWNER, "token"), MEMBER, ADMIN, "permission_denied"),
        (by(ADMIN), MEMBER, ADMIN, "permission_denied"),
        (by(OWNER), OWNER, MEMBER, "user.owner_protected"),
        (by(OWNER), MEMBER, OWNER, "user.owner_protected"),
    ],
)
def test_only_the_owner_gives_platform_roles(
    principal: Principal, target: PlatformRole, role: PlatformRole, expected: str | None
) -> None:
    assert code(why_not_change_role(principal, a_user(target), role)) == expected


@pytest.mark.parametrize(
    ("principal", "target", "manage", "disable"),
    [
        (by(ADMIN), a_user(MEMBER), None, None),
        (by(ADMIN), a_user(ADMIN), "permission_denied", "permission_denied"),
        (by(ADMIN), a_user(ADMIN, ME), None, "user.own_role"),
        (by(ADMIN), a_user(OWNER), "user.owner_protected", "user.owner_protected"),
        (by(OWNER), a_user(ADMIN), None, None),
        (by(OWNER), a_user(OWNER, ME), None, "user.owner_protected"),
        (by(OWNER, "token"), a_user(ADMIN), "permission_denied", "permission_denied"),
    ],
)
def test_admins_manage_members_and_the_owner_everybody_else(
    principal: Principal, target: User, manage: str | None, disable: str | None
) -> None:
    assert (code(why_not_manage(principal, target)), code(why_not_disable(principal, target))) == (manage, disable)


@pytest.mark.parametrize(
    ("role", "state", "expected"),
    [
        (ADMIN, UserState.ACTIVE, None),
        (ADMIN, UserState.DISABLED, "user.not_transferable"),
        (ADMIN, UserState.INVITED, "user.not_transferable"),
        (MEMBER, UserState.ACTIVE, "user.not_transferable"),
    ],
)
def test_ownership_goes_to_active_admins(role: PlatformRole, state: UserState, expected: str | None) -> None:
    assert code(why_not_transfer(a_user(role, state=state))) == expected


@pytest.mark.parametrize(
    ("principal", "others", "role", "expected"),
    [
        (by(MEMBER), [], None, "member.last_admin"),
        (by(MEMBER), [ProjectRole.READ_WRITE], ProjectRole.READ, "member.last_admin"),
        (by(MEMBER), [], ProjectRole.ADMIN, None),
        (by(MEMBER), [ProjectRole.ADMIN], None, None),
        (by(ADMIN), [], None, None),
    ],
)
def test_a_project_keeps_an_admin(
    principal: Principal, others: list[ProjectRole], role: ProjectRole | None, expected: str | None
) -> None:
    project = uuid4()
    members = [Membership(project, ME, ProjectRole.ADMIN), *(Membership(project, uuid4(), one) for one in others)]
    assert code(why_not_leave(principal, members, ME, role)) == expected


def test_a_role_becomes_less_or_it_does_not() -> None:
    assert [is_demotion(*pair) for pair in ((OWNER, ADMIN), (ADMIN, MEMBER), (MEMBER, ADMIN), (ADMIN, ADMIN))] == [
        True,
        True,
        False,
        False,
    ]


def test_unverified_addresses_are_never_tried() -> None:
    emails = (
        ForgeEmail("a@x.test", verified=False, primary=True),
        ForgeEmail("b@x.test", verified=True, primary=False),
        ForgeEmail("c@x.test", verified=False, primary=False),
    )
    assert emails_to_try(ForgeAccount(1, "ann", "Ann", emails)) == (None, ["b@x.test"])
    verified = (ForgeEmail("a@x.test", verified=True, primary=True), *emails[1:])
    assert emails_to_try(ForgeAccount(1, "ann", "Ann", verified)) == ("a@x.test", ["b@x.test"])


def test_the_challenge_is_the_one_of_the_standard() -> None:
    """The example of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
