"""The words on the socket, one source: read and written here; docs/realtime.schema.json is made of them."""

from typing import Any, Literal

import msgspec
from msgspec import Struct

PROTOCOL = "stagewright.v1"
VERSION = 1
TEXT_LIMIT = 64 * 1024
MOST_TOPICS = 100


class Mark(Struct, forbid_unknown_fields=True):
    """How far the client has a log; chunks after it are sent."""

    attempt: int
    stream_seq: int


class Hello(Struct, tag_field="op", tag="hello", forbid_unknown_fields=True):
    """The first message, once. Without ``last_event_id`` only what happens from now on is sent."""

    v: int
    last_event_id: str | None = None
    topics: list[str] = []
    logs: dict[str, Mark] = {}


class Sub(Struct, tag_field="op", tag="sub", forbid_unknown_fields=True):
    """Follow more topics; the answer ``ack`` repeats ``n``."""

    n: int
    topics: list[str] = []
    logs: dict[str, Mark] = {}


class Unsub(Struct, tag_field="op", tag="unsub", forbid_unknown_fields=True):
    """Follow these topics no longer. There is no answer; a frame may still be under way."""

    topics: list[str]


class Refused(Struct):
    """A topic that the client does not get: ``not_found``, ``forbidden``, ``topic.unknown``, ``topic.unavailable``."""

    topic: str
    code: str


class Frame(Struct):
    """One change. ``id`` is for removing doubles; ``version`` is the only order, per ``key``; null data: deleted."""

    id: str
    topic: str
    key: str
    kind: str
    version: int | None
    at: str
    data: dict[str, Any] | None


class Ready(Struct, tag_field="op", tag="ready"):
    """The answer to ``hello``. ``behind``: how many frames of the past follow."""

    cursor: str
    server_time: str
    topics: list[str]
    refused: list[Refused]
    behind: int


class Ack(Struct, tag_field="op", tag="ack"):
    """The answer to ``sub``: from here on the topics' frames are sent."""

    n: int
    topics: list[str]
    refused: list[Refused]


class Events(Struct, tag_field="op", tag="events", omit_defaults=True):
    """Frames in order. ``cursor``, where present, covers everything up to this message."""

    frames: list[Frame]
    cursor: str | None = None


class Resync(Struct, tag_field="op", tag="resync"):
    """Load these topics anew by REST; frames go on from ``cursor``."""

    topics: list[str] | Literal["all"]
    reason: Literal["too_old", "epoch", "overflow", "access_changed"]
    cursor: str


class Ping(Struct, tag_field="op", tag="ping"):
    """A sign of life every 15 s; keeps the cursor of a quiet client young."""

    at: str
    cursor: str


class Error(Struct, tag_field="op", tag="error"):
    """Something is wrong with one topic (``forbidden``, ``log_gap``, ``log_lag``); the socket lives on."""

    topic: str
    code: str


class End(Struct):
    """The totals of a log that has ended."""

    bytes: int
    lines: int
    sha256: str


class Chunk(Struct, omit_defaults=True):
    """The first line of a binary message, as JSON; after its line feed come the bytes of the chunk.

    ``at``: when the chunk was written, or the log ended. Lines that end in the chunk are of that time.
    """

    topic: str
    attempt: int
    stream_seq: int
    from_byte: int
    from_line: int
    at: str
    eof: End | None = None


ClientMessage = Hello | Sub | Unsub
ServerMessage = Ready | Ack | Events | Resync | Ping | Error
_decoder: msgspec.json.Decoder[Hello | Sub | Unsub] = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


class NotUnderstood(Exception):
    """A message that is not of the protocol."""


def read_message(text: str) -> Hello | Sub | Unsub:
    """Return the client's message. Raises ``NotUnderstood`` with what is wrong about it."""
    try:
        data = text.encode()
        if len(data) > TEXT_LIMIT:
            raise NotUnderstood(f"the message is longer than {TEXT_LIMIT} bytes")
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise NotUnderstood(str(error)) from error


def write_message(message: ServerMessage) -> str:
    """Return the text of a server's message."""
    return _encoder.encode(message).decode()


def write_chunk(header: Chunk, data: bytes) -> bytes:
    """Return the binary message of a chunk."""
    return _encoder.encode(header) + b"\n" + data
