"""What every source of files answers alike."""

import hashlib

from tests.contract.stack_files.conftest import MakeSource
from tests.fakes.stack_files import Content, Link, Program

from stagewright.contexts.deploys.model.sources import Entry, EntryKind, TrackedFile

FILES: dict[str, Content] = {
    "services.yaml": "kind: ServiceStack\n",
    "deploy/a.yaml": "a: 1\r\n",
    "deploy/b.yaml": "b: ä\n",
    "deploy/B.YAML": "",
    "deploy/sub/c.yaml": b"\xff\x00",
    "deploy/.hidden.yaml": "h: 1\n",
    "deploy/[x].yaml": "x: 1\n",
    "größe.yaml": "g: 1\n",
    "bin/run": Program("#!/bin/sh\n"),
    "near.yaml": Link("deploy/a.yaml"),
    "deploy/up.yaml": Link("../services.yaml"),
    "folder": Link("deploy/sub"),
    "out.yaml": Link("../secret.yaml"),
    "far.yaml": Link("/etc/passwd"),
    "loop": Link("loop"),
    "nowhere": Link("not/there"),
    "back": Link("deploy/../../etc"),
}


def blob(data: bytes) -> str:
    """Return git's id of a content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def test_files_and_folders_are_told_apart(source_of: MakeSource) -> None:
    source = source_of(FILES)
    assert source.stat("services.yaml") == Entry(EntryKind.FILE, 19)
    assert source.stat("deploy/b.yaml") == Entry(EntryKind.FILE, 6)
    assert source.stat("größe.yaml") == Entry(EntryKind.FILE, 5)
    assert source.stat("deploy") == source.stat("deploy/sub") == source.stat("") == Entry(EntryKind.DIRECTORY)
    for path in (
        "missing.yaml",
        "services.yaml/x",
        "deploy/a",
        "DEPLOY/a.yaml",
        ".git",
        ".git/config",
        "deploy/A.yaml",
    ):
        assert source.stat(path) is None, path


def test_contents_come_with_the_id_of_git(source_of: MakeSource) -> None:
    source = source_of(FILES)
    for path in ("services.yaml", "deploy/a.yaml", "deploy/sub/c.yaml", "deploy/B.YAML"):
        content = FILES[path]
        data = content.encode() if isinstance(content, str) else content
        assert isinstance(data, bytes)
        read = source.read(path, most=100)
        assert (read.data, read.blob_id) == (data, blob(data))


def test_a_content_is_cut_one_byte_after_what_is_wanted(source_of: MakeSource) -> None:
    source = source_of({"big": b"x" * 300_000, "small": "s"})
    assert source.read("big", most=300_000).blob_id == blob(b"x" * 300_000)
    cut = source.read("big", most=10)
    assert (cut.data, cut.blob_id) == (b"x" * 11, "")
    assert source.read("small", most=10).data == b"s"


def test_links_are_followed_inside_and_never_outside(source_of: MakeSource) -> None:
    source = source_of(FILES)
    assert source.stat("near.yaml") == Entry(EntryKind.FILE, 6)
    assert source.read("near.yaml", most=10).data == b"a: 1\r\n"
    assert source.read("deploy/up.yaml", most=100).data == b"kind: ServiceStack\n"
    assert source.stat("folder") == Entry(EntryKind.DIRECTORY)
    assert source.read("folder/c.yaml", most=10).data == b"\xff\x00"
    for path in ("out.yaml", "far.yaml", "back", "back/passwd", "far.yaml/x"):
        assert source.stat(path) == Entry(EntryKind.OUTSIDE), path
    for path in ("loop", "nowhere", "loop/x"):
        assert source.stat(path) is None, path


def test_patterns_match_files_in_bytewise_order(source_of: MakeSource) -> None:
    source = source_of(FILES)
    assert source.glob("*.yaml") == ["größe.yaml", "near.yaml", "services.yaml"]
    assert source.glob("deploy/*.yaml") == [
        "deploy/.hidden.yaml",
        "deploy/[x].yaml",
        "deploy/a.yaml",
        "deploy/b.yaml",
        "deploy/up.yaml",
    ]
    assert source.glob("deploy/?.yaml") == source.glob("deploy/[ab].yaml") == ["deploy/a.yaml", "deploy/b.yaml"]
    assert source.glob("**/c.yaml") == source.glob("deploy/**/c.yaml") == ["deploy/sub/c.yaml"]
    assert source.glob("deploy/[[]x].yaml") == ["deploy/[x].yaml"]
    assert source.glob("[z-a]") == source.glob("deploy") == source.glob("../*") == source.glob(".git/**") == []


def test_tracked_files_have_mode_and_id(source_of: MakeSource) -> None:
    source = source_of(FILES)
    assert source.tracked("bin") == [TrackedFile("bin/run", "100755", blob(b"#!/bin/sh\n"))]
    assert source.tracked("deploy/sub") == [TrackedFile("deploy/sub/c.yaml", "100644", blob(b"\xff\x00"))]
    everything = source.tracked("")
    assert [file.path for file in everything] == sorted(FILES, key=str.encode)
    assert TrackedFile("near.yaml", "120000", blob(b"deploy/a.yaml")) in everything
    assert source.tracked("dep") == source.tracked("missing") == []
