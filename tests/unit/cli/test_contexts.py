"""Contexts: closed to others, never torn, nothing lost by two writers at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stagewright.processes.cli import contexts
from stagewright.processes.cli.exits import Failure

WRITER = (
    "import sys; from pathlib import Path; from stagewright.processes.cli import contexts; "
    "[contexts.keep(Path(sys.argv[1]), f'{sys.argv[2]}-{n}', {'host': 'http://localhost'}) for n in range(20)]"
)


def test_the_file_is_closed_to_others_and_the_first_context_is_current(tmp_path: Path) -> None:
    contexts.keep(tmp_path / "new", "local", {"host": "http://127.0.0.1:1", "token": "t"})

    assert (tmp_path / "new" / "contexts.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert contexts.read(tmp_path / "new") == {
        "current": "local",
        "contexts": {"local": {"host": "http://127.0.0.1:1", "token": "t"}},
    }


def test_a_second_context_leaves_the_current_one_unless_told(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"host": "a"})
    contexts.keep(tmp_path, "two", {"host": "b"})
    assert contexts.read(tmp_path)["current"] == "one"

    contexts.keep(tmp_path, "two", {}, use=True)
    assert contexts.read(tmp_path)["current"] == "two"


def test_none_removes_a_field_and_what_is_not_named_stays(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"host": "a", "token": "t"})
    contexts.keep(tmp_path, "one", {"token": None, "project": "shop"})

    assert contexts.read(tmp_path)["contexts"]["one"] == {"host": "a", "project": "shop"}


def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"token": "t"})
    (tmp_path / "contexts.json").chmod(0o644)

    with pytest.raises(Failure, match="can be read by others") as caught:
        contexts.read(tmp_path)
    assert caught.value.hint == f"chmod 600 {tmp_path / 'contexts.json'}"


@pytest.mark.parametrize("text", ["{", "[]", '{"current": null}', "null"])
def test_a_damaged_file_is_named_and_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / "contexts.json").write_text(text)
    (tmp_path / "contexts.json").chmod(0o600)

    with pytest.raises(Failure, match="is damaged"):
        contexts.keep(tmp_path, "one", {"host": "a"})
    assert (tmp_path / "contexts.json").read_text() == text


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("a", "b", "c")]

    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    assert len(contexts.read(tmp_path)["contexts"]) == 60
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contexts.json", "contexts.lock"]


def test_a_deleted_context_is_no_longer_current(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"host": "a"})
    contexts.drop(tmp_path, "one")

    assert contexts.read(tmp_path) == {"current": None, "contexts": {}}


def test_an_unknown_context_is_named_with_those_there_are(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"host": "a"})

    for act in (contexts.use, contexts.drop):
        with pytest.raises(Failure, match=r"no context 'two'; known: one") as caught:
            act(tmp_path, "two")
        assert caught.value.code == 6


def test_a_symbolic_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / f".contexts.json.{os.getpid()}").symlink_to(victim)

    with pytest.raises(OSError, match=r"."):
        contexts.keep(folder, "one", {"token": "t"})
    assert victim.read_text() == "precious"


def test_the_folder_follows_the_variable(tmp_path: Path) -> None:
    assert contexts.config_dir({"STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path)}) == tmp_path
    assert contexts.config_dir({}).name == "stagewright"


def test_the_document_is_json_for_people(tmp_path: Path) -> None:
    contexts.keep(tmp_path, "one", {"host": "a"})

    assert json.loads((tmp_path / "contexts.json").read_text())["contexts"]["one"]["host"] == "a"
