"""Where a rehearsal stands: a step counter in the session folder. It is the engine's whole session."""

import json
from dataclasses import dataclass
from pathlib import Path

from stagewright.adapters.engines.files import write_private

FILE = "rehearsal.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """The thread and the number of steps that are done."""

    thread_id: str = ""
    done: int = 0


def load(folder: Path) -> Progress:
    """Return the stored progress; a missing or unreadable file is a fresh start."""
    try:
        stored = json.loads((folder / FILE).read_bytes())
        return Progress(str(stored["thread_id"]), max(0, int(stored["done"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def save(folder: Path, progress: Progress) -> None:
    """Store the progress, so that it survives a killed process."""
    body = json.dumps({"done": progress.done, "thread_id": progress.thread_id}, sort_keys=True)
    write_private(folder / FILE, body.encode() + b"\n")
