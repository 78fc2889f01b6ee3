"""Whose turn it is: fair over projects, resumed runs first, oldest first."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runs.words import NOW, OTHER_ID

from stagewright.contexts.runs.rules.admission import Candidate, ProjectQueue, order_candidates, order_projects


def a_queue(number: int, *, weight: int = 1, active: int = 0, last: int | None = None) -> ProjectQueue:
    """Return a project with queued runs; ``last`` seconds ago it was admitted last."""
    at = None if last is None else NOW - timedelta(seconds=last)
    return ProjectQueue(UUID(int=number), weight, active, at)


def order(*queues: ProjectQueue) -> list[int]:
    return [item.int for item in order_projects(queues)]


def test_the_project_with_the_smallest_load_by_weight_is_asked_first() -> None:
    assert order(a_queue(1, active=2), a_queue(2, active=1)) == [2, 1]
    assert order(a_queue(1, active=2, weight=4), a_queue(2, active=1)) == [1, 2]


def test_among_equals_the_one_admitted_longest_ago_comes_first() -> None:
    assert order(a_queue(1, last=5), a_queue(2, last=50), a_queue(3)) == [3, 2, 1]


@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    ends=st.lists(st.integers(0, 10**6), min_size=0, max_size=200),
)
def test_over_time_every_project_gets_its_share(weights: list[int], ends: list[int]) -> None:
    """Admit one run a step and let a random one end: loads stay within one run of their share; nobody starves."""
    active = [0] * len(weights)
    last: list[int | None] = [None] * len(weights)
    waited = [0] * len(weights)
    for step in range(60):
        queues = [
            a_queue(n + 1, weight=weights[n], active=active[n], last=None if last[n] is None else 1000 - (last[n] or 0))
            for n in range(len(weights))
        ]
        chosen = order(*queues)[0] - 1
        lightest = min(active[n] / weights[n] for n in range(len(weights)))
        assert active[chosen] / weights[chosen] == lightest
        active[chosen] += 1
        last[chosen] = step
        waited = [0 if n == chosen else count + 1 for n, count in enumerate(waited)]
        if step < len(ends):
            ending = ends[step] % len(weights)
            active[ending] = max(0, active[ending] - 1)
    spread = [active[n] / weights[n] for n in range(len(weights))]
    if not ends:
        assert max(spread) - min(spread) <= 1
        assert max(waited) <= sum(weights) + len(weights)


def a_candidate(number: int, *, age: int, resumed: bool = False) -> Candidate:
    return Candidate(UUID(int=number), OTHER_ID, OTHER_ID, "dev", "code-only", resumed, NOW - timedelta(seconds=age))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1000)), max_size=30))
def test_resumed_runs_come_before_new_ones_and_older_before_younger(entries: list[tuple[bool, int]]) -> None:
    candidates = [a_candidate(n, age=age, resumed=resumed) for n, (resumed, age) in enumerate(entries)]
    ordered = order_candidates(candidates)
    assert sorted(item.run_id.int for item in ordered) == list(range(len(entries)))
    for before, after in pairwise(ordered):
        assert (not before.resumed, before.created_at) <= (not after.resumed, after.created_at)
