"""Several pieces of work at once, none of which stops the others."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def each(work: Iterable[Awaitable[T]]) -> list[T]:
    """Let every piece end, whatever becomes of the others; then raise the first failure, or return what they gave."""
    return [result(ended) for ended in await asyncio.gather(*work, return_exceptions=True)]


def result(ended: T | BaseException) -> T:
    """Return what a piece of ``gather(return_exceptions=True)`` gave, or raise its failure."""
    if isinstance(ended, BaseException):
        raise ended
    return ended
