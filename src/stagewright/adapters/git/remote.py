"""Talks to the remote of a repository: branches now, fetch, push. Failures become ours here."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from stagewright.adapters.git.command import Git, Output
from stagewright.adapters.git.credentials import credential_pipe
from stagewright.adapters.git.errors import GitFailed, GitTimedOut
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.kit.errors import Denied, LimitReached, NotFound, StagewrightError, Unauthenticated

LOOK = timedelta(seconds=60)
MOVE = timedelta(minutes=10)
BRANCH = "refs/heads/"

UNAUTHENTICATED = ("authentication failed", "could not read username", "could not read password", "returned error: 401")
NEVER_LEFT = (
    "could not resolve host",
    "failed to connect",
    "connection refused",
    "couldn't connect",
    "ssl certificate",
)


class GitAccess(Protocol):
    """Gives the user name and password for a repository. ``refused``: the password the forge just did not take."""

    async def __call__(self, repository: Repository, *, write: bool, refused: str | None) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class Advertised:
    """What the remote says of itself: its branches and the name of its default branch, if it has one."""

    heads: Mapping[str, str]
    default_branch: str | None


class Remote:
    """The remote side of all repositories, spoken to with the platform's credential."""

    def __init__(self, git: Git, access: GitAccess) -> None:
        self._git = git
        self._access = access

    async def advertised(self, repository: Repository, folder: Path, *, limit: timedelta = LOOK) -> Advertised:
        """Ask which branches exist now."""
        words = ("ls-remote", "--symref", repository.clone_url, "HEAD", f"{BRANCH}*")
        output = await self._ask(repository, folder, words, limit)
        heads: dict[str, str] = {}
        default = None
        for line in output.text.splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: ") and name == "HEAD":
                default = value.removeprefix("ref: ").removeprefix(BRANCH)
            elif name.startswith(BRANCH):
                heads[name.removeprefix(BRANCH)] = value
        return Advertised(heads, default)

    async def fetch(
        self, repository: Repository, folder: Path, refspecs: Sequence[str], *, lock: int, prune: bool
    ) -> None:
        """Fetch ``refspecs`` into the mirror ``folder``; git also keeps the descriptor of its ``lock`` open."""
        words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
        options = ("--prune", "--force") if prune else ("--force",)
        await self._ask(repository, folder, (*words, *options, repository.clone_url, *refspecs), MOVE, keep=(lock,))

    async def push(self, repository: Repository, folder: Path, words: Sequence[str]) -> Output:
        """Push with ``words``. An exit code of 1 is git's own report of a refused ref; the caller reads it."""
        try:
            return await self._with_credential(repository, folder, ("push", *words), MOVE, write=True, ok=(0, 1))
        except GitFailed as error:
            raise _translated(error, OutcomeUnknown) from error

    async def _ask(
        self, repository: Repository, folder: Path, words: Sequence[str], limit: timedelta, keep: Sequence[int] = ()
    ) -> Output:
        try:
            return await self._with_credential(repository, folder, words, limit, write=False, keep=keep)
        except GitFailed as error:
            raise _translated(error, NotSent) from error

    async def _with_credential(
        self,
        repository: Repository,
        folder: Path,
        words: Sequence[str],
        limit: timedelta,
        *,
        write: bool,
        ok: Sequence[int] = (0,),
        keep: Sequence[int] = (),
    ) -> Output:
        """Run git with the credential; renew it once when the forge does not take it."""
        secret = None
        for last in (False, True):
            async with AsyncExitStack() as stack:
                settings: dict[str, str] = {}
                descriptors = list(keep)
                if repository.clone_url.startswith(("http://", "https://")):
                    user, secret = await self._access(repository, write=write, refused=secret)
                    pipe = stack.enter_context(credential_pipe(repository.clone_url, user, secret))
                    settings |= pipe.settings
                    descriptors.append(pipe.descriptor)
                try:
                    return await self._git.run(
                        folder, *words, settings=settings, pass_fds=descriptors, timeout=limit, ok=ok
                    )
                except GitFailed as error:
                    if last or not _says(error, UNAUTHENTICATED):
                        raise
        raise AssertionError("unreachable: the second try returns or raises")


def _says(error: GitFailed, texts: Sequence[str]) -> bool:
    said = error.stderr.lower()
    return any(text in said for text in texts)


def _translated(error: GitFailed, otherwise: type[NotSent | OutcomeUnknown]) -> StagewrightError:
    """Make a failure of a remote command ours. ``otherwise``: what a loss in the middle means for this command."""
    if isinstance(error, GitTimedOut):
        return otherwise(f"git {error.verb}: {error.stderr}")
    status = re.search(r"returned error: (\d+)", error.stderr)
    if _says(error, UNAUTHENTICATED):
        return Unauthenticated(
            "the forge refused the stored credential for git; store a valid one that may read and write contents",
            code="forge.unauthenticated",
        )
    if status and status[1] == "429":
        return LimitReached("the forge limits git requests", code="forge.rate_limited", bucket="git")
    if status and status[1] == "403":
        return Denied("the stored credential may not do this in the repository", code="forge.permission_missing")
    if (status and status[1] in ("404", "410")) or _says(
        error, ("not found", "does not appear to be a git repository")
    ):
        return NotFound("the forge does not show the repository to the stored credential", code="forge.not_found")
    if _says(error, NEVER_LEFT):
        return NotSent(f"the forge could not be reached by git: {error.stderr}")
    return otherwise(f"git {error.verb} broke off: {error.stderr}")
