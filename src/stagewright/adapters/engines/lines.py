"""Cut a byte stream into lines, however long they are: an over-long line comes in parts that are not ``whole``."""

from dataclasses import dataclass

LONGEST_LINE = 4 * 1024 * 1024
PART = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line feed, or a part of one that is longer than the limit."""

    raw: bytes
    whole: bool = True


class LineCutter:
    """Holds at most one unfinished line of ``longest`` bytes."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pending = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[Line]:
        """Take some bytes and return the lines they finish, and the parts of lines that are too long."""
        lines: list[Line] = []
        for piece in _split_at_line_feeds(data):
            self._pending += piece
            if piece.endswith(b"\n"):
                lines += self._finish()
            elif len(self._pending) > self._longest:
                self._overlong = True
                lines += self._parts()
        return lines

    def rest(self) -> list[Line]:
        """Return what the stream ended with, if it had no line feed."""
        return self._finish() if self._pending else []

    def _finish(self) -> list[Line]:
        if self._overlong or len(self._pending) > self._longest:
            self._overlong = False
            return self._parts()
        line = Line(bytes(self._pending))
        self._pending.clear()
        return [line]

    def _parts(self) -> list[Line]:
        held = bytes(self._pending)
        self._pending.clear()
        return [Line(held[at : at + PART], whole=False) for at in range(0, len(held), PART)]


def _split_at_line_feeds(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    whole = [part + b"\n" for part in parts[:-1]]
    return [*whole, parts[-1]] if parts[-1] else whole
