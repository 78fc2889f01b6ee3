"""What runs ask of the outside: the forge, git, the place where workloads execute."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from stagewright.contexts.deploys.api import FileSource
from stagewright.contexts.projects.api import Repository
from stagewright.contexts.runs.model import ChangedPath, Inspection

__all__ = ["ChangedPath", "Inspection"]


class WorkloadState(StrEnum):
    """What is seen of a workload. ``finished``: its exit was seen."""

    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """Everything a workload gets. ``tokens`` maps ``run``, ``tools``, ``model`` to token texts."""

    name: str
    run_id: UUID
    attempt_id: UUID
    generation: int
    labels: Mapping[str, str]
    controlplane_url: str
    tokens: Mapping[str, str]
    deadline: datetime
    run_dir_key: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at a workload."""

    state: WorkloadState
    exit_code: int | None = None
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Workloads(Protocol):
    """Where attempts execute."""

    async def launch(self, spec: WorkloadSpec) -> None:
        """Start the workload. Idempotent by name for the same attempt; another attempt's name is a conflict."""
        ...

    async def observe(self, name: str) -> Observed:
        """Look at the workload; ``absent`` when there is none of ours."""
        ...

    async def stop(self, name: str, *, grace: timedelta) -> None:
        """Ask it to stop, kill it after ``grace``. Returns when asked, not when gone."""
        ...

    async def delete(self, name: str) -> None:
        """Kill what is left and forget it. Idempotent."""
        ...

    async def list_names(self) -> Sequence[str]:
        """Return the names of all our workloads here."""
        ...

    async def tail(self, name: str, lines: int) -> str:
        """Return the workload's last output lines."""
        ...


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who the platform is on the forge and in commits."""

    login: str
    user_id: int | None
    commit_email: str


@dataclass(frozen=True, slots=True)
class ForgeComment:
    """A comment of a thread."""

    id: int
    url: str
    body: str
    author: str
    author_id: int | None
    author_type: str
    association: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ForgeRemarks:
    """Comments that stand at one place of a pull request's diff, oldest first. ``line`` is of the newer side; None
    where the comment is about the file."""

    path: str
    line: int | None
    comments: tuple[ForgeComment, ...]


@dataclass(frozen=True, slots=True)
class ForgeFeedback:
    """What people said in reviews of a pull request: the texts of the reviews, and the remarks in its diff that still
    stand at a line of it."""

    reviews: tuple[ForgeComment, ...] = ()
    remarks: tuple[ForgeRemarks, ...] = ()


@dataclass(frozen=True, slots=True)
class NewRemark:
    """A remark to post at a line of the newer side of a pull request's diff."""

    path: str
    line: int
    body: str


@dataclass(frozen=True, slots=True)
class ForgeIssue:
    """An Issue with its text, as the prompt needs it."""

    number: int
    title: str
    body: str
    author: str
    association: str
    url: str
    open: bool
    is_pull_request: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForgePullRequest:
    """A pull request as it is now."""

    number: int
    url: str
    state: str
    merged: bool
    draft: bool
    title: str
    body: str
    head_branch: str
    head_sha: str
    head_in_repository: bool
    base_branch: str
    labels: tuple[str, ...]
    author: str = ""
    association: str = ""


@dataclass(frozen=True, slots=True)
class ForgeLabel:
    """A label of a repository. ``color`` has no leading ``#``."""

    name: str
    color: str
    description: str


@dataclass(frozen=True, slots=True)
class RateReading:
    """What the last answers said of the limit of one bucket."""

    bucket: str
    remaining: int | None
    limit: int | None
    reset_at: datetime | None


@dataclass(frozen=True, slots=True)
class Quota:
    """Whose limits a repository's requests draw on with the credential of one purpose, and what its answers said.

    Repositories with an equal ``installation`` share its limits; ``readings`` has at most one per bucket.
    """

    purpose: str
    installation: str
    readings: tuple[RateReading, ...]


class Forge(Protocol):
    """Acts and reads on a bound repository with the stored credential.

    Errors: ``NotFound`` (404, 410), ``Denied`` (403 without limit signs), ``Invalid`` (422), ``Unauthenticated`` (401),
    ``LimitReached`` with ``retry_after`` (429, primary or secondary limit: nothing happened), ``NotSent`` (connection
    refused, 503 before processing: nothing happened), ``OutcomeUnknown`` (timeout, connection lost, other 5xx after
    sending). ``LimitReached`` and ``Unauthenticated`` name the ``installation`` and the ``purpose`` of the credential
    in their params, ``LimitReached`` the ``bucket`` too.
    """

    async def bot(self, repository: Repository) -> BotIdentity: ...
    async def issue(self, repository: Repository, number: int) -> ForgeIssue: ...
    async def comments(self, repository: Repository, number: int) -> Sequence[ForgeComment]: ...
    async def feedback(self, repository: Repository, number: int) -> ForgeFeedback: ...
    async def create_comment(self, repository: Repository, number: int, body: str) -> ForgeComment: ...
    async def update_comment(self, repository: Repository, comment_id: int, body: str) -> ForgeComment: ...
    async def delete_comment(self, repository: Repository, comment_id: int) -> None: ...
    async def labels_of(self, repository: Repository, number: int) -> Sequence[str]: ...
    async def add_label(self, repository: Repository, number: int, label: str) -> None: ...
    async def remove_label(self, repository: Repository, number: int, label: str) -> None: ...
    async def repository_labels(self, repository: Repository) -> Sequence[ForgeLabel]: ...
    async def create_label(self, repository: Repository, label: ForgeLabel) -> None: ...
    async def update_label(self, repository: Repository, name: str, label: ForgeLabel) -> None: ...
    async def own_reactions(self, repository: Repository, number: int) -> Sequence[str]: ...
    async def own_comment_reactions(self, repository: Repository, comment_id: int) -> Sequence[str]:
        """Return what the bot reacted with on a comment of a thread."""
        ...

    async def add_comment_reaction(self, repository: Repository, comment_id: int, reaction: str) -> None:
        """React to a comment of a thread; the same reaction again is success."""
        ...

    async def add_reaction(self, repository: Repository, number: int, reaction: str) -> None: ...
    async def default_branch(self, repository: Repository) -> str: ...
    async def pull_request(self, repository: Repository, number: int) -> ForgePullRequest: ...
    async def pull_requests_by_head(self, repository: Repository, branch: str) -> Sequence[ForgePullRequest]: ...
    async def open_pull_request(
        self, repository: Repository, *, title: str, body: str, head: str, base: str, draft: bool
    ) -> ForgePullRequest: ...
    async def update_pull_request(
        self, repository: Repository, number: int, *, title: str | None, body: str
    ) -> ForgePullRequest: ...
    async def post_review(
        self, repository: Repository, number: int, *, commit_sha: str, body: str, remarks: Sequence[NewRemark]
    ) -> ForgeComment:
        """Post one review of type comment. ``Invalid`` when a remark stands outside the diff: nothing is posted."""
        ...

    async def rate(self, repository: Repository) -> Sequence[Quota]:
        """Return one quota per purpose (bot, management), each credential's for itself."""
        ...


@dataclass(frozen=True, slots=True)
class CommitSpec:
    """The one commit the platform writes for a run. Equal specs give equal SHAs."""

    tree_sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """How a push ended: ``done``, ``moved`` (the remote has another SHA; ``remote_sha`` says which) or ``refused``."""

    outcome: str
    remote_sha: str | None = None
    detail: str = ""


class Trees(Protocol):
    """The files of commits of bound repositories, as the stack engine reads them."""

    def tree(self, repository: Repository, sha: str) -> AbstractAsyncContextManager[FileSource]:
        """Open the files at commit ``sha``, which is fetched when needed. Reading them blocks: do it in a thread."""
        ...


class GitStore(Protocol):
    """The worker's and control plane's mirrors, source bundles and quarantine. Git never runs in an agent's tree."""

    async def heads(self, repository: Repository) -> Mapping[str, str]:
        """Ask the remote for its branches now: name -> SHA."""
        ...

    async def read_files(self, repository: Repository, sha: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Return the text files under ``paths`` (files or folders) at commit ``sha``; missing ones are left out.

        At most 200 files and 1 MiB in all; other files and binary ones are left out.
        """
        ...

    async def make_source(self, repository: Repository, *, base_sha: str, refs: Mapping[str, str]) -> tuple[int, str]:
        """Make (or find) the bundle with the history of ``refs`` (ref name -> SHA). Return bytes and SHA-256 (hex)."""
        ...

    def read_source(
        self, repository: Repository, *, base_sha: str, refs: Mapping[str, str], offset: int
    ) -> AsyncIterator[bytes]:
        """Yield the bundle's bytes from ``offset`` in pieces of at most 1 MiB."""
        ...

    async def is_ancestor(self, repository: Repository, *, ancestor: str, descendant: str) -> bool:
        """Say whether ``ancestor`` is in the history of ``descendant``; both are fetched when needed."""
        ...

    async def inspect(
        self,
        repository: Repository,
        *,
        attempt_id: UUID,
        base_sha: str,
        bundle: bytes,
        merged_base_sha: str | None = None,
    ) -> Inspection:
        """Put a result bundle into a fresh quarantine, check it and describe what it changes against ``base_sha``.

        With ``merged_base_sha`` (the second parent) only paths that differ from both parents count as changed.
        ``problem`` is ``<violation code>: <text>`` when the bundle itself is not taken; the rest is empty then.
        """
        ...

    async def examine(
        self,
        repository: Repository,
        *,
        attempt_id: UUID,
        base_sha: str,
        commit: str,
        merged_base_sha: str | None = None,
    ) -> Inspection:
        """Describe a commit that is in the attempt's quarantine (after ``merge_onto``), as ``inspect`` does."""
        ...

    async def commit(self, repository: Repository, *, attempt_id: UUID, spec: CommitSpec) -> str:
        """Write the platform's commit in the attempt's quarantine and return its SHA."""
        ...

    async def compare(self, repository: Repository, *, base_sha: str, head_sha: str, limit: int) -> str:
        """Return the unified diff from where ``head_sha`` left ``base_sha`` to ``head_sha``, cut at ``limit`` bytes.

        Renames are followed, as the forge shows a pull request.
        """
        ...

    async def diff(self, repository: Repository, *, attempt_id: UUID, base_sha: str, limit: int) -> str:
        """Return the unified diff of the quarantined tree against ``base_sha``, cut at ``limit`` bytes."""
        ...

    async def merge_onto(
        self, repository: Repository, *, attempt_id: UUID, commit: str, onto: str, spec: CommitSpec
    ) -> str | None:
        """Merge the attempt's commit with the remote's ``onto``. Return the new commit's SHA, or None on conflict."""
        ...

    async def push(
        self,
        repository: Repository,
        *,
        attempt_id: UUID,
        commit: str,
        branch: str,
        expected_old: str | None,
        direct: bool = False,
    ) -> PushAnswer:
        """Push exactly ``commit`` to ``branch`` if the remote still has ``expected_old`` (None: no such branch).

        The default branch is refused unless ``direct`` says that it is meant.
        """
        ...

    async def forget(self, attempt_id: UUID) -> None:
        """Remove the attempt's quarantine."""
        ...
