"""The order in which tests are handed out: one worker from the front of the row, the others from its back."""

from tests.spread import LONG, in_order, unit_of
from tests.unit.house.trees import ROOT

STORM, WALK, SMALL = "tests/e2e/test_recovery.py", "tests/e2e/test_walk.py", "tests/e2e/test_labels.py"
UNIT, CONTRACT = "tests/unit/kit/test_x.py::test_it", "tests/contract/git/test_x.py::test_it"
BUSY, LONG_BUSY = "tests/integration/kit/test_x.py::test_it", "tests/integration/intake/test_histories.py::test_it"


def test_what_is_long_lies_at_the_ends_of_the_row_and_what_is_quick_in_its_middle() -> None:
    wanted = [STORM, WALK, SMALL, UNIT, CONTRACT, BUSY, LONG_BUSY]

    assert in_order(reversed(wanted)) == wanted
    assert in_order(wanted) == wanted


def test_a_module_of_whole_processes_stays_together_and_everything_else_goes_one_by_one() -> None:
    assert unit_of("tests/e2e/test_recovery.py::test_it[a::b]") == STORM
    assert unit_of("tests/e2e/cli/test_up.py::test_it") == "tests/e2e/cli/test_up.py"
    assert (
        unit_of("tests/e2e/console/test_browser.py::test_it[live]")
        == "tests/e2e/console/test_browser.py::test_it[live]"
    )
    assert unit_of(BUSY) == BUSY


def test_the_modules_that_are_known_to_be_long_exist() -> None:
    assert [path for path in LONG if not (ROOT / path).is_file()] == []
