"""Acts on people that are confirmed: the token of the preview and the reason (T2, T3)."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.http import RequestBody

PreviewQuery = Annotated[bool, Query(description="show what would change, and get the token that confirms it")]


class ConfirmedForm(RequestBody):
    """The token of the preview."""

    confirm_token: str | None = Field(default=None, max_length=2048)


class ReasonedForm(ConfirmedForm):
    """The token of the preview, and why: needed with the token, kept in the journal."""

    reason: str | None = Field(default=None, max_length=500)


def subject_of(me: Caller, verb: str, resource: object) -> dict[str, str]:
    """Return what a token of this act is bound to."""
    return {"user": str(me.user.id), "verb": verb, "resource": str(resource)}
