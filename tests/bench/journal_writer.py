"""Commits one event after the other at a steady rate and prints when each commit had returned."""

import asyncio
import json
import sys
import time
from uuid import UUID

from stagewright.contexts.projects.events import ProjectChangedEvent
from stagewright.contexts.projects.model import Project, ProjectId
from stagewright.kit.clock import SystemClock
from stagewright.kit.db import Database


async def write(dsn: str, project_id: str, count: int, rate: float) -> dict[str, float]:
    """Write ``count`` events; return the monotonic time of each commit by its correlation id."""
    project = Project(ProjectId(UUID(project_id)), "bench", "Bench", "en", 1, {}, 1, SystemClock().now())
    committed: dict[str, float] = {}
    pending: set[asyncio.Task[None]] = set()
    async with Database.open(dsn) as db:

        async def one(name: str) -> None:
            async with db.transaction(correlation_id=name) as tx:
                tx.publish(ProjectChangedEvent(project=project))
            committed[name] = time.monotonic()

        began = time.monotonic()
        for number in range(count):
            pause = began + number / rate - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            task = asyncio.create_task(one(f"event-{number}"))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)
        await asyncio.sleep(0.2)
    return committed


if __name__ == "__main__":
    print(json.dumps(asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))))
