"""Quarantine: what is found in honest bundles, and how hostile ones are refused."""

import os
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from tests.contract.git import hostile
from tests.contract.git.conftest import Scene
from tests.fakes.git_store import WorkTree, git

from stagewright.adapters.git import GitStore
from stagewright.contexts.runs.model import ChangedPath, Inspection
from stagewright.kit.errors import Unavailable
from stagewright.kit.ids import uuid7


async def inspect(scene: Scene, bundle: bytes, *, merged: str | None = None, attempt: UUID | None = None) -> Inspection:
    """Inspect ``bundle`` against the scene's base."""
    return await scene.store.inspect(
        scene.repository, attempt_id=attempt or uuid7(), base_sha=scene.base, bundle=bundle, merged_base_sha=merged
    )


def by_path(found: Inspection) -> dict[bytes, ChangedPath]:
    """Return the changes by path."""
    assert found.problem is None
    return {item.path: item for item in found.changed}


async def test_an_honest_result_is_described_in_full(scene: Scene) -> None:
    agent = scene.agent()
    (agent.path / "src" / "app.py").unlink()
    agent.write("bin/run", "#!/bin/sh\n")
    (agent.path / "bin" / "run").chmod(0o755)
    (agent.path / "link").symlink_to("docs/guide.md")
    agent.commit(README_dot_md="shop, changed\n", src__new_dot_py="print('one')\n")
    found = await inspect(scene, agent.bundle(scene.base))
    changed = by_path(found)
    assert {path: (item.status, item.old_mode, item.new_mode) for path, item in changed.items()} == {
        b"README.md": ("M", "100644", "100644"),
        b"bin/run": ("A", "000000", "100755"),
        b"link": ("A", "000000", "120000"),
        b"src/app.py": ("D", "100644", "000000"),
        b"src/new.py": ("A", "000000", "100644"),
    }
    assert found.blob_sizes[changed[b"README.md"].new_sha] == len("shop, changed\n")
    assert found.symlinks == {b"link": b"docs/guide.md"}
    assert found.tree_paths == (b"README.md", b"bin/run", b"docs/guide.md", b"link", b"src/new.py")
    assert dict(found.added)["src/new.py"] == b"print('one')\n"
    assert found.tree_sha == git(agent.path, "rev-parse", "HEAD^{tree}")
    assert not found.uses_lfs


@pytest.mark.parametrize("verb", ["index-pack --stdin", "bundle verify"])
async def test_a_full_disk_of_ours_is_no_fault_of_the_result(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    agent = scene.agent()
    agent.commit(kept="yes")
    bundle = agent.bundle(scene.base)
    script = f"""#!/bin/sh
case "$*" in *"{verb}"*) echo "fatal: write error: No space left on device" >&2; exit 128;; esac
exec {shutil.which("git")} "$@"
"""
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(script)
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    store = GitStore(scene.data, scene.access)
    with pytest.raises(Unavailable, match="No space left"):
        await store.inspect(scene.repository, attempt_id=uuid7(), base_sha=scene.base, bundle=bundle)


async def test_intermediate_commits_do_not_count_only_the_last_tree_does(scene: Scene) -> None:
    agent = scene.agent()
    agent.commit(secret="in between")
    (agent.path / "secret").unlink()
    agent.commit(kept="yes")
    found = await inspect(scene, agent.bundle(scene.base))
    assert list(by_path(found)) == [b"kept"]
    assert b"in between" not in dict(found.added).values()


async def test_a_submodule_and_a_wide_range_of_names_are_reported(scene: Scene) -> None:
    agent = scene.agent()
    agent.write("имя с пробелом\n.txt", "x")
    git(agent.path, "add", "-A")
    git(agent.path, "update-index", "--add", "--cacheinfo", f"160000,{scene.base},sub")
    git(agent.path, "commit", "-q", "-m", "names")
    changed = by_path(await inspect(scene, agent.bundle(scene.base)))
    assert changed[b"sub"].new_mode == "160000"
    assert "имя с пробелом\n.txt".encode() in changed


async def test_lfs_counts_when_the_base_uses_it(scene: Scene) -> None:
    scene.base = scene.work.commit(assets___dot_gitattributes="*.bin filter=lfs diff=lfs -text\n")
    scene.work.push(scene.bare, "main")
    agent = scene.agent()
    agent.commit(file="x")
    assert (await inspect(scene, agent.bundle(scene.base))).uses_lfs


async def test_with_a_merged_base_only_paths_that_differ_from_both_parents_count(scene: Scene) -> None:
    start = scene.base
    newer = scene.work.commit("main goes on", src__app_dot_py="print('two')\n")
    scene.work.push(scene.bare, "main")
    agent = scene.agent()
    agent.commit(mine="x")
    git(agent.path, "fetch", "-q", str(scene.bare), "main")
    git(agent.path, "merge", "-q", "--no-edit", newer)
    bundle = agent.bundle(start)
    assert set(by_path(await inspect(scene, bundle))) == {b"mine", b"src/app.py"}
    assert set(by_path(await inspect(scene, bundle, merged=newer))) == {b"mine"}


async def test_a_merged_base_the_result_does_not_contain_is_refused(scene: Scene) -> None:
    newer = scene.work.commit("main goes on", other="x")
    scene.work.push(scene.bare, "main")
    agent = scene.agent()
    agent.commit(mine="x")
    found = await inspect(scene, agent.bundle(scene.base), merged=newer)
    assert found.problem is not None
    assert found.problem.startswith("ref_violation: the result does not contain the merged base")


@pytest.mark.parametrize("merged", ["ab" * 20, "HEAD", "--all"])
async def test_a_merged_base_that_is_no_commit_of_the_repository_is_the_results_fault(
    scene: Scene, merged: str
) -> None:
    agent = scene.agent()
    agent.commit(mine="x")
    found = await inspect(scene, agent.bundle(scene.base), merged=merged)
    assert found.problem is not None
    assert found.problem.startswith("ref_violation: the merged base is no commit of the repository")


async def test_a_symlink_with_an_endless_target_is_refused(scene: Scene) -> None:
    body = hostile.tree(("120000", b"link", hostile.object_id("blob", b"x" * 5000)))
    found = await inspect(scene, hostile.with_tree(scene.base, body, hostile.entry(3, b"x" * 5000)))
    assert found.problem is not None
    assert found.problem.startswith("tree_invalid: the target of symlink")


async def test_a_blob_too_large_for_a_result_is_measured_but_not_read(scene: Scene) -> None:
    agent = scene.agent()
    agent.commit(big=bytes(6 << 20))
    found = await inspect(scene, agent.bundle(scene.base))
    assert found.blob_sizes[by_path(found)[b"big"].new_sha] == 6 << 20
    assert found.added == ()


def two_refs(scene: Scene, agent: WorkTree) -> bytes:
    """Return a bundle that brings a second ref."""
    agent.commit(x="x")
    git(agent.path, "update-ref", "refs/stagewright/result", "HEAD")
    git(agent.path, "update-ref", "refs/heads/evil", "HEAD")
    return agent.bundle_of("refs/stagewright/result", "refs/heads/evil", f"^{scene.base}")


def other_ref(scene: Scene, agent: WorkTree) -> bytes:
    """Return a bundle under another name."""
    agent.commit(x="x")
    return agent.bundle(scene.base, ref="refs/heads/main2")


def no_prerequisite(_: Scene, agent: WorkTree) -> bytes:
    """Return a bundle with all of the history."""
    agent.commit(x="x")
    git(agent.path, "update-ref", "refs/stagewright/result", "HEAD")
    return agent.bundle_of("refs/stagewright/result")


def unknown_prerequisite(scene: Scene, agent: WorkTree) -> bytes:
    """Return a bundle that builds on a commit only the agent has, and claims the base too."""
    private = agent.commit(x="x")
    agent.commit(y="y")
    head, _, rest = agent.bundle(private).partition(b"\n")
    return head + f"\n-{scene.base} base\n".encode() + rest


def other_history(scene: Scene, agent: WorkTree) -> bytes:
    """Return a bundle whose commit has no parent, though the head of it names the base."""
    body = hostile.tree(("100644", b"x", hostile.object_id("blob", b"x")))
    top = hostile.commit(hostile.object_id("tree", body))
    entries = (hostile.entry(hostile.COMMIT, top), hostile.entry(hostile.TREE, body), hostile.entry(3, b"x"))
    return hostile.bundle(hostile.object_id("commit", top), scene.base, hostile.pack(*entries))


def truncated(scene: Scene, agent: WorkTree) -> bytes:
    """Return half a bundle."""
    agent.commit(x=bytes(range(256)) * 40)
    whole = agent.bundle(scene.base)
    return whole[: len(whole) - 40]


def flipped(scene: Scene, agent: WorkTree) -> bytes:
    """Return a bundle with a changed byte in its pack."""
    agent.commit(x=bytes(range(256)) * 40)
    whole = bytearray(agent.bundle(scene.base))
    whole[-60] ^= 0xFF
    return bytes(whole)


def not_a_bundle(_: Scene, __: WorkTree) -> bytes:
    """Return something else."""
    return b"PK\x03\x04 surely not a bundle"


def missing_blob(scene: Scene, _: WorkTree) -> bytes:
    """Return a bundle whose tree names a blob nobody has."""
    return hostile.with_tree(scene.base, hostile.tree(("100644", b"x", "12" * 20)))


def blob_as_result(scene: Scene, _: WorkTree) -> bytes:
    """Return a bundle whose result is a blob."""
    return hostile.bundle(hostile.object_id("blob", b"x"), scene.base, hostile.pack(hostile.entry(3, b"x")))


def filtered(scene: Scene, agent: WorkTree) -> bytes:
    """Return a version 3 bundle that says objects were left out."""
    agent.commit(x="x")
    _, _, rest = agent.bundle(scene.base).partition(b"\n")
    return b"# v3 git bundle\n@object-format=sha1\n@filter=blob:none\n" + rest


def entry_named(name: bytes) -> object:
    """Return a maker of a bundle whose tree has a file called ``name``."""

    def make(scene: Scene, _: WorkTree) -> bytes:
        body = hostile.tree(("100644", name, hostile.object_id("blob", b"x")))
        return hostile.with_tree(scene.base, body, hostile.entry(3, b"x"))

    return make


def duplicate_entries(scene: Scene, _: WorkTree) -> bytes:
    """Return a bundle whose tree has one name twice."""
    sha = hostile.object_id("blob", b"x")
    body = hostile.tree(("100644", b"x", sha), ("100644", b"x", sha))
    return hostile.with_tree(scene.base, body, hostile.entry(3, b"x"))


def too_many_objects(scene: Scene, _: WorkTree) -> bytes:
    """Return a bundle that declares 50,001 objects."""
    return hostile.bundle("ab" * 20, scene.base, hostile.pack(hostile.entry(3, b"x"), count=50_001))


def too_many_bytes(scene: Scene, _: WorkTree) -> bytes:
    """Return more than 64 MiB."""
    return hostile.bundle("ab" * 20, scene.base, hostile.pack()) + bytes(64 << 20)


def delta_bomb(scene: Scene, _: WorkTree) -> bytes:
    """Return 20 KB that unfold to 4 GiB."""
    return hostile.delta_bomb(scene.base)


def tree_bomb(scene: Scene, _: WorkTree) -> bytes:
    """Return a handful of trees with 10^12 paths."""
    return hostile.tree_bomb(scene.base, git(scene.work.path, "rev-parse", "HEAD:README.md"))


REFUSED = [
    (two_refs, "ref_violation: the bundle must bring exactly refs/stagewright/result"),
    (other_ref, "ref_violation: the bundle must bring exactly refs/stagewright/result; it brings refs/heads/main2"),
    (no_prerequisite, "ref_violation: the bundle does not build on the base"),
    (unknown_prerequisite, "ref_violation: git does not take the bundle"),
    (other_history, "ref_violation: the result does not descend from the base"),
    (truncated, "ref_violation: the bundle's pack is broken"),
    (flipped, "ref_violation: the bundle's pack is broken"),
    (not_a_bundle, "ref_violation: the bundle is malformed"),
    (missing_blob, "ref_violation: the bundle's pack is broken"),
    (blob_as_result, "ref_violation: refs/stagewright/result names"),
    (filtered, "ref_violation: the bundle is malformed"),
    (entry_named(b".git"), "tree_invalid: a tree of the bundle is malformed"),
    (entry_named(b".GIT"), "tree_invalid: a tree of the bundle is malformed"),
    (entry_named(b".."), "tree_invalid: a tree of the bundle is malformed"),
    (entry_named(b"a/b"), "tree_invalid: a tree of the bundle is malformed"),
    (duplicate_entries, "tree_invalid: a tree of the bundle is malformed"),
    (too_many_objects, "size_limit: the bundle has 50001 objects"),
    (too_many_bytes, "size_limit: the bundle has"),
    (delta_bomb, "size_limit:"),
    (tree_bomb, "tree_invalid: the tree"),
]


@pytest.mark.parametrize(("make", "problem"), REFUSED, ids=lambda part: getattr(part, "__name__", ""))
async def test_a_hostile_bundle_is_refused_with_a_code(scene: Scene, make: object, problem: str) -> None:
    assert callable(make)
    found = await inspect(scene, make(scene, scene.agent()))
    assert found.problem is not None
    assert found.problem.startswith(problem)
    assert (found.changed, found.tree_paths) == ((), ())
    assert str(scene.data) not in found.problem


async def test_a_second_inspection_starts_afresh(scene: Scene) -> None:
    agent = scene.agent()
    first = agent.commit(one="1")
    attempt = uuid7()
    await inspect(scene, agent.bundle(scene.base), attempt=attempt)
    git(agent.path, "reset", "-q", "--hard", scene.base)
    agent.commit(two="2")
    found = await inspect(scene, agent.bundle(scene.base), attempt=attempt)
    assert list(by_path(found)) == [b"two"]
    folder = scene.data / "quarantine" / f"{attempt}.git"
    assert git(folder, "cat-file", "--batch-check", stdin=f"{first}\n".encode()).endswith("missing")


async def test_a_quarantine_has_no_hooks_remotes_or_settings_of_others_and_goes_when_told(scene: Scene) -> None:
    agent = scene.agent()
    agent.commit(one="1")
    attempt = uuid7()
    bundle = agent.bundle(scene.base)
    await inspect(scene, bundle, attempt=attempt)
    folder = scene.data / "quarantine" / f"{attempt}.git"
    assert not (folder / "hooks").exists()
    assert "remote" not in (folder / "config").read_text()
    assert not (folder / "incoming.bundle").exists()
    await scene.store.forget(attempt)
    await scene.store.forget(attempt)
    assert list((scene.data / "quarantine").iterdir()) == []
    assert left_behind(scene.data) == []


def left_behind(data: Path) -> list[Path]:
    """Return lock files of attempts."""
    return list((data / "locks").glob("quarantine-*"))
