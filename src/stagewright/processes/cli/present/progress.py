"""Progress on stderr: a spinner with what happens now on a terminal, one timestamped line per change elsewhere.

No thread draws: whoever waits calls ``tick``. So a program that starts children may show progress, too.
"""

import sys
import time
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import reduced, rfc3339

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

FRAME = 0.1  # seconds


class Lines:
    """One timestamped line per change, in UTC or in the person's zone."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone

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
        print(f"{rfc3339(datetime.now(UTC), self._zone)} {reduced(line, colours=False)}", file=sys.stderr, flush=True)

    def now(self, line: str) -> None:
        """Change nothing: a line would repeat what was said."""
        return

    def tick(self) -> None:
        """Change nothing: nothing turns."""
        return

    def rest(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Spinner:
    """Lines above, and one below that turns and tells what happens now."""

    def __init__(self) -> None:
        console = load("rich.console:Console")(stderr=True, highlight=False)
        self._text: Any = load("rich.text:Text")
        self._turning: Any = load("rich.spinner:Spinner")("dots", style="cyan")
        self._live: Any = load("rich.live:Live")(
            self._turning, console=console, auto_refresh=False, transient=True, redirect_stdout=False
        )
        self._began = time.monotonic()

    def __enter__(self) -> "Spinner":
        """Begin to turn."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop turning."""
        self.close()

    def close(self) -> None:
        """Stop turning; lines may still be written."""
        self._live.stop()

    def say(self, line: str) -> None:
        """Write a line above, with the time since the beginning."""
        elapsed = int(time.monotonic() - self._began)
        text = f"{elapsed // 60:3d}:{elapsed % 60:02d}  {reduced(line, colours=False)}"
        self._live.console.print(self._text(text))

    def now(self, line: str) -> None:
        """Say what happens now."""
        self._turning.update(text=self._text(reduced(line, colours=False)))
        self.tick()

    def tick(self) -> None:
        """Draw the next frame."""
        self._live.refresh()

    def rest(self, seconds: float) -> None:
        """Wait, and go on turning."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.tick()
            time.sleep(min(FRAME, left))


def make_progress(call: "Call") -> Lines | Spinner:
    """Return what fits the terminal."""
    quiet = call.plain or call.environ.get("NO_COLOR") or call.environ.get("CI") or call.environ.get("TERM") == "dumb"
    return Lines(call.zone) if quiet or not sys.stderr.isatty() else Spinner()
