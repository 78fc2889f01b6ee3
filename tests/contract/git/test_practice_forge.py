"""The git adapter and the GitHub adapter's credentials together, against the practice forge."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.git.conftest import Scene
from tests.contract.github.peers import PracticePeer
from tests.fakes.devforge import RunningForge, devforge
from tests.fakes.git_store import WorkTree, git

from stagewright.adapters.git import GitStore
from stagewright.adapters.github import Reach, open_http
from stagewright.contexts.runs.ports import CommitSpec
from stagewright.kit.errors import Unauthenticated
from stagewright.kit.ids import uuid7

__all__ = ["devforge"]


async def test_a_result_goes_from_a_bundle_to_a_pull_request(
    devforge: RunningForge, tmp_path: Path, scene: Scene
) -> None:
    async with open_http(Reach(loopback=True)) as http:
        peer = PracticePeer(http, devforge)
        repository = replace(peer.repository, clone_url=peer.planted.clone_url)
        store = GitStore(tmp_path / "practice", peer.adapter.access.git_credential)
        base = (await store.heads(repository))["main"]
        source = b"".join([piece async for piece in store.read_source(repository, base_sha=base, refs={}, offset=0)])
        agent = agent_with(tmp_path, source, base)
        agent.commit(hello_dot_txt="hello\n")
        attempt = uuid7()
        found = await store.inspect(repository, attempt_id=attempt, base_sha=base, bundle=agent.bundle(base))
        assert [item.path for item in found.changed] == [b"hello.txt"]
        spec = CommitSpec(found.tree_sha, (base,), "dev", "bot@stagewright.test", "Say hello", scene.spec("").at)
        commit = await store.commit(repository, attempt_id=attempt, spec=spec)
        pushed = await store.push(repository, attempt_id=attempt, commit=commit, branch="topic", expected_old=None)
        assert pushed.outcome == "done"
        pull = await peer.forge.open_pull_request(
            repository, title="hello", body="text", head="topic", base="main", draft=False
        )
        assert pull.head_sha == commit
        await assert_refused_without_a_token(peer, store, repository.clone_url)
        peer.api.close()


async def assert_refused_without_a_token(peer: PracticePeer, store: GitStore, clone_url: str) -> None:
    """A revoked token is no longer taken, and its text is not in the error."""
    peer.running.control.ask("POST", "/tokens/revoke", {"token": peer.token})
    private = peer.running.plant(private=True)
    repository = replace(peer.repository, clone_url=private.clone_url)
    assert repository.clone_url != clone_url
    with pytest.raises(Unauthenticated) as caught:
        await store.heads(repository)
    assert peer.token not in str(caught.value)


def agent_with(tmp_path: Path, source: bytes, base: str) -> WorkTree:
    """Return an agent's tree made from a source bundle."""
    file = tmp_path / "source.bundle"
    file.write_bytes(source)
    agent = WorkTree(tmp_path / "agent-of-practice")
    git(agent.path, "fetch", "-q", str(file), "refs/stagewright/base")
    git(agent.path, "reset", "-q", "--hard", base)
    return agent
