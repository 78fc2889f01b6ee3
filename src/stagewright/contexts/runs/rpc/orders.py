"""What the platform tells a runner on its stream: stops, verdicts, opened waits, notices; each once per connection."""

from dataclasses import dataclass, field

from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.kit.db import Reader, Row
from stagewright.wire.v1 import result_pb2, stream_pb2

STOP_GRACE = 30
WARNING = "Nine tenths of the time are used. Finish: leave the work tree consistent and hand over the report now."


@dataclass(slots=True)
class Orders:
    """Remembers what was told. A new connection is told everything again: the runner takes it twice."""

    _told: set[str] = field(default_factory=set)

    async def news(self, reader: Reader, run: Run, attempt: Attempt) -> list[stream_pb2.PlatformMessage]:
        """Return what the rows say and was not told yet."""
        found: list[stream_pb2.PlatformMessage] = []
        if attempt.stop_requested_at is not None and self._is_new("stop"):
            stop = stream_pb2.Stop(reason=attempt.stop_reason or "stopped", grace_seconds=STOP_GRACE)
            found.append(stream_pb2.PlatformMessage(stop=stop))
        for row in await result_rows.list_verdicts(reader, attempt.id):
            if self._is_new(f"verdict:{row['proposal_no']}"):
                found.append(stream_pb2.PlatformMessage(result_checked=_verdict(row)))
        for wait in await wait_rows.list_open(reader, run.id):
            if self._is_new(f"wait:{wait.id}"):
                opened = stream_pb2.WaitOpened(wait_id=str(wait.id), kind=wait.kind.value)
                found.append(stream_pb2.PlatformMessage(wait_opened=opened))
        if run.warned_at is not None and self._is_new("warning"):
            found.append(stream_pb2.PlatformMessage(notice=stream_pb2.Notice(text=WARNING)))
        return found

    def _is_new(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def _verdict(row: Row) -> result_pb2.ResultChecked:
    return result_pb2.ResultChecked(
        proposal_no=row["proposal_no"],
        accepted=row["verdict"] == "accepted",
        may_repair=row["verdict"] == "repair",
        violations=[
            result_pb2.Violation(code=item["code"], message=item["message"], paths=item["paths"])
            for item in row["violations"] or ()
        ],
    )
