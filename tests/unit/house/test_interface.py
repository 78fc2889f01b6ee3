"""The committed description of the gateway's interface is the one that its routes make."""

from pathlib import Path

from tests.unit.house.trees import ROOT
from tools import openapi


def test_the_committed_description_of_the_interface_is_current() -> None:
    assert openapi.problems(ROOT) == []


def test_a_missing_and_a_stale_description_are_found_with_the_remedy(tmp_path: Path) -> None:
    remedy = "run python -m tools.openapi"
    assert openapi.problems(tmp_path) == [f"docs/openapi.json: is missing; {remedy}"]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/openapi.json").write_text("{}\n")
    assert openapi.problems(tmp_path) == [f"docs/openapi.json: is not what the routes say; {remedy}"]
