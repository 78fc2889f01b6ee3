"""How much a file may hold (``stack.md`` section 1.2)."""

from stagewright.contexts.deploys.model.places import At, Source

MOST_BYTES = 1 << 20
"""Of one file."""
MOST_TOTAL = 16 << 20
"""Of all files of a stack, manifests included."""
MOST_FILES = 4_000
MOST_ALIASES = 100
MOST_NODES = 50_000
MOST_LETTERS = 8 << 20
"""Of all texts of one file once its aliases are expanded."""
MOST_LEVELS = 64
MOST_NOTES = 201
"""Of one file, errors and warnings each; more are never shown."""


class Refused(Exception):
    """The file is given up at this place."""

    def __init__(self, code: str, message: str, at: At | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.hint = hint


def place(source: Source, text: str, index: int) -> At:
    """Return the place of the letter ``index`` of ``text``."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return At(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
