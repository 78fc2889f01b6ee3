"""Images and what syncs into them have one identity, wherever their files are read from."""

from dataclasses import replace

from tests.contract.stack_files.conftest import MakeSource
from tests.fakes.stack_files import Content, Link, Program
from tests.unit.deploys.preparing import CANDIDATE
from tests.unit.deploys.units.building import readied
from tests.unit.deploys.units.test_images import MANIFESTS, SYNCED

from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.rules.components import effective_units
from stagewright.contexts.deploys.rules.images import plan_images

FILES: dict[str, Content] = {
    **MANIFESTS,
    "services/api/Dockerfile": "FROM python:3.12\nCOPY . /app\n",
    "services/api/.dockerignore": "**/*.md\n!README.md\n",
    "services/api/README.md": "# Api\n",
    "services/api/notes.md": "later\n",
    "services/api/run": Program("#!/bin/sh\n"),
    "services/api/größe.txt": "g\r\n",
    "services/api/latest": Link("run"),
    "services/api/src/a.py": "a = 1\n",
    "services/api/src/sub/b.bin": b"\xff\x00",
}


def test_a_folder_a_work_tree_and_a_commit_give_one_identity(source_of: MakeSource) -> None:
    prepared, request, found = readied(SYNCED % "restart", FILES, CANDIDATE)
    units = effective_units(prepared, found)
    expected = plan_images(prepared, units, request, found)
    assert not found.items
    elsewhere = Repositories(root=request.repositories.root, sources={"main": source_of(FILES)})
    assert plan_images(prepared, units, replace(request, repositories=elsewhere), found) == expected
    assert [image.name for image in expected.images] == [sync.unit for sync in expected.syncs] == ["api"]
    assert not found.items
