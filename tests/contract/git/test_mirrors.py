"""Mirrors: shared between processes, cleaned after a crash, tidied without losing anything."""

import fcntl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.git.conftest import Scene, a_repository
from tests.fakes.git_store import git, local_git_store

from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitBusy
from stagewright.adapters.git.locks import Locks
from stagewright.adapters.git.mirrors import Mirrors
from stagewright.adapters.git.remote import Remote

SOON = timedelta(milliseconds=200)


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Path]:
    """Return a folder of locks in which another process holds ``mirror``."""
    folder = tmp_path / "locks"
    folder.mkdir()
    with (folder / "mirror.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


async def test_a_lock_of_another_process_is_waited_for_and_then_reported(held: Path) -> None:
    with pytest.raises(GitBusy):
        async with Locks(held).hold("mirror", wait=SOON):
            raise AssertionError("never held")
    async with Locks(held).hold("another", wait=SOON):
        pass


async def test_a_lock_of_this_process_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    async with locks.hold("mirror", wait=SOON):
        with pytest.raises(GitBusy):
            async with locks.hold("mirror", wait=SOON):
                raise AssertionError("never held twice")
    async with locks.hold("mirror", wait=SOON):
        pass


async def test_what_a_killed_git_left_is_cleared_away(scene: Scene) -> None:
    await scene.store.make_source(scene.repository, base_sha=scene.base, refs={})
    mirror = scene.data / "mirrors" / f"{scene.repository.id}.git"
    left = [mirror / "packed-refs.lock", mirror / "refs" / "heads" / "main.lock", mirror / "objects/pack/tmp_pack_x"]
    for file in left:
        file.touch()
    newer = scene.work.commit("newer", x="x")
    scene.work.push(scene.bare, "main")
    await scene.store.make_source(scene.repository, base_sha=newer, refs={})
    assert [file for file in left if file.exists()] == []


async def test_packs_are_joined_when_there_are_many_and_nothing_is_lost(scene: Scene) -> None:
    tool = Git()
    mirrors = Mirrors(scene.data / "m", tool, Remote(tool, scene.access), Locks(scene.data / "l"), many_packs=3)
    made = [scene.base]
    path = await mirrors.hold(scene.repository, made)
    for number in range(5):
        git(scene.work.path, "checkout", "-q", "--orphan", f"line-{number}")
        made.append(scene.work.commit(f"line {number}", **{f"f{number}": str(number)}))
        scene.work.push(scene.bare, "main", force=True)
        path = await mirrors.hold(scene.repository, [made[-1]])
    assert len(list((path / "objects" / "pack").glob("*.pack"))) <= 4
    assert await mirrors.missing(path, made) == []
    git(path, "fsck", "--full", "--strict")


async def test_a_remote_in_a_folder_serves_a_whole_publication(scene: Scene, tmp_path: Path) -> None:
    store = local_git_store(tmp_path / "local")
    repository = a_repository(str(scene.bare))
    agent = scene.agent()
    agent.commit(mine="x")
    attempt, bundle = repository.id, agent.bundle(scene.base)
    found = await store.inspect(repository, attempt_id=attempt, base_sha=scene.base, bundle=bundle)
    commit = await store.commit(repository, attempt_id=attempt, spec=scene.spec(found.tree_sha))
    answer = await store.push(repository, attempt_id=attempt, commit=commit, branch="topic", expected_old=None)
    assert answer.outcome == "done"
    assert await store.heads(repository) == {"main": scene.base, "topic": commit}
