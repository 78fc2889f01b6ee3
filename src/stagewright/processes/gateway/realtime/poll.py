"""What is new, by polling: stateless, the same frames as the socket's, by the same functions (access.md §8.7)."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.runs.http.logs import positions
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.kit import feed
from stagewright.kit.db import Reader
from stagewright.kit.http import RequestBody
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant
from stagewright.processes.common import Platform
from stagewright.processes.gateway.realtime.frames import Piece
from stagewright.processes.gateway.realtime.past import Past, read_past
from stagewright.processes.gateway.realtime.rights import Rights, actions_of
from stagewright.processes.gateway.realtime.subscriptions import LogTopic, grant
from stagewright.processes.stored_settings import RETENTION_REPLAY

MOST_FRAMES = 2000
MOST_TOPICS = 100
routes = Routes(tag="realtime")
CallerDep = Annotated[Caller, Depends(caller)]


class LogMark(RequestBody):
    """How far the client has a log."""

    attempt: int = Field(ge=1)
    stream_seq: int = Field(ge=0)


class PollForm(RequestBody):
    """What the client follows and how far it is. Log topics are ``run.logs:<run>:<stream>``."""

    last_event_id: str | None = None
    topics: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=MOST_TOPICS)
    logs: dict[str, LogMark] = Field(default={}, max_length=MOST_TOPICS)


class FrameView(BaseModel):
    """One change. ``id`` is for removing doubles only; ``version`` orders the changes of a key."""

    id: str
    topic: str
    key: str
    kind: str
    version: int | None
    at: Instant
    data: dict[str, Any]


class LogEof(BaseModel):
    """The end of a stream."""

    bytes: int
    lines: int
    sha256: str


class LogNews(BaseModel):
    """The newest position of a stream; its bytes are read by REST."""

    attempt: int
    attempt_id: Id
    stream_seq: int
    bytes: int
    eof: LogEof | None


class RefusedTopic(BaseModel):
    """A topic that the caller does not get."""

    topic: str
    code: str


class Resync(BaseModel):
    """Load the topics anew; go on from the answer's cursor."""

    topics: Literal["all"]
    reason: str


class PollView(BaseModel):
    """What is new since ``last_event_id``; ``cursor`` is the next one."""

    frames: list[FrameView]
    logs: dict[str, LogNews]
    refused: list[RefusedTopic]
    cursor: str
    resync: Resync | None
    server_time: Instant


@routes.post("/realtime/poll", Permission.SIGNED_IN)
async def poll(form: PollForm, me: CallerDep, db: Db, clock: ClockDep, request: Request) -> PollView:
    """Return what changed in the topics since the last cursor; without a cursor, only a cursor."""
    platform: Platform = request.app.state.platform
    platform.metrics.poll_requests.inc()
    rights, now = Rights(me), clock.now()
    window = await platform.stored.length(RETENTION_REPLAY)
    async with db.reading() as reader:
        granted = await grant(reader, [*form.topics, *form.logs], rights)
        present, epoch = await feed.present(reader), await feed.epoch(reader)
        past = Past({item.route: item for item in granted.topics}, rights, MOST_FRAMES)
        reason = None
        if form.last_event_id is not None:
            try:
                seen = feed.check_cursor(form.last_event_id, epoch=epoch, present=present, now=now, window=window)
            except feed.BadCursor as error:
                reason = error.reason
            else:
                await read_past(reader, seen, present, past)
                reason = "overflow" if past.over else None
        logs = {log.topic: news for log in granted.logs if (news := await _log_news(reader, log)) is not None}
    return PollView(
        frames=[] if reason else [_view(piece, item.topic, rights) for piece, item in past.shown(rights)],
        logs=logs,
        refused=[RefusedTopic(topic=item.topic, code=item.code) for item in granted.refused],
        cursor=feed.Cursor(epoch, present.text, now).encode(),
        resync=Resync(topics="all", reason=reason) if reason else None,
        server_time=now.isoformat(),
    )


async def _log_news(reader: Reader, log: LogTopic) -> LogNews | None:
    attempt = await attempt_rows.find_newest(reader, log.run_id)
    if attempt is None:
        return None
    place = next(item for item in await positions(reader, attempt.id) if item.stream == log.stream)
    ended = LogEof(bytes=place.bytes, lines=place.lines, sha256=place.sha256) if place.sha256 else None
    return LogNews(
        attempt=attempt.generation,
        attempt_id=str(attempt.id),
        stream_seq=place.stream_seq,
        bytes=place.bytes,
        eof=ended,
    )


def _view(piece: Piece, topic: str, rights: Rights) -> FrameView:
    frame, data = piece.frame, dict(piece.frame.data)
    if frame.shape is not None:
        data["allowed_actions"] = [item.model_dump() for item in actions_of(frame, rights.caller)]
    return FrameView(
        id=str(piece.seq),
        topic=topic,
        key=frame.key,
        kind=frame.kind,
        version=frame.version,
        at=piece.at,
        data=data,
    )
