"""Shapes that all REST doors share."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="how many items at most")]


class RequestBody(BaseModel):
    """What a request body derives from: unknown fields are refused, values are not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """A page of a list. ``next_cursor`` is None on the last page; ``as_of`` is when it was read."""

    items: list[T]
    next_cursor: str | None
    as_of: datetime
