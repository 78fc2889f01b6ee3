"""Where a rehearsal stands: a step counter in the session folder. It is the engine's whole session."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from stagewright.adapters.engines.files import write_private

FILE = "rehearsal.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """The thread, and the number of steps that the run ``run_id`` has done of its scenario."""

    thread_id: str = ""
    done: int = 0
    run_id: str = ""

    def of_run(self, run_id: str) -> "Progress":
        """Return where ``run_id`` stands: a later run, such as a revise, keeps the thread and acts every step again."""
        return self if self.run_id == run_id else Progress(self.thread_id, 0, run_id)


def load(folder: Path) -> Progress:
    """Return the stored progress; a missing or unreadable file is a fresh start."""
    try:
        stored = json.loads((folder / FILE).read_bytes())
        return Progress(str(stored["thread_id"]), max(0, int(stored["done"])), str(stored.get("run_id", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def save(folder: Path, progress: Progress) -> None:
    """Store the progress, so that it survives a killed process."""
    body = json.dumps(asdict(progress), sort_keys=True)
    write_private(folder / FILE, body.encode() + b"\n")
