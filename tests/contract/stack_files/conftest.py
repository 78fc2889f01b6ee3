"""The same files as memory, as a folder, as a work tree and as a commit of a clone and of a bare mirror."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.git_store import git
from tests.fakes.stack_files import Content, Device, Link, MemoryFiles, Program

from stagewright.adapters.stack_files import GitTreeFiles, WorkTreeFiles
from stagewright.contexts.deploys.model.sources import FileSource

KINDS = ("memory", "folder", "work tree", "clone", "mirror")
MakeSource = Callable[[Mapping[str, Content]], FileSource]


def write(root: Path, files: Mapping[str, Content]) -> None:
    """Put ``files`` into a folder."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        elif isinstance(content, Device):
            os.mkfifo(path)
        else:
            text = content.text if isinstance(content, Program) else content
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            path.chmod(0o755 if isinstance(content, Program) else 0o644)


def commit(folder: Path, files: Mapping[str, Content]) -> str:
    """Make a repository of ``files`` with one commit; return its id."""
    write(folder, files)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "all")
    return git(folder, "rev-parse", "HEAD")


def make(kind: str, folder: Path, files: Mapping[str, Content], opened: ExitStack) -> FileSource:
    """Return a source of ``kind`` that holds ``files``."""
    if kind == "memory":
        return MemoryFiles(files)
    if kind == "folder":
        write(folder, files)
        return WorkTreeFiles(folder)
    sha = commit(folder, files)
    if kind == "work tree":
        return WorkTreeFiles(folder)
    if kind == "mirror":
        git(folder, "clone", "-q", "--mirror", ".", str(folder.with_suffix(".git")))
        folder = folder.with_suffix(".git")
    return opened.enter_context(GitTreeFiles(folder, sha))


@pytest.fixture(params=KINDS)
def source_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeSource]:
    """Make a source of the kind under test."""
    with ExitStack() as opened:
        yield lambda files: make(request.param, tmp_path / "shop", files, opened)
