"""How long one delivery takes from its bytes to its decision, without I/O, beside an untyped decode of the same bytes.

The goals: at most three times the decode, and at most 0.3 ms in the median.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from stagewright.contexts.intake import rules
from stagewright.contexts.intake.usecases.facts import other_fact, thread_fact
from stagewright.contexts.workflow.api import (
    Decision,
    Link,
    LiveThread,
    Policy,
    Reviewed,
    Standing,
    World,
    builtin_policy,
    decide,
)
from tests.bench.payloads import PAYLOADS, REPOSITORY, Payload

RATIO_GOAL, MEDIAN_GOAL_MS = 3.0, 0.3
ROUNDS, TURN = 2000, 20
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Figures:
    """Medians in microseconds."""

    decode: float
    whole: float

    @property
    def ratio(self) -> float:
        """Return how many decodes one decision costs."""
        return self.whole / self.decode


def decide_one(payload: Payload, world: World, policy: Policy) -> Decision:
    """Parse a delivery and decide about it."""
    parsed = rules.parse(payload.event, payload.raw)
    return decide(thread_fact(parsed, NOW) or other_fact(parsed, REPOSITORY), world, policy)


def world_of(payload: Payload) -> World:
    """Return what stands around the thread of ``payload``: an open thread with its labels, one open link."""
    link = Link("dev", "stagewright/issue-12/dev", "in_review", True, 40, "c0ffee", labels=("state:in-review",))
    issue = LiveThread(12, is_pull_request=False, open=True, labels=payload.labels)
    pull = LiveThread(40, is_pull_request=True, open=True, labels=("state:in-review",))
    world = World(
        bound=True,
        enabled=True,
        bound_at=NOW - timedelta(days=30),
        now=NOW,
        thread=issue,
        standing=Standing(True, "member", "read_write", member=True, may_start=True, forge_permission="write"),
        links=(link,),
        engines_available=frozenset({"codex"}),
    )
    if payload.event == "issues":
        return world
    seen = Reviewed(True, True, link.branch, link.head_sha, link, (12,), managed=True, issue=replace(issue, labels=()))
    return replace(world, thread=pull, reviewed=seen)


def figures(payload: Payload, *, rounds: int = ROUNDS) -> Figures:
    """Measure both in turns of a few, so that whatever else the machine does meets both."""
    policy, world = builtin_policy(), world_of(payload)
    decode: list[float] = []
    whole: list[float] = []
    for _ in range(1 + rounds // TURN):
        decode += _times(lambda: msgspec.json.decode(payload.raw))
        whole += _times(lambda: decide_one(payload, world, policy))
    return Figures(statistics.median(decode[TURN:]), statistics.median(whole[TURN:]))


async def measure(rounds: int = ROUNDS) -> list[str]:
    """Return the lines to print."""
    return await asyncio.to_thread(_lines, rounds)


def _lines(rounds: int) -> list[str]:
    lines = [f"parse + decide beside an untyped decode of the same bytes, medians of {rounds} rounds"]
    for payload in PAYLOADS:
        found = figures(payload, rounds=rounds)
        said = type(decide_one(payload, world_of(payload), builtin_policy())).__name__
        what = f"{payload.name} ({len(payload.raw) / 1024:.1f} KiB) -> {said}"
        median = f"{found.whole / 1000:.3f} ms (goal {MEDIAN_GOAL_MS}), decode {found.decode / 1000:.3f} ms"
        lines.append(f"{what}: {median}, ratio {found.ratio:.2f} (goal {RATIO_GOAL:g})")
    return lines


def _times(work: Callable[[], object]) -> list[float]:
    return [_time(work) for _ in range(TURN)]


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / 1000


if __name__ == "__main__":
    sys.stdout.write("\n".join(_lines(ROUNDS)) + "\n")
