"""Frames as texts: the journal's body is written once, and readers of equal rights share every message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from stagewright.kit.journal import Entry
from stagewright.processes.gateway.realtime.rights import Rights, Signature, actions_of
from stagewright.processes.gateway.realtime.topics import Frame, frames_of

PER_MESSAGE = 100


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame with its texts: everything but the topic's name and the reader's allowed actions."""

    seq: int
    at: str
    frame: Frame
    head: str
    data: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the journal as the feed keeps it; ``size`` in bytes, roughly."""

    seq: int
    tx: int
    pieces: tuple[Piece, ...]
    size: int


def line_of(entry: Entry) -> Line:
    """Return the row's pieces. Frames with the journal's own body share its text."""
    body, at = text_of(entry.body), entry.at.isoformat()
    pieces = []
    for frame in frames_of(entry):
        data = body if frame.data is entry.body else text_of(frame.data)
        version = "null" if frame.version is None else str(frame.version)
        key, kind = text_of(frame.key), text_of(frame.kind)
        head = f',"key":{key},"kind":{kind},"version":{version},"at":"{at}","data":'
        pieces.append(Piece(entry.seq, at, frame, head, data))
    return Line(entry.seq, entry.tx, tuple(pieces), len(body) + 300 * len(pieces))


def text_of(value: object) -> str:
    """Return ``value`` as JSON."""
    return msgspec.json.encode(value).decode()


class Scribe:
    """Writes frames and messages, each once per topic and set of rights: for one batch, or one replay."""

    def __init__(self) -> None:
        self.used = 0
        self._frames: dict[tuple[int, str, str, Signature | None, bool], str] = {}
        self._messages: dict[tuple[tuple[int, ...], str | None], str] = {}

    def frame(self, piece: Piece, topic: str, rights: Rights) -> str:
        """Return the frame's text for a reader with these rights."""
        self.used += 1
        signature = rights.signature(piece.frame.project_id) if piece.frame.shape is not None else None
        myself = piece.frame.shape == "user" and piece.frame.key == str(rights.caller.user.id)
        place = (piece.seq, piece.frame.route, topic, signature, myself)
        known = self._frames.get(place)
        if known is None:
            known = self._frames[place] = _frame_text(piece, topic, rights)
        return known

    def messages(self, frames: Sequence[str], cursor: str | None) -> Iterable[str]:
        """Yield the messages with these frames; only the last one carries the cursor."""
        for start in range(0, len(frames), PER_MESSAGE):
            part = frames[start : start + PER_MESSAGE]
            yield self._message(part, cursor if start + PER_MESSAGE >= len(frames) else None)

    def _message(self, frames: Sequence[str], cursor: str | None) -> str:
        place = (tuple(map(id, frames)), cursor)
        known = self._messages.get(place)
        if known is None:
            end = "]}" if cursor is None else f'],"cursor":"{cursor}"}}'
            known = self._messages[place] = '{"op":"events","frames":[' + ",".join(frames) + end
        return known


def _frame_text(piece: Piece, topic: str, rights: Rights) -> str:
    data = piece.data
    if piece.frame.shape is not None:
        actions = [item.model_dump() for item in actions_of(piece.frame, rights.caller)]
        comma = "" if data == "{}" else ","
        data = f'{data[:-1]}{comma}"allowed_actions":{text_of(actions)}}}'
    return f'{{"id":"{piece.seq}","topic":{text_of(topic)}{piece.head}{data}}}'
