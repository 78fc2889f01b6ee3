"""Progress on stderr: a spinner with what happens now on a terminal, one timestamped line per change elsewhere."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import reduced

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call


class Lines:
    """One timestamped line per change."""

    def __enter__(self) -> "Lines":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def close(self) -> None:
        """End; lines may still be written."""
        sys.stderr.flush()

    def say(self, line: str) -> None:
        """Write a line."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{stamp} {reduced(line, colours=False)}", file=sys.stderr, flush=True)

    def now(self, line: str) -> None:
        """Change nothing: a line would repeat what was said."""
        return


class Spinner:
    """Lines above, and one below that turns and tells what happens now and how long it takes."""

    def __init__(self) -> None:
        self._console: Any = load("rich.console:Console")(stderr=True, highlight=False)
        self._text: Any = load("rich.text:Text")
        self._status: Any = self._console.status("")
        self._began = datetime.now(UTC)

    def __enter__(self) -> "Spinner":
        """Begin to turn."""
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop turning."""
        self.close()

    def close(self) -> None:
        """Stop turning; lines may still be written."""
        self._status.stop()

    def say(self, line: str) -> None:
        """Write a line above."""
        elapsed = int((datetime.now(UTC) - self._began).total_seconds())
        self._console.print(self._text(f"{elapsed // 60:3d}:{elapsed % 60:02d}  {reduced(line, colours=False)}"))

    def now(self, line: str) -> None:
        """Say what happens now."""
        self._status.update(self._text(reduced(line, colours=False)))


def make_progress(call: "Call") -> Lines | Spinner:
    """Return what fits the terminal."""
    quiet = call.plain or call.environ.get("NO_COLOR") or call.environ.get("CI") or call.environ.get("TERM") == "dumb"
    return Lines() if quiet or not sys.stderr.isatty() else Spinner()
