"""The port ``GitStore``: mirrors, sources, quarantine, and the one commit that leaves it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from uuid import UUID

from stagewright.adapters.git.command import Caps, Git
from stagewright.adapters.git.examine import Examiner, ResultRefused
from stagewright.adapters.git.locks import Locks
from stagewright.adapters.git.mirrors import Mirrors, check_sha
from stagewright.adapters.git.objects import read_texts
from stagewright.adapters.git.publish import Publisher
from stagewright.adapters.git.quarantine import Quarantines
from stagewright.adapters.git.remote import GitAccess, Remote
from stagewright.adapters.git.sources import Sources
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import SourceUnavailable
from stagewright.contexts.runs.model import Inspection
from stagewright.contexts.runs.ports import CommitSpec, PushAnswer
from stagewright.kit.errors import Invalid

LOOK = timedelta(seconds=60)
CONFLICT = 1
UNRELATED = 1
KEPT_TEXTS = 16


class GitStore:
    """Everything git, under one folder that several processes may share.

    ``access`` gives the user name and password for a repository; only remotes of the given ``protocols`` are spoken to.
    """

    def __init__(self, data_dir: Path, access: GitAccess, *, protocols: Sequence[str] = ("https", "http")) -> None:
        data_dir = data_dir.absolute()
        self._git = Git(protocols=protocols)
        locks = Locks(data_dir / "locks")
        self._locks = locks
        self._remote = Remote(self._git, access)
        self._mirrors = Mirrors(data_dir / "mirrors", self._git, self._remote, locks)
        self._sources = Sources(data_dir / "sources", self._git, self._mirrors, locks)
        self._quarantines = Quarantines(data_dir / "quarantine", self._git, self._mirrors)
        self._publisher = Publisher(self._mirrors, self._remote)
        self._texts: dict[tuple[UUID, str, tuple[str, ...]], Mapping[str, str]] = {}  # a commit's files never change

    async def heads(self, repository: Repository) -> Mapping[str, str]:
        """Ask the remote for its branches now: name -> SHA."""
        mirror = await self._mirrors.open(repository)
        return (await self._remote.advertised(repository, mirror)).heads

    async def is_ancestor(self, repository: Repository, *, ancestor: str, descendant: str) -> bool:
        """Say whether ``ancestor`` is in the history of ``descendant``; both are fetched when needed."""
        mirror = await self._mirrors.hold(repository, (ancestor, descendant))
        return await self._mirrors.is_ancestor(mirror, ancestor, descendant)

    async def read_files(self, repository: Repository, sha: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Return the text files under ``paths`` (files or folders) at commit ``sha``; missing ones are left out."""
        key = (repository.id, sha, tuple(paths))
        if (known := self._texts.get(key)) is not None:
            return known
        mirror = await self._mirrors.hold(repository, [sha])
        found = self._texts[key] = await read_texts(self._git, mirror, sha, paths)
        while len(self._texts) > KEPT_TEXTS:
            self._texts.pop(next(iter(self._texts)))
        return found

    async def mirror(self, repository: Repository, sha: str) -> Path:
        """Return the folder of the mirror, which has the commit ``sha``: it is fetched when needed."""
        return await self._mirrors.hold(repository, [sha])

    async def make_source(self, repository: Repository, *, base_sha: str, refs: Mapping[str, str]) -> tuple[int, str]:
        """Make (or find) the bundle with the history of ``refs``. Return its bytes and SHA-256 (hex)."""
        source = await self._sources.make(repository, base_sha, refs)
        return source.size, source.sha256

    def read_source(
        self, repository: Repository, *, base_sha: str, refs: Mapping[str, str], offset: int
    ) -> AsyncIterator[bytes]:
        """Yield the bundle's bytes from ``offset`` in pieces of at most 1 MiB."""
        return self._sources.read(repository, base_sha, refs, offset)

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

        ``problem`` is ``<violation code>: <text>`` when the bundle itself is not taken; the rest is empty then.
        """
        mirror = await self._mirrors.hold(repository, [base_sha])
        async with self._locks.hold(f"quarantine-{attempt_id}"):
            try:
                await self._hold_merged(repository, merged_base_sha)
                result = await self._quarantines.open(mirror, attempt_id, base_sha, bundle)
                await self._check_merged(attempt_id, merged_base_sha, result)
                return await self._examiner(attempt_id).describe(base_sha, result, merged_base_sha)
            except ResultRefused as refusal:
                return _refused(refusal)

    async def examine(
        self,
        repository: Repository,
        *,
        attempt_id: UUID,
        base_sha: str,
        commit: str,
        merged_base_sha: str | None = None,
    ) -> Inspection:
        """Describe a commit that is in the attempt's quarantine, as ``inspect`` does."""
        await self._mirrors.hold(repository, [base_sha])
        try:
            return await self._examiner(attempt_id).describe(check_sha(base_sha), check_sha(commit), merged_base_sha)
        except ResultRefused as refusal:
            return _refused(refusal)

    async def commit(self, repository: Repository, *, attempt_id: UUID, spec: CommitSpec) -> str:
        """Write the platform's commit in the attempt's quarantine and return its SHA. Equal specs give equal SHAs."""
        folder = self._quarantines.existing(attempt_id)
        await self._mirrors.hold(repository, spec.parents)
        parents = [word for parent in spec.parents for word in ("-p", check_sha(parent))]
        who = {
            "NAME": _identity(spec.author_name, "author name"),
            "EMAIL": _identity(spec.author_email, "author e-mail"),
        }
        who["DATE"] = f"@{int(spec.at.astimezone(UTC).timestamp())} +0000"
        environment = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        message = spec.message.replace("\0", "").strip() + "\n"
        words = ("commit-tree", check_sha(spec.tree_sha), *parents, "-F", "-")
        return (await self._git.run(folder, *words, stdin=message.encode(), environment=environment)).text

    async def compare(self, repository: Repository, *, base_sha: str, head_sha: str, limit: int) -> str:
        """Return the unified diff from where ``head_sha`` left ``base_sha`` to ``head_sha``, cut at ``limit`` bytes.

        Renames are followed, as the forge shows a pull request.
        """
        base, head = check_sha(base_sha), check_sha(head_sha)
        mirror = await self._mirrors.hold(repository, [base, head])
        left = await self._git.run(mirror, "merge-base", base, head, timeout=LOOK, ok=(0, UNRELATED))
        words = ("diff-tree", "-p", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index")
        trees = (left.text.split()[0] if left.text else base, head)
        output = await self._git.run(mirror, *words, *trees, "--", timeout=LOOK, most=limit, caps=Caps())
        return output.out.decode("utf-8", "replace")

    async def diff(self, repository: Repository, *, attempt_id: UUID, base_sha: str, limit: int) -> str:
        """Return the unified diff of the quarantined tree against ``base_sha``, cut at ``limit`` bytes."""
        folder = self._quarantines.existing(attempt_id)
        words = ("diff-tree", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index")
        trees = (check_sha(base_sha), "refs/stagewright/result")
        output = await self._git.run(folder, *words, *trees, "--", timeout=LOOK, most=limit, caps=Caps())
        return output.out.decode("utf-8", "replace")

    async def merge_onto(
        self, repository: Repository, *, attempt_id: UUID, commit: str, onto: str, spec: CommitSpec
    ) -> str | None:
        """Merge the attempt's commit with the remote's ``onto``. Return the new commit's SHA, or None on conflict.

        The new commit has the merged tree; ``onto`` takes the place of the first parent of ``spec``.
        """
        folder = self._quarantines.existing(attempt_id)
        await self._mirrors.hold(repository, [onto])
        words = ("merge-tree", "--write-tree", "--no-messages", check_sha(onto), check_sha(commit))
        merged = await self._git.run(folder, *words, timeout=LOOK, caps=Caps(), ok=(0, CONFLICT))
        if merged.code == CONFLICT:
            return None
        on_top = CommitSpec(
            tree_sha=merged.text,
            parents=(onto, *spec.parents[1:]),
            author_name=spec.author_name,
            author_email=spec.author_email,
            message=spec.message,
            at=spec.at,
        )
        return await self.commit(repository, attempt_id=attempt_id, spec=on_top)

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

        The default branch is refused unless ``direct``. Raises ``OutcomeUnknown`` when the push may have happened;
        ``heads`` tells.
        """
        folder = self._quarantines.existing(attempt_id)
        return await self._publisher.push(repository, folder, commit, branch, expected_old, direct=direct)

    async def forget(self, attempt_id: UUID) -> None:
        """Remove the attempt's quarantine."""
        async with self._locks.hold(f"quarantine-{attempt_id}"):
            await self._quarantines.forget(attempt_id)
        await asyncio.to_thread(self._locks.forget, f"quarantine-{attempt_id}")

    def _examiner(self, attempt_id: UUID) -> Examiner:
        return Examiner(self._git, self._quarantines.existing(attempt_id))

    async def _hold_merged(self, repository: Repository, merged_base_sha: str | None) -> None:
        """Fetch the second parent that a report names; a made-up one is the report's fault, not the remote's."""
        try:
            await self._mirrors.hold(repository, [merged_base_sha] if merged_base_sha else [])
        except (Invalid, SourceUnavailable) as error:
            raise ResultRefused("ref_violation", f"the merged base is no commit of the repository: {error}") from error

    async def _check_merged(self, attempt_id: UUID, merged_base_sha: str | None, result: str) -> None:
        folder = self._quarantines.existing(attempt_id)
        if merged_base_sha and not await self._mirrors.is_ancestor(folder, merged_base_sha, result):
            raise ResultRefused("ref_violation", f"the result does not contain the merged base {merged_base_sha}")


def _refused(refusal: ResultRefused) -> Inspection:
    return Inspection(
        problem=str(refusal),
        tree_sha="",
        changed=(),
        blob_sizes={},
        symlinks={},
        tree_paths=(),
        added=(),
        uses_lfs=False,
    )


def _identity(text: str, what: str) -> str:
    """Return ``text`` as git would write it into a commit. Raises ``Invalid`` when nothing would be left."""
    clean = "".join(letter for letter in text if letter.isprintable() and letter not in "<>").strip(" .,:;\"'\\")
    if not clean:
        raise Invalid(f"the {what} of the commit is empty; set the bot's commit name and address")
    return clean
