"""A remote on loopback, a repository bound to it, and the store under test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.contract.git.smart_http import SmartHttp
from tests.fakes.git_store import WorkTree, bare_remote, git

from stagewright.adapters.git import GitStore
from stagewright.contexts.projects.model import Binding, ProjectId, Repository, RepositoryId, RepositoryState
from stagewright.contexts.runs import ports
from stagewright.contexts.runs.ports import CommitSpec
from stagewright.kit.ids import uuid7

TOKEN = "canary-forge-token-6b1f"


def a_repository(clone_url: str, default_branch: str = "main") -> Repository:
    """Return a bound repository."""
    return Repository(
        id=RepositoryId(uuid7()),
        project_id=ProjectId(uuid7()),
        api_url="http://127.0.0.1/api",
        web_url="http://127.0.0.1/acme/shop",
        clone_url=clone_url,
        full_name="acme/shop",
        forge_repository_id=1,
        default_branch=default_branch,
        binding=Binding.TOKEN,
        state=RepositoryState.ENABLED,
        health="ok",
        bound_at=datetime(2026, 1, 1, tzinfo=UTC),
        scan_cursor=None,
        scan_etag=None,
        scanned_at=None,
        fully_scanned_at=None,
        version=1,
    )


@dataclass
class Access:
    """Gives the credential and remembers what it was asked for."""

    secret: str = TOKEN
    renewed: str = TOKEN
    asked: list[tuple[bool, str | None]] = field(default_factory=list)

    async def __call__(self, repository: Repository, *, write: bool, refused: str | None) -> tuple[str, str]:
        """Return user name and password."""
        self.asked.append((write, refused))
        return "x-access-token", self.secret if refused is None else self.renewed


@dataclass
class Scene:
    """Everything a git test moves."""

    forge: SmartHttp
    bare: Path
    work: WorkTree
    repository: Repository
    access: Access
    store: GitStore
    data: Path
    base: str

    def agent(self, name: str = "agent") -> WorkTree:
        """Return an agent's tree that starts at the base."""
        tree = WorkTree(self.bare.parent.parent / name)
        tree.checkout(self.bare, self.base)
        return tree

    def spec(self, tree_sha: str, *parents: str, message: str = "Change the shop") -> CommitSpec:
        """Return the platform's commit of ``tree_sha``."""
        at = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
        return CommitSpec(tree_sha, parents or (self.base,), "dev", "bot@stagewright.test", message, at)

    def remote_has(self, sha: str) -> bool:
        """Say whether any object ``sha`` is in the remote's store."""
        answer = git(self.bare, "cat-file", "--batch-check", stdin=f"{sha}\n".encode())
        return not answer.endswith("missing")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Return a remote with two commits on its default branch, and a store that knows nothing of it yet."""
    bare = bare_remote(tmp_path / "served" / "shop.git")
    work = WorkTree(tmp_path / "person")
    work.commit("first", README_dot_md="shop\n", src__app_dot_py="print('one')\n")
    base = work.commit("second", docs__guide_dot_md="guide\n")
    work.push(bare, "main")
    forge = SmartHttp(bare.parent)
    forge.behaviour.tokens = {TOKEN}
    access = Access()
    store = GitStore(tmp_path / "data", access)
    try:
        yield Scene(forge, bare, work, a_repository(f"{forge.url}/shop.git"), access, store, tmp_path / "data", base)
    finally:
        forge.stop()


def satisfies_the_port(store: GitStore) -> ports.GitStore:
    """Let the type checker hold the adapter against its port."""
    return store
