"""The port ``ForgeThreads``: what intake reads before it decides, and what the missed-event scan reads."""

from collections.abc import Sequence
from datetime import UTC, datetime

from stagewright.adapters.github import structs, words
from stagewright.adapters.github.access import SENDERS, THREADS
from stagewright.adapters.github.client import PAGE, Client, at, checked_next
from stagewright.adapters.github.wire import decoded
from stagewright.contexts.intake.ports import (
    ForgePull,
    ForgeRemark,
    ForgeReview,
    ForgeThread,
    ThreadAct,
    UpdatedThreads,
)
from stagewright.contexts.projects.model import Repository
from stagewright.kit.errors import NotFound

MOST_PAGES = 100


def moment(value: datetime) -> str:
    """Return a moment as the forge takes it: in whole seconds of UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class GitHubThreads:
    """Threads of a bound repository."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def thread(self, repository: Repository, number: int) -> ForgeThread | None:
        """Return the thread as it is now, or None when it is gone."""
        place = at("/issues/{number}", number=number)
        try:
            return words.thread(await self._client.get(repository, THREADS, place, structs.Issue))
        except NotFound:
            return None

    async def default_branch(self, repository: Repository) -> str:
        """Return the repository's default branch as it is now."""
        return (await self._client.get(repository, THREADS, at(""), structs.Repository)).default_branch

    async def pull(self, repository: Repository, number: int) -> ForgePull | None:
        """Return the pull request as it is now, or None when it is gone."""
        place = at("/pulls/{number}", number=number)
        try:
            return words.pull(await self._client.get(repository, THREADS, place, structs.PullRequest), repository)
        except NotFound:
            return None

    async def reviews(self, repository: Repository, number: int) -> Sequence[ForgeReview]:
        """Return the submitted reviews, oldest first as the forge lists them; a pending one is nobody's word yet."""
        place = at("/pulls/{number}/reviews", PAGE, number=number)
        found = await self._client.pages(repository, THREADS, place, structs.Review)
        return [words.review(one) for one in found if one.submitted_at is not None]

    async def remarks(self, repository: Repository, number: int, since: datetime) -> Sequence[ForgeRemark]:
        """Return the comments written at or after ``since``, oldest first; the forge selects by the last change."""
        query: dict[str, str | int] = {"since": moment(since), **PAGE}
        place = at("/issues/{number}/comments", query, number=number)
        found = await self._client.pages(repository, THREADS, place, structs.Comment)
        return [words.remark(one) for one in found if one.created_at >= since]

    async def permission(self, repository: Repository, login: str) -> str:
        """Return the account's role; ``none`` when the forge knows of none."""
        if login.strip() in ("", ".", ".."):
            return "none"
        place = at("/collaborators/{login}/permission", login=login)
        try:
            return words.role(await self._client.get(repository, SENDERS, place, structs.Permission))
        except NotFound:
            return "none"

    async def acts(self, repository: Repository, number: int) -> Sequence[ThreadAct]:
        """Return the acts on the thread that count here, oldest first."""
        place = at("/issues/{number}/events", PAGE, number=number)
        events = await self._client.pages(repository, THREADS, place, structs.Event)
        acts = [act for act in map(words.thread_act, events) if act is not None]
        return sorted(acts, key=lambda act: act.at)

    async def updated_threads(self, repository: Repository, since: datetime | None, etag: str | None) -> UpdatedThreads:
        """Return threads updated at or after ``since`` (None: all open ones), least lately updated first.

        The newest come first, so with ``since`` the first page's tag covers all of them. The list of open threads has
        no tag: one that was closed may have left a later page. At most 10,000 threads are read.
        """
        query: dict[str, str | int] = {"state": "open", "sort": "updated", "direction": "desc", **PAGE}
        if since is not None:
            query |= {"state": "all", "since": moment(since)}
        else:
            etag = None
        first = await self._client.page_unless(repository, THREADS, at("/issues", query).url(repository), etag)
        if first is None:
            return UpdatedThreads((), etag, unchanged=True)
        found: dict[int, ForgeThread] = {}
        answer = first
        for _ in range(MOST_PAGES):
            for one in decoded(answer, list[structs.Issue], write=False):
                found.setdefault(one.number, words.thread(one))
            following = checked_next(repository, answer)
            if following is None:
                break
            page = await self._client.page_unless(repository, THREADS, following, None)
            assert page is not None
            answer = page
        threads = sorted(found.values(), key=lambda thread: (thread.updated_at, thread.number))
        return UpdatedThreads(tuple(threads), first.headers.get("etag") if since else None, unchanged=False)
