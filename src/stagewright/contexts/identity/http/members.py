"""The door to a project's members: other roles, and the end of a membership."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import MemberNotFound
from stagewright.contexts.identity.http import confirming
from stagewright.contexts.identity.http.confirming import PreviewQuery, ReasonedForm
from stagewright.contexts.identity.http.parts import CallerDep
from stagewright.contexts.identity.http.views import ChangedMember
from stagewright.contexts.identity.model import Member, ProjectRole
from stagewright.contexts.identity.rules import Permission, consequences
from stagewright.contexts.identity.usecases import members as usecases
from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.db import Tx
from stagewright.kit.http import VersionMismatch, etag, expected_version
from stagewright.kit.http.confirm import Preview, check_reason
from stagewright.kit.http.routes import ConfirmationsDep, Db, Routes

routes = Routes(tag="members")
VersionDep = Annotated[int, Depends(expected_version)]


class RoleForm(ReasonedForm):
    """The member's role from now on."""

    role: ProjectRole


async def _member(
    tx: Tx, me: Caller, project_id: UUID, user_id: UUID, *, role: ProjectRole | None, version: int
) -> tuple[Member, int]:
    """Return the member as the caller may change them, and the version that confirmations are bound to."""
    hidden = MemberNotFound(f"there is no member {user_id} in the project")
    me.admit(project_id, hidden)
    locked = await store.lock_users(tx, user_id)
    if user_id not in locked:
        raise hidden
    await usecases.check_leaving(tx, me.principal, project_id, user_id, role)
    member = await usecases.get_member(tx, project_id, user_id)
    if member.version != version:
        raise VersionMismatch("the member was changed since you read it: read it again")
    return member, locked[user_id].access_version


@routes.patch(
    "/projects/{project_id}/members/{user_id}", Permission.MEMBER_MANAGE, response_model=ChangedMember | Preview
)
async def change_member(
    project_id: UUID,
    user_id: UUID,
    form: RoleForm,
    me: CallerDep,
    db: Db,
    confirmations: ConfirmationsDep,
    version: VersionDep,
    response: Response,
    preview: PreviewQuery = False,
) -> ChangedMember | Preview:
    """Give a member another role. Confirmed by a preview, with a reason."""
    subject = confirming.subject_of(me, "member.change", f"{project_id}:{user_id}:{form.role.value}")
    async with db.transaction(me.actor) as tx:
        member, access = await _member(tx, me, project_id, user_id, role=form.role, version=version)
        shown = consequences.what_role_change_does(member, form.role)
        if preview:
            return confirmations.preview(subject, access, shown)
        confirmations.check(form.confirm_token, subject, access, shown)
        why = check_reason(form.reason)
        changed = await usecases.change_role(tx, me.principal, project_id, user_id, form.role, reason=why)
    response.headers["ETag"] = etag(changed.version)
    return ChangedMember.of(changed)


@routes.delete(
    "/projects/{project_id}/members/{user_id}", Permission.MEMBER_MANAGE, response_model=ChangedMember | Preview
)
async def remove_member(
    project_id: UUID,
    user_id: UUID,
    me: CallerDep,
    db: Db,
    confirmations: ConfirmationsDep,
    version: VersionDep,
    form: ReasonedForm | None = None,
    preview: PreviewQuery = False,
) -> ChangedMember | Preview:
    """End a membership. Confirmed by a preview, with a reason."""
    subject = confirming.subject_of(me, "member.remove", f"{project_id}:{user_id}")
    async with db.transaction(me.actor) as tx:
        member, access = await _member(tx, me, project_id, user_id, role=None, version=version)
        shown = consequences.what_removal_does(member)
        if preview:
            return confirmations.preview(subject, access, shown)
        wanted = form or ReasonedForm()
        confirmations.check(wanted.confirm_token, subject, access, shown)
        why = check_reason(wanted.reason)
        removed = await usecases.remove_member(tx, me.principal, project_id, user_id, reason=why)
    return ChangedMember.of(removed)
