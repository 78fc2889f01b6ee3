"""What the platform (or a signal) wants of us while we work: stop, verdicts, open waits, notices, refusal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from stagewright.processes.runner.failures import Refused
from stagewright.wire.v1 import result_pb2, stream_pb2

DEFAULT_GRACE = timedelta(seconds=30)


@dataclass(slots=True)
class Control:
    """Filled by the stream and by signals, read by the attempt. Everything may be told twice."""

    stop_reason: str = ""
    grace: timedelta = DEFAULT_GRACE
    refusal: Refused | None = None
    waits: set[str] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    verdicts: dict[int, result_pb2.ResultChecked] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ending(self) -> bool:
        """Return whether the attempt is to end, by a stop or because the platform refuses it."""
        return bool(self.stop_reason) or self.refusal is not None

    def take(self, message: stream_pb2.PlatformMessage) -> None:
        """Note what a message of the platform says (acknowledgements are the outbox's)."""
        match message.WhichOneof("body"):
            case "stop":
                self.stop(message.stop.reason or "stopped", timedelta(seconds=message.stop.grace_seconds))
            case "result_checked":
                self.verdicts[message.result_checked.proposal_no] = message.result_checked
            case "wait_opened":
                self.waits.add(message.wait_opened.wait_id)
            case "notice":
                self.notices.append(message.notice.text)
        self._tell()

    def stop(self, reason: str, grace: timedelta) -> None:
        """Want the end; the first reason stays, a shorter grace counts."""
        self.grace = min(grace, self.grace) if self.stop_reason else grace
        self.stop_reason = self.stop_reason or reason
        self._tell()

    def refuse(self, refusal: Refused) -> None:
        """Note that the platform does not take this attempt any more."""
        self.refusal = self.refusal or refusal
        self._tell()

    def new_notices(self) -> list[str]:
        """Return the notices nobody has read yet."""
        notices, self.notices = self.notices, []
        return notices

    async def until(self, true: Callable[[], bool]) -> None:
        """Return as soon as ``true()`` holds; it is asked whenever something was told."""
        while not true():
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
