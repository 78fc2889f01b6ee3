"""What stands in the rows of the platform that a test works: runs, attempts, effects, waits, journal, incidents."""

from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import Attempt, Effect, Run, Wait
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.kit.db import Database


class WorldRows:
    """The reading half of ``World``."""

    db: Database

    async def run_of(self, issue: int, lane: str = "work") -> Run:
        """Return the newest run of the issue."""
        async with self.db.reading() as reader:
            run_id = await reader.value(
                "select id from runs where issue_number = %(n)s and lane = %(lane)s order by number desc limit 1",
                n=issue,
                lane=lane,
            )
            return await run_rows.get(reader, run_id)

    async def fresh(self, run: Run) -> Run:
        """Read the run again."""
        return await self.run(run.id)

    async def run(self, run_id: UUID) -> Run:
        """Return a run."""
        async with self.db.reading() as reader:
            return await run_rows.get(reader, run_id)

    async def count_runs(self) -> int:
        """Return how many runs there are."""
        async with self.db.reading() as reader:
            return int(await reader.value("select count(*) from runs"))

    async def attempt_of(self, run: Run) -> Attempt:
        """Return the newest attempt of the run."""
        async with self.db.reading() as reader:
            found = await attempt_rows.find_newest(reader, run.id)
        assert found is not None
        return found

    async def attempts_of(self, run: Run) -> list[Attempt]:
        """Return all attempts of the run."""
        async with self.db.reading() as reader:
            return await attempt_rows.list_of(reader, run.id)

    async def effects_of(self, run: Run, kind: str = "") -> list[Effect]:
        """Return the run's effects."""
        async with self.db.reading() as reader:
            return [item for item in await effect_rows.list_of(reader, run.id) if item.kind.startswith(kind)]

    async def waits_of(self, run: Run) -> list[Wait]:
        """Return the run's waits."""
        async with self.db.reading() as reader:
            return await wait_rows.list_of(reader, run.id)

    async def events(self, run: Run) -> list[str]:
        """Return the kinds journalled on the run's stream, in order."""
        return [kind for kind, _ in await self.journal(f"run:{run.id}")]

    async def journal(self, stream: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Return kinds and bodies of a stream, or of all, in order."""
        async with self.db.reading() as reader:
            return await reader.all(
                lambda row: (str(row["kind"]), row["body"]),
                "select kind, body from journal where %(stream)s::text is null or stream = %(stream)s order by seq",
                stream=stream,
            )

    async def incidents(self) -> set[str]:
        """Return the codes of all incidents."""
        async with self.db.reading() as reader:
            return set(await reader.all(lambda row: str(row["code"]), "select code from incidents"))
