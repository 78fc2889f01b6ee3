"""Following what happens: the feed by polling, logs by byte position. A server that is away for a moment is normal."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from stagewright.processes.cli.client import Client
from stagewright.processes.cli.exits import FORBIDDEN, LATER, Failure, Problem

EVERY = 2.0  # seconds; the server takes one poll per two seconds
SILENT = 5.0  # seconds without an answer that are not worth a word
Say = Callable[[str], None]
Sleep = Callable[[float], object]
Frame = dict[str, Any]


class TimedOut(Exception):
    """The time the person gave is over."""


class Patience:
    """Paces polls, survives a server that is away, and ends when the time is over."""

    def __init__(self, say: Say, timeout: timedelta | None, *, every: float = EVERY, sleep: Sleep = time.sleep) -> None:
        self._say = say
        self._sleep = sleep
        self._until = None if timeout is None else time.monotonic() + timeout.total_seconds()
        self._every = every
        self._away_since: float | None = None
        self._said = False

    def rest(self) -> None:
        """Wait for the next poll. Raise ``TimedOut``."""
        left = self._every if self._until is None else min(self._every, self._until - time.monotonic())
        if left <= 0:
            raise TimedOut
        self._sleep(left)

    def attempt(self, ask: Callable[[], Any]) -> Any:
        """Ask until there is an answer. A refusal is raised; silence is waited out."""
        while True:
            try:
                answer = ask()
            except Failure as failure:
                if failure.code != LATER:
                    raise
                self._away(failure)
                self.rest()
            else:
                self._back()
                return answer

    def _away(self, failure: Failure) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if not self._said and now - self._away_since >= SILENT:
            self._said = True
            limited = isinstance(failure, Problem) and failure.status == 429
            self._say("the server asks for patience" if limited else "the server does not answer; still trying")

    def _back(self) -> None:
        if self._said:
            self._say("the server answers again")
        self._away_since, self._said = None, False


class Feed:
    """The frames of some topics since the last look."""

    def __init__(self, client: Client, topics: Sequence[str]) -> None:
        self._client = client
        self._topics = list(topics)
        self._cursor: str | None = None

    def news(self) -> tuple[list[Frame], bool]:
        """Return new frames, and whether everything has to be read anew (also at the first look)."""
        first = self._cursor is None
        body: dict[str, Any] = {"last_event_id": self._cursor, "topics": self._topics, "logs": {}}
        answer = self._client.poll(body)
        self._cursor = answer["cursor"]
        for refused in answer.get("refused") or ():
            raise Failure(FORBIDDEN, f"the feed {refused['topic']} is refused ({refused['code']})")
        return list(answer["frames"]), first or bool(answer.get("resync"))


class LogTail:
    """The text of one log stream from a position on; a new attempt begins anew."""

    def __init__(self, client: Client, run_id: str, stream: str, attempt: int | None = None) -> None:
        self._client = client
        self._path = f"/runs/{run_id}/logs/{stream}"
        self._fixed = attempt
        self._attempt: int | None = attempt
        self.position = 0
        self.ended = False

    def begin(self, **where: Any) -> str:
        """Return the first piece, from where the person wants."""
        return self._take(self._client.get(self._path, attempt=self._fixed, **where))

    def more(self) -> str:
        """Return what was written since."""
        return self._take(self._client.get(self._path, attempt=self._fixed, from_byte=self.position))

    def _take(self, piece: dict[str, Any]) -> str:
        if piece["attempt"] != self._attempt and self._attempt is not None:
            self._attempt, self.position = piece["attempt"], 0  # read again from the new attempt's first byte
            return self._take(self._client.get(self._path, attempt=self._fixed, from_byte=0))
        self._attempt, self.position, self.ended = piece["attempt"], piece["next_byte"], bool(piece["eof"])
        return str(piece["text"])
