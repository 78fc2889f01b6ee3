"""The work tree the engine works in: made from the source bundle, and what the agent made of it as one commit."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from stagewright.processes.runner.git import Git, GitFailed, split_paths
from stagewright.wire.v1 import assignment_pb2

RESULT_REF = "refs/stagewright/result"
WIP_REF = "refs/stagewright/wip"
OWN_REFS = "refs/stagewright/"
SOURCE_REFS = "refs/stagewright/source/"
FALLBACK_BRANCH = "stagewright/work"
LOCAL_CONFIG = """
[user]
\tname = {name}
\temail = {email}
[core]
\thooksPath = /dev/null
\tfsmonitor = false
[commit]
\tgpgSign = false
[gc]
\tauto = 0
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole work tree as a commit. ``changed``: its tree is another than the start's."""

    commit: str
    tree: str
    head: str
    changed: bool


class WorkTree:
    """``<run dir>/repo``. Commits are made beside the agent's index and without any hook."""

    def __init__(self, git: Git, private: Path, assignment: assignment_pb2.Assignment) -> None:
        self._git = git
        self._private = private
        self._base = assignment.base_sha
        self.start = assignment.link_head_sha or assignment.base_sha
        self._branch = assignment.branch or FALLBACK_BRANCH
        self._identity = {
            "GIT_AUTHOR_NAME": assignment.committer_name or "Stagewright",
            "GIT_AUTHOR_EMAIL": assignment.committer_email or "stagewright@localhost",
            "GIT_COMMITTER_NAME": assignment.committer_name or "Stagewright",
            "GIT_COMMITTER_EMAIL": assignment.committer_email or "stagewright@localhost",
        }

    async def set_up(self, bundle: Path) -> None:
        """Make the repository from the bundle: branch at the start, prior stages as refs, no remote."""
        repo = self._git.repo
        repo.mkdir(mode=0o700)
        kind = "sha256" if len(self._base) == 64 else "sha1"
        await self._git.run("init", "--quiet", "--template=", f"--object-format={kind}", "--initial-branch=none")
        identity = {"name": self._identity["GIT_AUTHOR_NAME"], "email": self._identity["GIT_AUTHOR_EMAIL"]}
        quoted = {key: f'"{_escaped(value)}"' for key, value in identity.items()}
        with (repo / ".git" / "config").open("a", encoding="utf-8") as file:
            file.write(LOCAL_CONFIG.format(**quoted))
        await self._take_refs(await self._git.run("bundle", "unbundle", str(bundle)))
        for commit in {self._base, self.start}:
            await self._git.run("cat-file", "-e", f"{commit}^{{commit}}")
        await self._git.run("checkout", "--quiet", "--no-track", "-B", self._branch, self.start)

    async def restore(self, wip: Path) -> None:
        """Put work in progress back: the agent's commits stay commits, the rest is uncommitted again."""
        found = await self._git.run("bundle", "unbundle", str(wip))
        commits = [line.split()[0].decode() for line in found.splitlines() if line.endswith(WIP_REF.encode())]
        if len(commits) != 1:
            raise GitFailed(f"the work-in-progress bundle holds {len(commits)} of {WIP_REF}")
        await self._git.run("reset", "--quiet", "--hard", commits[0])
        await self._git.run("reset", "--quiet", "--mixed", f"{commits[0]}^")

    async def reset(self) -> None:
        """Go back to the start, as if nothing had been restored."""
        await self._git.run("checkout", "--quiet", "--force", "-B", self._branch, self.start)
        await self._git.run("clean", "--quiet", "-ffdx")

    async def snapshot(self, ref: str, message: str) -> Snapshot:
        """Commit tracked and untracked files that are not ignored, on top of the agent's own commits."""
        index = self._private / "index"
        own_index = self._git.repo / ".git" / "index"
        if own_index.is_file() and not own_index.is_symlink():
            shutil.copy2(own_index, index)  # with its time: git tells by it which entries may be stale unnoticed
        else:
            index.unlink(missing_ok=True)
        env = {**self._identity, "GIT_INDEX_FILE": str(index)}
        await self._git.run("add", "--all", "--", ".", env=env)
        tree = await self._git.line("write-tree", env=env)
        head = await self._head()
        commit = head
        if await self._tree_of(head) != tree or (ref == WIP_REF and head != self.start):
            commit = await self._git.line("commit-tree", tree, "-p", head, "-m", message, env=env)
        await self._git.run("update-ref", ref, commit)
        return Snapshot(commit, tree, head, changed=tree != await self._tree_of(self.start))

    async def bundle(self, ref: str) -> bytes:
        """Return a bundle with exactly ``ref``, the start being its prerequisite."""
        path = self._private / "out.bundle"
        known = {f"^{self.start}", f"^{self._base}"}
        await self._git.run("bundle", "create", "--quiet", str(path), ref, *sorted(known))
        try:
            return path.read_bytes()
        finally:
            path.unlink()

    async def changed_paths(self, commit: str) -> list[str]:
        """Return the paths that differ from the start, a rename as both of its paths."""
        listing = await self._git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", self.start, commit)
        return list(split_paths(listing))

    async def _take_refs(self, listing: bytes) -> None:
        """Name what the bundle brought: our refs as they are, others below one folder, out of the agent's way."""
        updates = []
        for line in listing.decode().splitlines():
            sha, _, ref = line.partition(" ")
            name = ref if ref.startswith(OWN_REFS) else SOURCE_REFS + ref.removeprefix("refs/")
            updates.append(f"create {name} {sha}\n")
        await self._git.run("update-ref", "--stdin", stdin="".join(updates).encode())

    async def _head(self) -> str:
        """Return where the agent stands, or the start when that does not descend from it."""
        try:
            head = await self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except GitFailed:
            return self.start
        return head if await self._git.holds("merge-base", "--is-ancestor", self.start, head) else self.start

    async def _tree_of(self, commit: str) -> str:
        return await self._git.line("rev-parse", "--verify", f"{commit}^{{tree}}")


def _escaped(value: str) -> str:
    plain = "".join(character for character in value if character.isprintable())
    return plain.replace("\\", "\\\\").replace('"', '\\"')
