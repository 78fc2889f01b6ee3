"""Paths of a work tree and session archives never leave their folder."""

from pathlib import Path

import pytest

from stagewright.adapters.engines import files
from stagewright.adapters.engines.files import collect, inside, put_back, write_private


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\0b", ".", "link/x"])
def test_a_path_that_leaves_the_folder_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path)
    assert inside(tmp_path / "root", path) is None


def test_a_path_inside_is_returned(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b.txt") == tmp_path / "a/b.txt"


def test_an_archive_with_a_path_outside_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the path '\.\./evil' leaves its folder"):
        put_back(tmp_path, [("../evil", b"x")])


def test_files_go_into_an_archive_and_back(tmp_path: Path) -> None:
    write_private(tmp_path / "a/b", b"one")
    (tmp_path / "a/link").symlink_to(tmp_path / "a/b")
    archived = collect(tmp_path, tmp_path.rglob("*"))
    assert archived == (("a/b", b"one"),)
    put_back(tmp_path / "other", archived)
    assert (tmp_path / "other/a/b").read_bytes() == b"one"
    assert (tmp_path / "other/a/b").stat().st_mode & 0o777 == 0o600


def test_a_session_above_the_limit_is_not_archived_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_ARCHIVE", 5)
    write_private(tmp_path / "a", b"123")
    write_private(tmp_path / "b", b"456")
    assert collect(tmp_path, tmp_path.iterdir()) == ()


def test_a_private_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"):
        write_private(tmp_path / "link", b"x")
