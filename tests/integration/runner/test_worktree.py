"""The snapshot of a work tree, in a repository of its own."""

import os
from pathlib import Path

from tests.integration.runner.harness import Remote, git

from stagewright.processes.runner.git import Git
from stagewright.processes.runner.worktree import RESULT_REF, WorkTree
from stagewright.wire.v1 import assignment_pb2


async def test_a_change_of_equal_size_in_the_second_of_the_checkout_is_seen(remote: Remote, tmp_path: Path) -> None:
    bundle = tmp_path / "source.bundle"
    bundle.write_bytes(remote.bundle())
    repo, private = tmp_path / "repo", tmp_path / "private"
    private.mkdir()
    tree = WorkTree(
        Git(repo, home=tmp_path, path=os.environ["PATH"]), private, assignment_pb2.Assignment(base_sha=remote.base)
    )
    await tree.set_up(bundle)
    git(repo, "config", "core.trustctime", "false")  # the test cannot set that time, only the other one
    file, index = repo / "src" / "app.py", repo / ".git" / "index"
    same_second = 1_700_000_000
    os.utime(file, (same_second, same_second))
    git(repo, "update-index", "--refresh")
    file.write_text("print(2)\n")
    for path in (file, index):
        os.utime(path, (same_second, same_second))
    snapshot = await tree.snapshot(RESULT_REF, "work")
    assert snapshot.changed
    assert await tree.changed_paths(snapshot.commit) == ["src/app.py"]
