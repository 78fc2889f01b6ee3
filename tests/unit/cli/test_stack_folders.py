"""`stack render --output` writes inside its folder only, and over nothing that it did not write itself."""

from pathlib import Path

import pytest

from stagewright.processes.cli.exits import CONFLICT, FAILED, Failure
from stagewright.processes.cli.stacks.folders import MARK, file_name, write_files


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != MARK}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Deployment-api", "deployment-api"),
        ("Role-system:reader", "role-system-reader"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        ("Ä/\x00", "unnamed"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_file_is_named_so_that_it_stays_a_file_name(text: str, name: str) -> None:
    assert file_name(text) == name


def test_a_second_render_replaces_its_own_files_and_removes_what_is_gone(tmp_path: Path) -> None:
    assert write_files(str(tmp_path / "new"), {"stack.yaml": "a", "api/service-api.yaml": "b"}, replace=False) == 2
    write_files(str(tmp_path / "new"), {"stack.yaml": "c"}, replace=False)

    assert files(tmp_path / "new") == {"stack.yaml"}
    assert (tmp_path / "new" / "stack.yaml").read_text() == "c"
    assert not (tmp_path / "new" / "api").exists()


def test_a_file_of_somebody_else_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text("mine")
    with pytest.raises(Failure, match="was not written by a render") as refused:
        write_files(str(tmp_path), {"stack.yaml": "new"}, replace=False)

    assert refused.value.code == CONFLICT
    assert (tmp_path / "stack.yaml").read_text() == "mine"
    write_files(str(tmp_path), {"stack.yaml": "new"}, replace=True)
    assert (tmp_path / "stack.yaml").read_text() == "new"


def test_files_beside_it_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_files(str(tmp_path), {"stack.yaml": "a"}, replace=False)
    write_files(str(tmp_path), {"secrets.yaml": "a"}, replace=False)

    assert files(tmp_path) == {"notes.txt", "secrets.yaml"}


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.yaml").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "api").symlink_to(outside)
    with pytest.raises(Failure, match="is a link"):
        write_files(str(folder), {"api/service-api.yaml": "x"}, replace=True)

    assert files(outside) == {"kept.yaml"}


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "stack.yaml").symlink_to(target)
    write_files(str(folder), {"stack.yaml": "new"}, replace=True)

    assert target.read_text() == "mine"
    assert not (folder / "stack.yaml").is_symlink()


@pytest.mark.parametrize(
    "text",
    ['{"files": ["../kept.yaml", "/etc/passwd", "a/../../kept.yaml", ".hidden.yaml", 7]}', "{", "[]", '{"files": 1}'],
)
def test_a_forged_list_of_an_earlier_render_removes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "kept.yaml").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / MARK).write_text(text)
    write_files(str(folder), {"stack.yaml": "a"}, replace=False)

    assert (tmp_path / "kept.yaml").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Failure) as refused:
        write_files(str(tmp_path / "file" / "below"), {"stack.yaml": "a"}, replace=False)

    assert refused.value.code == FAILED
    assert "--output" in refused.value.message
