"""Lists get the last version of a key, at most four times a second; after silence a change goes out at once."""

from datetime import datetime, timedelta

from stagewright.processes.gateway.realtime.frames import Piece

SILENCE = timedelta(milliseconds=250)
Place = tuple[str, str]


class Coalescer:
    """Shared by all sockets: a list's frames are the same for everybody who may see them."""

    def __init__(self, silence: timedelta = SILENCE) -> None:
        self._silence = silence
        self._sent: dict[Place, datetime] = {}
        self._held: dict[Place, tuple[Piece, int]] = {}
        self._dropped = 0

    def offer(self, piece: Piece, batch: int, now: datetime) -> bool:
        """Say whether the piece goes out now. If not it is held, in place of an older version of its key."""
        place = (piece.frame.route, piece.frame.key)
        held = self._held.get(place)
        if held is not None:
            self._dropped += 1
            self._held[place] = (piece, held[1])  # its cursor waits since the first one held
            return False
        if now - self._sent.get(place, now - self._silence) < self._silence:
            self._held[place] = (piece, batch)
            return False
        self._sent[place] = now
        return True

    def due(self, now: datetime) -> list[Piece]:
        """Return the held pieces whose silence is over, in order of the journal; they count as sent."""
        ready = [place for place in self._held if now - self._sent[place] >= self._silence]
        pieces = [self._held.pop(place)[0] for place in ready]
        self._sent.update(dict.fromkeys(ready, now))
        for place in [place for place, at in self._sent.items() if now - at >= self._silence and place not in ready]:
            if place not in self._held:
                del self._sent[place]
        return sorted(pieces, key=lambda piece: piece.seq)

    def take_dropped(self) -> int:
        """Return how many versions newer ones have replaced since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    @property
    def oldest(self) -> int | None:
        """Return the first batch of which something is held: no cursor may pass it."""
        return min((batch for _, batch in self._held.values()), default=None)

    def next_due(self) -> datetime | None:
        """Return when the next piece is due."""
        return min((self._sent[place] + self._silence for place in self._held), default=None)
