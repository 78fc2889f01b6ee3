"""What intake reads from the forge before it decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stagewright.contexts.projects.api import Repository
from stagewright.contexts.workflow.api import DeclaredDeploy, DeclaredRuntime


@dataclass(frozen=True, slots=True)
class ForgeThread:
    """An Issue or pull request as it is now."""

    number: int
    is_pull_request: bool
    open: bool
    labels: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadAct:
    """One act on a thread, from its events: ``labeled``, ``unlabeled`` (both with the label), ``closed``."""

    action: str
    label: str | None
    at: datetime
    actor_type: str | None
    actor_login: str | None
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class UpdatedThreads:
    """Threads updated since a moment; ``unchanged`` when the forge answered that nothing is new."""

    threads: tuple[ForgeThread, ...]
    etag: str | None
    unchanged: bool


@dataclass(frozen=True, slots=True)
class ForgePull:
    """The half of a pull request that its thread does not show. ``closes``: Issues its text says it closes."""

    number: int
    open: bool
    merged: bool
    head_sha: str
    in_repository: bool
    labels: tuple[str, ...]
    updated_at: datetime
    branch: str
    base_branch: str
    url: str
    closes: tuple[int, ...]
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ForgeReview:
    """A review of a pull request. ``state``: approved, changes_requested, commented, dismissed; ``at``: when it was
    submitted."""

    state: str
    at: datetime
    author_type: str | None
    author_login: str | None
    author_id: int | None


@dataclass(frozen=True, slots=True)
class ForgeRemark:
    """A comment of a thread; ``at``: when it was written."""

    id: int
    body: str
    at: datetime
    author_type: str | None
    author_login: str | None
    author_id: int | None


class Stacks(Protocol):
    """What projects declare of their product in ``services.yaml`` on the default branch, and what could run it."""

    @property
    def cluster(self) -> bool:
        """Whether a cluster is configured."""
        ...

    async def runtime(self, repository: Repository) -> DeclaredRuntime | None:
        """Return the declared modes and environments, or None where there is no file."""
        ...

    async def deploy(self, repository: Repository) -> DeclaredDeploy | None:
        """Return what is declared of deploys of the default branch, or None as above."""
        ...


class ForgeThreads(Protocol):
    """Reads of a bound repository's threads with the stored credential."""

    async def thread(self, repository: Repository, number: int) -> ForgeThread | None:
        """Return the thread as it is now, or None when it is gone."""
        ...

    async def default_branch(self, repository: Repository) -> str:
        """Return the repository's default branch as it is now."""
        ...

    async def pull(self, repository: Repository, number: int) -> ForgePull | None:
        """Return the pull request as it is now, or None when it is gone."""
        ...

    async def reviews(self, repository: Repository, number: int) -> Sequence[ForgeReview]:
        """Return the submitted reviews of the pull request, oldest first."""
        ...

    async def remarks(self, repository: Repository, number: int, since: datetime) -> Sequence[ForgeRemark]:
        """Return the thread's comments written at or after ``since``, oldest first."""
        ...

    async def permission(self, repository: Repository, login: str) -> str:
        """Return ``none``, ``read``, ``triage``, ``write``, ``maintain`` or ``admin``."""
        ...

    async def acts(self, repository: Repository, number: int) -> Sequence[ThreadAct]:
        """Return what was done with the thread's labels and who closed it, oldest first."""
        ...

    async def updated_threads(self, repository: Repository, since: datetime | None, etag: str | None) -> UpdatedThreads:
        """Return open and closed threads updated at or after ``since`` (None: all open threads)."""
        ...
