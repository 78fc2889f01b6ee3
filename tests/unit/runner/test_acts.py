"""What a runner tells of its engine's acts: totals that only grow, seldom."""

import json
from typing import Any

from tests.unit.runner.test_outbox import all_of, an_outbox

from stagewright.adapters.engines.contract import EngineEvent
from stagewright.contexts.runs.rules.acts import Uses, acts_of
from stagewright.processes.runner.acts import EVERY_SECONDS, MOST_TOOLS, OTHER_TOOLS, Acts
from stagewright.processes.runner.outbox import LONGEST_EVENT_BYTES, Outbox


class Seconds:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def told(outbox: Outbox) -> list[dict[str, Any]]:
    return [json.loads(message.event.body) for message in all_of(outbox)]


def test_totals_are_told_at_most_every_few_seconds_and_at_the_end_of_a_turn() -> None:
    outbox, clock = an_outbox(), Seconds()
    acts = Acts(outbox, clock)
    acts.turn()
    for code in (0, 1, None):
        acts.take(EngineEvent("command", argv="make", exit_code=code, ok=code != 1))
    assert [body["commands"] for body in told(outbox)] == [{"calls": 1, "failed": 0}]
    clock.now += EVERY_SECONDS
    acts.take(EngineEvent("tool_call", tool="search", ok=False))
    acts.take(EngineEvent("file_change", paths=("a",)))
    acts.take(EngineEvent("message", text="well"))
    acts.tell()
    last = told(outbox)[-1]
    assert last == {
        "turns": 1,
        "messages": 1,
        "commands": {"calls": 3, "failed": 1},
        "file_changes": {"calls": 1, "failed": 0},
        "tools": {"search": {"calls": 1, "failed": 1}},
    }
    assert acts_of(last).tools == {"search": Uses(1, 1)}


def test_what_was_told_is_not_told_again() -> None:
    outbox = an_outbox()
    acts = Acts(outbox, Seconds())
    acts.tell()
    acts.take(EngineEvent("log", raw=b"x"))
    acts.take(EngineEvent("usage", tokens_in=1))
    acts.tell()
    assert told(outbox) == []
    acts.turn()
    acts.tell()
    acts.tell()
    assert [body["turns"] for body in told(outbox)] == [1]


def test_many_tools_share_one_name_and_the_count_fits_into_an_event() -> None:
    outbox, clock = an_outbox(), Seconds()
    acts = Acts(outbox, clock)
    for n in range(300):
        acts.take(EngineEvent("tool_call", tool=f"{n:03}" + "x" * 500))
    acts.take(EngineEvent("tool_call", tool=""))
    acts.tell()
    tools = told(outbox)[-1]["tools"]
    assert len(tools) == MOST_TOOLS
    assert sum(uses["calls"] for uses in tools.values()) == 301
    assert tools[OTHER_TOOLS]["calls"] > 200
    assert len(json.dumps(tools)) < LONGEST_EVENT_BYTES
