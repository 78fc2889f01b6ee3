"""Who sees a project and which credential reaches a permission, as pure decisions."""

from dataclasses import fields, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from stagewright.contexts.identity.api import Caller
from stagewright.contexts.identity.model import Membership, PlatformRole, Principal, ProjectRole, Scope, User
from stagewright.contexts.identity.rules import TABLE, Permission, allows, has_scope, sees, visible_projects
from stagewright.processes.gateway.realtime.rights import Rights

SHOP, BLOG = uuid4(), uuid4()


def a_principal(role: PlatformRole = PlatformRole.MEMBER, **changes: Any) -> Principal:
    user = User(**({item.name: None for item in fields(User)} | {"role": role}))  # type: ignore[arg-type]
    values: dict[str, Any] = {
        "user": user,
        "scopes": frozenset(Scope),
        "memberships": (Membership(SHOP, uuid4(), ProjectRole.READ),),
        "credential": "token",
        "authenticated_at": None,
    }
    return Principal(**(values | changes))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (a_principal(), frozenset({SHOP})),
        (a_principal(memberships=()), frozenset()),
        (a_principal(only_project=SHOP), frozenset({SHOP})),
        (a_principal(only_project=BLOG), frozenset()),
        (a_principal(PlatformRole.ADMIN), None),
        (a_principal(PlatformRole.OWNER, only_project=BLOG), frozenset({BLOG})),
    ],
)
def test_lists_show_the_projects_of_the_roles_and_of_the_credential(
    principal: Principal, expected: frozenset[UUID] | None
) -> None:
    assert visible_projects(principal) == expected
    for project in (SHOP, BLOG):
        assert sees(principal, project) == (expected is None or project in expected)


@pytest.mark.parametrize("role", PlatformRole)
@pytest.mark.parametrize("only", [None, SHOP, BLOG])
def test_readers_share_a_frame_only_where_they_may_do_the_same(role: PlatformRole, only: UUID | None) -> None:
    principal = a_principal(role, only_project=only)
    rights = Rights(Caller(principal, Permission.SIGNED_IN))
    for project in (SHOP, BLOG, uuid4(), None, SHOP):
        expected = frozenset(item for item in Permission if allows(principal, item, project))
        assert rights.signature(project) == expected


def test_what_has_no_scope_is_for_sessions_only() -> None:
    token, session = a_principal(PlatformRole.OWNER), a_principal(PlatformRole.OWNER, credential="session")
    for permission, row in TABLE.items():
        assert has_scope(token, permission) == (row.scope is not None)
        assert has_scope(session, permission)
        if row.scope is None:
            assert (allows(token, permission), allows(session, permission)) == (False, True)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_needs_its_own_scope(permission: Permission) -> None:
    owner = a_principal(PlatformRole.OWNER)
    wanted = TABLE[permission].scope
    for scope in Scope:
        narrowed = replace(owner, scopes=frozenset({scope}))
        assert has_scope(narrowed, permission) == (scope is wanted)
        assert allows(narrowed, permission, SHOP) == (scope is wanted)
