"""How tests are spread over workers: one works on whole processes, which mostly wait, the others on all that is busy.

Units lie in one row, whole processes first, the longest before the others. One worker takes them from the front, the
others from the back; who comes to the end of the one kind helps with the other, so that all end together. A module of
``tests/e2e`` is one unit: its tests share what they set up.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Seconds, roughly: only their order counts. What is not named comes after these.
LONG: Final = {
    "tests/e2e/test_recovery.py": 100,
    "tests/e2e/console/test_browser.py": 90,
    "tests/e2e/test_walk.py": 85,
    "tests/e2e/test_chaos.py": 80,
    "tests/e2e/cli/test_up.py": 50,
    "tests/e2e/cli/test_commands.py": 50,
    "tests/e2e/test_bench.py": 45,
    "tests/e2e/test_canaries.py": 30,
    "tests/e2e/test_feed_load.py": 25,
    "tests/e2e/test_hostile.py": 25,
    "tests/e2e/test_cancel.py": 20,
    "tests/integration/intake/test_histories.py": 40,
    "tests/integration/gateway/test_feed_storm.py": 20,
    "tests/integration/devforge/test_contract.py": 20,
    "tests/integration/intake/test_deliveries.py": 10,
}


TIERS: Final = ("tests/e2e/", "tests/unit/", "tests/bench/", "tests/contract/", "tests/integration/")
FRONT: Final = "gw0"


def unit_of(nodeid: str) -> str:
    """Return the unit of a test: its module for whole processes, the test itself for all others and for browsers."""
    return nodeid.split("::", 1)[0] if nodeid.startswith(TIERS[0]) and "/console/" not in nodeid else nodeid


def in_order(units: Iterable[str]) -> list[str]:
    """Return ``units`` as they lie in the row: what is long at its ends, what is quick where the workers meet."""
    return sorted(units, key=_place)


def _place(unit: str) -> tuple[int, int]:
    seconds = LONG.get(unit.split("::")[0], 0)
    tier = next((number for number, tier in enumerate(TIERS) if unit.startswith(tier)), len(TIERS))
    return tier, seconds if tier else -seconds


class Spread(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands units out from both ends of the row."""

    _numbers: Mapping[str, int] = MappingProxyType({})

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Assign from the end of the row that is this worker's, and forget what it is through with.

        The scheduler's own way looks through all tests at each step, which takes longer than many of them.
        """
        if not self._numbers:
            self._numbers = {nodeid: number for number, nodeid in enumerate(self.collection)}
            for unit in in_order(self.workqueue):
                self.workqueue.move_to_end(unit)
        unit, tests = self.workqueue.popitem(last=node.gateway.id != FRONT)
        assigned = self.assigned_work[node]
        for done in [name for name, found in assigned.items() if all(found.values())]:
            del assigned[done]
        assigned[unit] = tests
        node.send_runtest_some([self._numbers[nodeid] for nodeid, completed in tests.items() if not completed])
