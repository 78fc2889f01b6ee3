"""Facts of a run that bear a value, so that a test sees which of them came."""

from typing import Any

from tests.fakes.gateway import Gateway

from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.events import ResultChecked


async def note(gateway: Gateway, run: runs.Run, *values: Any) -> None:
    """Journal facts of the run, in one transaction."""
    async with gateway.db.transaction() as tx:
        for value in values:
            tx.publish(ResultChecked(run=run, extra={"value": value}))


def values(frames: list[dict[str, Any]]) -> list[Any]:
    """Return the values of the notes among the frames."""
    return [frame["data"]["value"] for frame in frames if "value" in frame["data"]]
