"""What the doors of identity get from their process, how they list, and the limits of logins."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from stagewright.contexts.identity.api import Caller
from stagewright.contexts.identity.errors import CodeRefused, MismatchedAccount
from stagewright.contexts.identity.model import LoginMethod, Origin
from stagewright.contexts.identity.ports import ForgeAccounts, GitHubLogin
from stagewright.contexts.identity.usecases import logins
from stagewright.kit.db import Tx
from stagewright.kit.errors import LimitReached
from stagewright.kit.http import Limit, Page
from stagewright.kit.http import routes as kit_routes
from stagewright.kit.http.browser import Browser
from stagewright.kit.http.cursors import Key
from stagewright.kit.http.limits import Bucket, take
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.peers import prefix_of
from stagewright.kit.http.routes import ClockDep, CursorsDep, caller
from stagewright.kit.metrics import Metrics

LOGINS = Bucket("logins", 10)
NEW_TOKENS = Bucket("new tokens", 10, 3600)
AGENT_KEPT = 200
T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Settings and helpers of the doors. ``github`` is None without an OAuth client; ``accounts`` reads the forge.

    ``report_mismatch`` opens an incident when an account turns up for somebody who is pinned to another one.
    """

    public_url: str
    idle: timedelta
    longest: timedelta
    trusted_proxies: tuple[str, ...]
    browser: Browser
    metrics: Metrics
    local_login: bool
    github: GitHubLogin | None
    accounts: ForgeAccounts
    report_mismatch: Callable[[MismatchedAccount, int | None], Awaitable[None]] | None = None

    def origin_of(self, request: Request) -> Origin:
        """Return what is kept of where a login comes from."""
        agent = request.headers.get("user-agent", "")
        shown = "".join(character if character.isprintable() else " " for character in agent)
        return Origin(prefix_of(request, self.trusted_proxies), shown[:AGENT_KEPT])


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.identity
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]
CallerDep = Annotated[Caller, Depends(caller)]


@dataclass(frozen=True, slots=True)
class Listing:
    """The query of a list that is short by nature, and the page that answers it."""

    clock: ClockDep
    cursors: CursorsDep
    limit: Limit = 50
    cursor: str | None = None

    def page(
        self, rows: Sequence[T], sort: str, key: Callable[[T], tuple[Key, ...]], view: Callable[[T], V]
    ) -> Page[V]:
        """Answer the wanted part of ``rows``, in the order of ``key``; ``sort`` names that order in the cursor."""
        return Paging(self.cursors, self.limit, self.cursor, sort, {}).slice(rows, key, view, as_of=self.clock.now())


ListingDep = Annotated[Listing, Depends()]


async def count_login(request: Request, parts: Parts) -> Origin:
    """Take one login out of the bucket of the client's network. Raises ``LimitReached``, also while logins pause."""
    origin = parts.origin_of(request)
    kit: kit_routes.Parts = request.app.state.parts
    now = kit.clock.now()
    try:
        async with kit.db.transaction() as tx:
            await logins.refuse_while_paused(tx, origin.ip_prefix, now=now)
            taken = await take(tx, LOGINS, origin.ip_prefix, now=now)
    except LimitReached:
        parts.metrics.rate_limited.labels(LOGINS.name).inc()
        raise
    request.state.late_headers = taken.headers
    return origin


async def attempt(request: Request, parts: Parts, method: LoginMethod, act: Callable[[Tx, Origin], Awaitable[T]]) -> T:
    """Do ``act`` in a transaction as a login of a one-time code: failures are counted, journalled and raised."""
    origin = await count_login(request, parts)
    kit: kit_routes.Parts = request.app.state.parts
    try:
        async with kit.db.transaction(correlation_id=str(request.state.request_id)) as tx:
            done = await act(tx, origin)
    except CodeRefused as error:
        await note_refusal(request, parts, method, origin, error.stable_code)
        raise
    parts.metrics.logins.labels(method.value, "ok").inc()
    return done


async def note_refusal(
    request: Request, parts: Parts, method: LoginMethod, origin: Origin, code: str, github_user_id: int | None = None
) -> None:
    """Count and journal a refused login."""
    kit: kit_routes.Parts = request.app.state.parts
    async with kit.db.transaction(correlation_id=str(request.state.request_id)) as tx:
        await logins.note_failure(tx, origin.ip_prefix, now=kit.clock.now())
        tx.publish(logins.refused(code, method, origin, github_user_id))
    parts.metrics.logins.labels(method.value, "refused").inc()
