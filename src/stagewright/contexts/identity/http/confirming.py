"""Acts on people that are confirmed: what their previews say, and the check of the token (T2, T3)."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query
from pydantic import Field

from stagewright.contexts.identity.model import Member, PlatformRole, ProjectRole, User
from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.http import RequestBody
from stagewright.kit.http.confirm import Confirmations, Preview

Shown = Mapping[str, list[str]]
PreviewQuery = Annotated[bool, Query(description="show what would change, and get the token that confirms it")]


class ConfirmedForm(RequestBody):
    """The token of the preview."""

    confirm_token: str | None = Field(default=None, max_length=2048)


def subject_of(me: Caller, verb: str, resource: object) -> dict[str, str]:
    """Return what a token of this act is bound to."""
    return {"user": str(me.user.id), "verb": verb, "resource": str(resource)}


def preview_of(
    confirmations: Confirmations, subject: Mapping[str, str], version: int, shown: Shown, name: str | None = None
) -> Preview:
    """Return the preview of an act."""
    return confirmations.preview(
        subject, version, stops=shown["stops"], lost=shown["lost"], survives=shown["survives"], name=name
    )


def what_change_does(user: User, role: PlatformRole | None, *, enable: bool, name: str | None) -> Shown:
    """Say what a change of a user does."""
    stops, lost, survives = [], [], ["the account, its history and its project roles"]
    if role is not None and role is not user.role:
        survives.append(f"the role {role.value} instead of {user.role.value}")
        if role is PlatformRole.MEMBER:
            stops.append("all sessions of the person: they sign in again")
            lost.append("the rights of a platform admin, also of their API tokens")
    if enable:
        survives.append("the person may sign in again; their old tokens stay revoked")
    if name is not None:
        survives.append(f"the name {name}")
    return {"stops": stops, "lost": lost, "survives": survives}


def what_disable_does(user: User) -> Shown:
    """Say what disabling a user does."""
    return {
        "stops": [f"all sessions of {user.email}", "labels they set start nothing any more"],
        "lost": ["all their API tokens"],
        "survives": ["the account, its history and its project roles; an admin can let the person in again"],
    }


def what_transfer_does(owner: User, target: User) -> Shown:
    """Say what a transfer of ownership does."""
    return {
        "stops": [f"all sessions of {owner.email}"],
        "lost": [f"the ownership of {owner.email}, who becomes an admin; only the new owner can give it back"],
        "survives": [f"everything else; {target.email} is the owner"],
    }


def what_role_change_does(member: Member, role: ProjectRole) -> Shown:
    """Say what another project role does."""
    return {
        "stops": [],
        "lost": [f"the rights of the role {member.role.value} in the project"],
        "survives": [f"the membership of {member.email}, with the role {role.value}"],
    }


def what_removal_does(member: Member) -> Shown:
    """Say what the end of a membership does."""
    return {
        "stops": ["labels they set in the project start nothing any more, unless the platform's roles permit it"],
        "lost": [f"the membership of {member.email} with the role {member.role.value}"],
        "survives": ["the person's account, and what they did"],
    }
