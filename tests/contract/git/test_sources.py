"""Source bundles over a real remote: whole, stable, resumable."""

import hashlib
import os
import time
from pathlib import Path

import pytest
from tests.contract.git.conftest import Scene
from tests.fakes.git_store import git

from stagewright.contexts.runs.errors import NotSent, SourceUnavailable
from stagewright.kit.errors import Invalid, NotFound, Unauthenticated

LINK = "refs/stagewright/link"


async def read(scene: Scene, refs: dict[str, str] | None = None, offset: int = 0) -> bytes:
    """Return the source from ``offset``."""
    pieces = scene.store.read_source(scene.repository, base_sha=scene.base, refs=refs or {}, offset=offset)
    return b"".join([piece async for piece in pieces])


async def test_heads_are_asked_from_the_remote(scene: Scene) -> None:
    scene.work.push(scene.bare, "topic/one")
    assert await scene.store.heads(scene.repository) == {"main": scene.base, "topic/one": scene.base}


async def test_a_source_holds_the_full_history_of_every_ref(scene: Scene, tmp_path: Path) -> None:
    link = scene.work.commit("on a branch", extra="x")
    scene.work.push(scene.bare, "stagewright/issue-1/dev")
    refs = {LINK: link, "refs/stagewright/prior/design": scene.base}
    size, sha256 = await scene.store.make_source(scene.repository, base_sha=scene.base, refs=refs)
    got = await read(scene, refs)
    assert (len(got), hashlib.sha256(got).hexdigest()) == (size, sha256)
    file = tmp_path / "source.bundle"
    file.write_bytes(got)
    git(tmp_path, "init", "-q", "--bare", "copy.git")
    git(tmp_path / "copy.git", "fetch", "-q", str(file), "+refs/stagewright/*:refs/stagewright/*")
    listed = git(tmp_path / "copy.git", "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert listed == [
        f"refs/stagewright/base {scene.base}",
        f"refs/stagewright/link {link}",
        f"refs/stagewright/prior/design {scene.base}",
    ]
    assert git(tmp_path / "copy.git", "rev-list", "--count", LINK) == "3"


async def test_a_source_continues_at_any_offset_with_the_same_bytes(scene: Scene) -> None:
    whole = await read(scene)
    assert await read(scene, offset=100) == whole[100:]
    assert await read(scene, offset=len(whole)) == b""
    with pytest.raises(Invalid, match="start again at 0"):
        await read(scene, offset=len(whole) + 1)


async def test_a_source_is_made_once_per_set_of_commits(scene: Scene) -> None:
    first = await scene.store.make_source(scene.repository, base_sha=scene.base, refs={})
    asked = len(scene.forge.behaviour.asked)
    assert await scene.store.make_source(scene.repository, base_sha=scene.base, refs={}) == first
    assert len(scene.forge.behaviour.asked) == asked


async def test_a_base_that_a_force_push_removed_is_still_delivered(scene: Scene) -> None:
    await scene.store.make_source(scene.repository, base_sha=scene.base, refs={})
    git(scene.work.path, "reset", "-q", "--hard", "HEAD~1")
    newer = scene.work.commit("other history", other="y")
    scene.work.push(scene.bare, "main", force=True)
    size, _ = await scene.store.make_source(scene.repository, base_sha=scene.base, refs={LINK: newer})
    assert size > 0


async def test_an_unknown_commit_is_an_unavailable_source(scene: Scene) -> None:
    with pytest.raises(SourceUnavailable, match="does not give commit"):
        await scene.store.make_source(scene.repository, base_sha="ab" * 20, refs={})


async def test_a_ref_that_no_source_has_is_refused(scene: Scene) -> None:
    with pytest.raises(Invalid, match="refs/heads/main"):
        await scene.store.make_source(scene.repository, base_sha=scene.base, refs={"refs/heads/main": scene.base})
    with pytest.raises(Invalid, match="40 lower-case hex digits"):
        await scene.store.make_source(scene.repository, base_sha="--upload-pack=x", refs={})


async def test_text_files_of_a_commit_are_read_and_other_things_left_out(scene: Scene) -> None:
    scene.work.write("docs/picture.png", b"\x89PNG\0")
    scene.work.write("docs/latin.txt", b"\xff\xfe")
    scene.work.write("docs/large.md", "x" * (1 << 20))
    (scene.work.path / "docs" / "link.md").symlink_to("/etc/passwd")
    sha = scene.work.commit("docs", **{"docs__*_dot_md": "star\n"})
    scene.work.push(scene.bare, "main")
    read_files = scene.store.read_files
    assert await read_files(scene.repository, sha, ["docs/", "README.md", "absent", "../x"]) == {
        "README.md": "shop\n",
        "docs/*.md": "star\n",
        "docs/guide.md": "guide\n",
    }
    assert await read_files(scene.repository, sha, ["docs/*.md"]) == {"docs/*.md": "star\n"}
    assert await read_files(scene.repository, sha, ["", ".."]) == {}


async def test_a_refused_credential_is_renewed_once(scene: Scene) -> None:
    scene.access.secret = "expired"
    assert "main" in await scene.store.heads(scene.repository)
    assert scene.access.asked == [(False, None), (False, "expired")]


async def test_a_credential_refused_twice_is_unauthenticated(scene: Scene) -> None:
    scene.access.secret = scene.access.renewed = "expired"
    with pytest.raises(Unauthenticated) as caught:
        await scene.store.heads(scene.repository)
    assert "expired" not in str(caught.value)


async def test_an_absent_repository_is_not_found(scene: Scene) -> None:
    scene.forge.behaviour.answers = {"/shop.git": 404}
    with pytest.raises(NotFound):
        await scene.store.heads(scene.repository)


async def test_a_remote_that_is_down_means_nothing_was_sent(scene: Scene) -> None:
    scene.forge.stop()
    with pytest.raises(NotSent):
        await scene.store.heads(scene.repository)


async def test_what_killed_makers_left_is_dropped_after_two_hours(scene: Scene) -> None:
    folder = scene.data / "sources" / str(scene.repository.id)
    folder.mkdir(parents=True)
    old, new = folder / "old.partial", folder / "new.partial"
    for path, hours in ((old, 3), (new, 1)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - hours * 3600,) * 2)
    await scene.store.make_source(scene.repository, base_sha=scene.base, refs={})
    assert (old.exists(), new.exists()) == (False, True)
