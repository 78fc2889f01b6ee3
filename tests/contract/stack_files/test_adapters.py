"""What only files on disk and git can do to a source: changes, devices, exchanged folders, broken repositories."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.stack_files.conftest import commit, write
from tests.fakes.git_store import git
from tests.fakes.stack_files import Content, Device, blob_id

from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.stack_files import GitTreeFiles, WorkTreeFiles
from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import Entry, EntryKind, FileSource, Repositories
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.loading import load
from stagewright.kit.errors import Invalid

STACK: dict[str, Content] = {
    "services.yaml": (
        "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStack\nmetadata: {name: shop}\n"
        "spec: {imports: ['deploy/*.yaml'], project: shop}\n"
    ),
    "deploy/a.yaml": (
        "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStackFragment\nspec: {services: [{name: ä}], x: {{ y }}}\n"
    ),
}


def test_a_work_tree_shows_what_lies_there_now(tmp_path: Path) -> None:
    commit(tmp_path, {"a": "1", "b": "2", "c": "3", ".gitignore": "*.log\n"})
    write(tmp_path, {"a": "changed", "new": "n", "x.log": "ignored"})
    (tmp_path / "b").unlink()
    source = WorkTreeFiles(tmp_path)
    assert source.identity == "worktree"
    assert source.read("a", most=10).data == b"changed"
    assert source.stat("b") is None
    assert source.stat("x.log") is None, "git would not see it either"
    assert source.glob("*") == [".gitignore", "a", "c", "new"]
    tracked = {file.path: file.blob_id for file in source.tracked("")}
    assert tracked == {".gitignore": blob_id(b"*.log\n"), "a": blob_id(b"changed"), "c": blob_id(b"3")}


def test_a_device_is_no_file_and_never_opened(tmp_path: Path) -> None:
    write(tmp_path, {"pipe": Device(), "a": "1"})
    source = WorkTreeFiles(tmp_path)
    assert source.stat("pipe") == Entry(EntryKind.OTHER)
    assert source.glob("*") == ["a"]
    assert [file.path for file in source.tracked("")] == ["a"]
    with pytest.raises(Invalid, match="no regular file"):
        source.read("pipe", most=10)


def test_a_folder_exchanged_for_a_link_does_not_lead_out(tmp_path: Path) -> None:
    write(tmp_path / "outside", {"secret.yaml": "s"})
    root = tmp_path / "shop"
    commit(root, {"deploy/secret.yaml": "mine", ".gitignore": "deploy\n"})
    source = WorkTreeFiles(root)
    (root / "deploy").rename(root / "old")
    (root / "deploy").symlink_to(tmp_path / "outside")
    assert source.stat("deploy/secret.yaml") is None
    with pytest.raises(Invalid):
        source.read("deploy/secret.yaml", most=10)


def test_a_file_that_turns_into_a_link_is_not_followed_out(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "s", "shop/a": "1"})
    source = WorkTreeFiles(tmp_path / "shop")
    (tmp_path / "shop" / "a").unlink()
    (tmp_path / "shop" / "a").symlink_to("../secret")
    assert source.stat("a") == Entry(EntryKind.OUTSIDE)
    with pytest.raises(Invalid):
        source.read("a", most=10)


def test_a_repository_cannot_make_git_run_anything(tmp_path: Path) -> None:
    sha = commit(tmp_path, {"a": "1"})
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)
    for key in ("core.fsmonitor", "core.hooksPath", "core.pager", "core.sshCommand", "filter.x.clean"):
        git(tmp_path, "config", key, str(spy))
    (tmp_path / ".gitattributes").write_text("* filter=x\n")
    (tmp_path / "a").write_text("2")
    assert [file.path for file in WorkTreeFiles(tmp_path).tracked("")] == ["a"]
    with GitTreeFiles(tmp_path, sha) as source:
        assert source.read("a", most=10).data == b"1"
    assert not (tmp_path / "ran").exists()


def test_names_that_are_not_utf8_are_only_listed_as_tracked(tmp_path: Path) -> None:
    tmp_path.joinpath("a").write_text("1")
    with open(os.path.join(os.fsencode(tmp_path), b"b\xff"), "wb") as file:
        file.write(b"2")
    sha = commit(tmp_path, {})
    with GitTreeFiles(tmp_path, sha) as of_commit:
        for source in (of_commit, WorkTreeFiles(tmp_path)):
            assert source.glob("*") == ["a"]
            assert [file.path for file in source.tracked("")] == ["a", "b\\xff"]


def test_a_submodule_is_neither_file_nor_tracked(tmp_path: Path) -> None:
    commit(tmp_path, {"a": "1"})
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(tmp_path, "commit", "-q", "-m", "sub")
    with GitTreeFiles(tmp_path, git(tmp_path, "rev-parse", "HEAD")) as source:
        assert source.stat("sub") == Entry(EntryKind.OTHER)
        assert source.glob("*") == ["a"]
        assert [file.path for file in source.tracked("")] == ["a"]


def test_a_commit_is_named_in_full_and_must_be_there(tmp_path: Path) -> None:
    commit(tmp_path, {"a": "1"})
    for name in ("HEAD", "main", "--help", "abc123"):
        with pytest.raises(Invalid, match="no full commit id"):
            GitTreeFiles(tmp_path, name)
    with pytest.raises(GitFailed):
        GitTreeFiles(tmp_path, "1" * 40)


def test_a_lost_object_is_told_and_the_source_goes_on(tmp_path: Path) -> None:
    sha = commit(tmp_path, {"a": "1", "b": "2"})
    lost = blob_id(b"1")
    (tmp_path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with GitTreeFiles(tmp_path, sha) as source:
        with pytest.raises(GitFailed, match="is missing"):
            source.read("a", most=10)
        assert source.read("b", most=10).data == b"2"


def test_a_git_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin" / "git"
    write(tmp_path, {"bin/git": "#!/bin/sh\nexec sleep 60\n", "shop/a": "1"})
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    with pytest.raises(GitFailed, match="took longer than"):
        GitTreeFiles(tmp_path / "shop", "1" * 40, patience=timedelta(milliseconds=200))


def test_a_work_tree_whose_git_is_broken_is_told(tmp_path: Path) -> None:
    commit(tmp_path, {"a": "1"})
    (tmp_path / ".git" / "index").write_bytes(b"broken")
    with pytest.raises(GitFailed, match="index"):
        WorkTreeFiles(tmp_path)


def test_without_git_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="cannot be started"):
        WorkTreeFiles(tmp_path)


def test_what_is_no_file_cannot_be_read(tmp_path: Path) -> None:
    sha = commit(tmp_path, {"d/a": "1"})
    with GitTreeFiles(tmp_path, sha) as source:
        for path in ("d", "missing"):
            with pytest.raises(Invalid, match="no file"):
                source.read(path, most=1)
    with pytest.raises(Invalid):
        WorkTreeFiles(tmp_path).read("missing", most=1)


def test_a_git_that_dies_is_told(tmp_path: Path) -> None:
    sha = commit(tmp_path, {"a": "1", "b": "2"})
    with GitTreeFiles(tmp_path, sha) as source:
        assert source.read("a", most=10).data == b"1"
        assert source._batch is not None
        source._batch._process.kill()
        with pytest.raises(GitFailed):
            source.read("b", most=10)
        assert source.read("b", most=10).data == b"2", "the next read starts another git"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no folder"):
        WorkTreeFiles(tmp_path / "missing")


def test_a_commit_and_its_work_tree_give_equal_stacks(tmp_path: Path) -> None:
    sha = commit(tmp_path, STACK)

    def told(source: FileSource) -> tuple[object, object, object]:
        found = Findings()
        result = load(Repositories(root="main", sources={"main": source}), found)
        assert result is not None
        return plain(result.tree), result.files, found.sorted()

    with GitTreeFiles(tmp_path, sha) as source:
        assert told(source) == told(WorkTreeFiles(tmp_path))
