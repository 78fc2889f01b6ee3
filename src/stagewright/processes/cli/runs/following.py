"""Following a run: its phases, its log, and waiting for what one wants. Ctrl-C detaches and cancels nothing."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.enums import RUN_ENDED
from stagewright.processes.cli.exits import INTERRUPTED, NOT_FOUND, PENDING, UNSUCCESSFUL, Ended, Failure
from stagewright.processes.cli.feed import Feed, LogTail, Patience, TimedOut
from stagewright.processes.cli.ids import find_run
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import reduced, safe
from stagewright.processes.cli.runs import words

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

PROGRESS = "stagewright.processes.cli.present.progress:make_progress"
LAST_LINES = 20
MOST_EVENTS = 1000
Run = Mapping[str, Any]


def watch(call: "Call", name: str, *, logs: bool, timeout: timedelta | None) -> None:
    """Print the run's address, then a line per change; end with 0, 5 or 8."""
    run_id = find_run(call, name)
    progress = load(PROGRESS)(call)
    follower = Follower(call, run_id, Patience(progress.say, timeout, sleep=progress.rest))
    follower.begin()
    with progress:
        follower.detached(lambda: _watch(follower, progress, logs=logs))
    run = follower.run
    for line in _ending(call, run):
        tell(line)
    _end(run)


def _watch(follower: "Follower", progress: Any, *, logs: bool) -> None:
    tail = LogTail(follower.client, follower.run_id, "engine") if logs else None
    while True:
        for line in follower.changes():
            progress.say(line)
        progress.now(follower.phase())
        if tail is not None:
            _print_log(follower, tail)
        if follower.ended:
            return
        follower.rest()


def _print_log(follower: "Follower", tail: LogTail) -> None:
    """Print what is new in the log, all of it once the run has ended."""
    while True:
        try:
            text = follower.patience.attempt(tail.more)
        except Failure as failure:
            if failure.code == NOT_FOUND:  # no attempt yet
                return
            raise
        sys.stdout.write(reduced(text, colours=follower.colours))
        sys.stdout.flush()
        if not text or not follower.ended:
            return


def wait(call: "Call", name: str, *, aim: str, timeout: timedelta | None) -> None:
    """Wait without a word until the run is where the person wants it."""
    follower = Follower(call, find_run(call, name), Patience(tell, timeout))

    def until_there() -> None:
        while not (follower.ended or (aim == "waiting" and follower.run["status"] == "waiting")):
            follower.rest()
            follower.changes()

    follower.begin(quiet=True)
    follower.detached(until_there)
    run = follower.run
    call.output().one(run, words.VIEW[:5])
    if aim != "waiting":
        _end(run)
    elif run["status"] != "waiting":
        tell(f"the run is {run['status']} and waits for nothing any more")
        raise Ended(UNSUCCESSFUL)


def _end(run: Run) -> None:
    if run["status"] != "succeeded":
        raise Ended(UNSUCCESSFUL)


def _ending(call: "Call", run: Run) -> list[str]:
    """Say how a run ended: its pull request, or why it failed with the last lines of its log."""
    took = words.spent(run, datetime.now(UTC)) or ""
    lines = [f"{run['number']} {run['status']} after {took}"]
    if address := words.pull_request(run):
        lines.append(f"pull request: {address}")
    if run["status"] == "failed":
        lines.append(f"failed ({run['failure_class']}, {run['code']}): {safe(run.get('detail') or '')}".rstrip(": "))
        lines += _last_log_lines(call, str(run["id"]))
    return lines + words.next_lines(run)


def _last_log_lines(call: "Call", run_id: str) -> list[str]:
    try:
        text = LogTail(call.client(), run_id, "engine").begin(tail=LAST_LINES)
    except Failure:
        return []  # the run's end is what the person asked for; its log is extra
    return [f"  | {line}" for line in reduced(text, colours=False).splitlines()]


class Follower:
    """One run, read again whenever the feed says that something happened."""

    def __init__(self, call: "Call", run_id: str, patience: Patience) -> None:
        self.client = call.client()
        self.run_id = run_id
        self.colours = call.decorated
        self.patience = patience
        self._feed = Feed(self.client, [f"run:{run_id}"])
        self._said: tuple[Any, ...] = ()
        self.run: Run = {}

    @property
    def ended(self) -> bool:
        """Say whether nothing follows."""
        return self.run.get("status") in RUN_ENDED

    def begin(self, *, quiet: bool = False) -> None:
        """Read the run for the first time and print where it is to be seen."""
        self._feed.news()
        self.run = self.client.get(f"/runs/{self.run_id}")
        if not quiet:
            print(self._address(), flush=True)

    def _address(self) -> str:
        """Return where people see the run: its comment, or before there is one the issue or pull request."""
        if self.run.get("status_comment_url"):
            return str(self.run["status_comment_url"])
        path = f"/projects/{self.run['project_id']}/repositories/{self.run['repository_id']}"
        web_url, issue = self.client.get(path)["web_url"], self.run.get("issue_number")
        return f"{web_url}/issues/{issue}" if issue else f"{web_url}/pull/{self.run.get('pr_number')}"

    def history(self) -> list[str]:
        """Return a line for each state the run went through before the first look; nothing later."""
        if self._said:
            return []
        past = self.patience.attempt(lambda: self.client.items(f"/runs/{self.run_id}/events", limit=MOST_EVENTS))
        return [line for event in past if (line := self._line(event.get("data") or {}))]

    def changes(self) -> list[str]:
        """Look at the feed; return a line for each state the run went through since."""
        frames, anew = self.patience.attempt(self._feed.news)
        lines = [line for frame in frames if (line := self._line(frame["data"] or {}))]
        if frames or anew:
            self.run = self.patience.attempt(lambda: self.client.get(f"/runs/{self.run_id}"))
        if line := self._line(self.run):
            lines.append(line)
        return lines

    def phase(self) -> str:
        """Return where the run is, for a line that stays."""
        found = words.waiting_lines(self.run, datetime.now(UTC))
        detail = found[0] if found else words.why(self.run) or self.run.get("finish_step")
        return f"{self.run['number']} {self.run['status']}" + (f" · {safe(detail)}" if detail else "")

    def _line(self, run: Run) -> str | None:
        """Return a line when the run's state is another than the last one told."""
        if "status" not in run or "version" not in run:
            return self._told_by_agent(run)
        state = (run["status"], run.get("finish_step") if run["status"] == "finishing" else None, run.get("generation"))
        if state == self._said[:3] or (self._said and run["version"] < self._said[3]):
            return None
        self._said = (*state, run["version"])
        parts = [str(run["status"]), words.why(run) or state[1]]
        lines = [" · ".join(safe(part) for part in parts if part), *words.waiting_lines(run, datetime.now(UTC))]
        return "\n".join(lines)

    def _told_by_agent(self, data: Run) -> str | None:
        return f"  {safe(data['status_text'])}" if data.get("status_text") else None

    def rest(self) -> None:
        """Wait for the next look."""
        self.patience.rest()

    def detached(self, act: Callable[[], None]) -> None:
        """Do ``act``; Ctrl-C and the end of patience leave the run alone and say how to come back."""
        number = self.run["number"]
        try:
            act()
        except TimedOut:
            tell(f"still {self.phase()}; it goes on: stagewright run watch {number}")
            raise Ended(PENDING) from None
        except KeyboardInterrupt:
            tell(f"\ndetached; {number} ({self.run_id}) goes on: stagewright run watch {number}")
            raise Ended(INTERRUPTED) from None


def print_logs(
    call: "Call",
    name: str,
    *,
    follow: bool,
    stream: str,
    attempt: int | None,
    since: str | None,
    tail: int | None,
    grep: str | None,
    raw: bool,
) -> None:
    """Print a log from its start or where the person wants, to its present or its final end."""
    run_id = find_run(call, name)
    if raw and not follow:
        _print_raw(call, f"/runs/{run_id}/logs/{stream}/raw", attempt)
        return
    log = LogTail(call.client(), run_id, stream, attempt)
    write = _writer(call, raw=raw)
    where = {"since": since, "tail": tail, "grep": None if follow else grep}
    patience = Patience(tell, None)
    try:
        write(_only(log.begin(**where), grep if follow else None))
        while not log.ended:
            before = log.position
            text = patience.attempt(log.more) if follow or before else ""
            write(_only(text, grep))
            if log.position == before:
                if not follow:
                    return
                patience.rest()
    except KeyboardInterrupt:
        tell(f"\ndetached; go on with: stagewright run logs {run_id} -f --stream {stream}")
        raise Ended(INTERRUPTED) from None


def _print_raw(call: "Call", path: str, attempt: int | None) -> None:
    answer = call.client().request("GET", path, params={"attempt": attempt})
    sys.stdout.buffer.write(answer.body)
    sys.stdout.buffer.flush()


def _writer(call: "Call", *, raw: bool) -> Callable[[str], None]:
    def write(text: str) -> None:
        sys.stdout.write(text if raw else reduced(text, colours=call.decorated))
        sys.stdout.flush()

    return write


def _only(text: str, wanted: str | None) -> str:
    """Keep the lines with ``wanted``."""
    if wanted is None:
        return text
    return "".join(line for line in text.splitlines(keepends=True) if wanted in line)
