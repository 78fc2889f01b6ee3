"""Texts that answers share. Instants and ids stay the texts that the journal holds, so that both are equal."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class AllowedAction(BaseModel):
    """Whether the caller may do ``verb`` here now, and if not, why."""

    verb: str
    mode: Literal["allow", "dry_run", "deny"]
    reason_code: str | None = None


class FieldError(BaseModel):
    """One wrong place of a request."""

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str
    retryable: bool
    retry_after_s: int | None = None
    errors: list[FieldError] = []
    params: dict[str, object] = {}
