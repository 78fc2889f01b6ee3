"""Reads and writes of a bound repository: the pass, one renewal, bounded repeats of reads, tags, pages, decoding."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from stagewright.adapters.github.access import Access, Need, Pass
from stagewright.adapters.github.etags import ETags, Kept
from stagewright.adapters.github.rates import CORE
from stagewright.adapters.github.wire import Answer, Request, Wire, decoded, same_origin, url_of
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import NotSent
from stagewright.kit.clock import Clock
from stagewright.kit.errors import NotFound, Unauthenticated, Unavailable

T = TypeVar("T")
MOVED = (301, 302, 307, 308)
MOST_MOVES = 2
MOST_PAGES = 100
PER_PAGE = 100
PAGE: Mapping[str, str | int] = {"per_page": PER_PAGE}
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a read is tried in all, and how long is waited before it is tried again."""

    tries: int = 3
    first_wait: timedelta = timedelta(seconds=0.5)
    longest_wait: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Place:
    """A path below ``/repos/{owner}/{name}``, with the parts of its placeholders and its query."""

    path: str
    parts: Mapping[str, str | int]
    query: Mapping[str, str | int]

    def url(self, repository: Repository) -> str:
        """Return the absolute address."""
        owner, _, name = repository.full_name.partition("/")
        url = url_of(repository.api_url, f"/repos/{{owner}}/{{repo}}{self.path}", owner=owner, repo=name, **self.parts)
        return f"{url}?{urlencode(self.query)}" if self.query else url


def at(path: str, query: Mapping[str, str | int] | None = None, /, **parts: str | int) -> Place:
    """Name a place of a repository: ``at("/issues/{number}", number=7)``."""
    return Place(path, parts, query or {})


class Client:
    """Speaks for bound repositories with their stored credentials."""

    def __init__(
        self, wire: Wire, access: Access, clock: Clock, *, etags: ETags | None = None, retries: Retries | None = None
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._etags = etags if etags is not None else ETags()
        self._retries = retries or Retries()
        self._jitter = random.SystemRandom()
        self.access = access

    async def get(self, repository: Repository, need: Need, place: Place, kind: type[T]) -> T:
        """Read one thing."""
        answer = await self._read(repository, need, place.url(repository))
        return decoded(answer, kind, write=False)

    async def pages(
        self, repository: Repository, need: Need, place: Place, kind: type[T], *, most: int = MOST_PAGES
    ) -> list[T]:
        """Read a list to its end, at most ``most`` pages of it."""
        found: list[T] = []
        url: str | None = place.url(repository)
        for _ in range(most):
            if url is None:
                break
            answer = await self._read(repository, need, url, keep=_says_where_it_ends)
            found += decoded(answer, list[kind], write=False)  # type: ignore[valid-type]
            url = checked_next(repository, answer)
        return found

    async def page_unless(self, repository: Repository, need: Need, url: str, etag: str | None) -> Answer | None:
        """Read one page, or None when it still has ``etag``."""
        answer = await self._ask(repository, need, Request("GET", url, etag=etag))
        return None if answer.status == NOT_MODIFIED else answer

    async def write(
        self, method: str, repository: Repository, need: Need, place: Place, data: object = None, *, bucket: str = CORE
    ) -> Answer:
        """Change something, once: a write is never repeated unless the forge proved that it did nothing."""
        return await self._ask(repository, need, Request(method, place.url(repository), data=data, bucket=bucket))

    async def installation(self, repository: Repository, need: Need) -> str:
        """Return the key of the limits that the repository's credential draws on."""
        return await self.access.installation_of(repository, need)

    async def _read(
        self, repository: Repository, need: Need, url: str, *, keep: Callable[[Answer], bool] = lambda _: True
    ) -> Answer:
        """Read, at the price of nothing when the answer is still the one we kept."""
        found = await self.access.pass_for(repository, need)
        kept = self._etags.find(found.installation, url)
        answer = await self._ask(repository, need, Request("GET", url, etag=kept.etag if kept else None), found)
        if kept is not None and answer.status == NOT_MODIFIED:
            return Answer(200, answer.headers, kept.body, kept.next)
        if (etag := answer.headers.get("etag")) and keep(answer):
            self._etags.keep(found.installation, url, Kept(etag, answer.body, answer.next))
        else:
            self._etags.drop(found.installation, url)
        return answer

    async def _ask(self, repository: Repository, need: Need, request: Request, found: Pass | None = None) -> Answer:
        tries = 1 if request.write else self._retries.tries
        wait = self._retries.first_wait
        for left in range(tries - 1, -1, -1):
            try:
                return await self._renewing(repository, need, replace(request, purpose=need.purpose), found)
            except NotSent as error:
                asked = error.retry_after or timedelta(0)
                if left == 0 or asked > self._retries.longest_wait:
                    raise
                await self._clock.sleep(max(asked, wait * self._jitter.uniform(0.5, 1)))
                wait *= 2
        raise AssertionError("unreachable: the last try returns or raises")

    async def _renewing(self, repository: Repository, need: Need, request: Request, found: Pass | None) -> Answer:
        """Send; when the credential is refused, which proves that nothing happened, renew it once and send again."""
        found = found or await self.access.pass_for(repository, need)
        try:
            return await self._following(repository, request, found)
        except Unauthenticated:
            found = await self.access.pass_for(repository, need, refused=found.text)
            return await self._following(repository, request, found)

    async def _following(self, repository: Repository, request: Request, found: Pass) -> Answer:
        """Follow a repository that was renamed; an issue moved to another repository is gone."""
        url = request.url
        for _ in range(MOST_MOVES + 1):
            answer = await self._wire.send(
                replace(request, url=url, oauth_token=found.text, installation=found.installation)
            )
            if answer.status not in MOVED:
                return answer
            url = _moved_to(repository, request, answer)
        raise NotFound(f"{request.what}: the forge sends the request in circles", code="forge.not_found")


def _says_where_it_ends(answer: Answer) -> bool:
    """Say whether a kept page can be trusted: a full last page keeps its tag when another page comes after it."""
    return answer.next is not None or len(msgspec.json.decode(answer.body, type=list[msgspec.Raw])) < PER_PAGE


def checked_next(repository: Repository, answer: Answer) -> str | None:
    """Return where the list goes on. Raises ``Unavailable`` when that is another host."""
    if answer.next is not None and not same_origin(answer.next, repository.api_url):
        raise Unavailable(f"the forge of {repository.full_name} continues a list on another host; check its API URL")
    return answer.next


def _moved_to(repository: Repository, request: Request, answer: Answer) -> str:
    target = answer.headers.get("location", "")
    ours = f"/repositories/{repository.forge_repository_id}"
    path = urlsplit(target).path
    follows = answer.status in (307, 308) or not request.write
    inside = path.endswith(ours) or f"{ours}/" in path
    if not follows or not inside or not same_origin(target, repository.api_url):
        raise NotFound(f"{request.what}: moved out of {repository.full_name}", code="forge.not_found")
    return target
