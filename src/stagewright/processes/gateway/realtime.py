"""What is new, by polling: stateless, the same frames as the socket's will be (access.md §8.7)."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.projects.api import find_repository
from stagewright.contexts.runs.http.logs import Stream, positions
from stagewright.contexts.runs.http.shapes import run_actions
from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.views import find_run
from stagewright.kit import feed
from stagewright.kit.db import Reader
from stagewright.kit.http import RequestBody
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant
from stagewright.processes.gateway.topics import FAMILIES, STREAMS, Frame, frames_of

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


@dataclass
class _Followed:
    topics: set[str] = field(default_factory=set)
    streams: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    logs: dict[str, LogNews] = field(default_factory=dict)
    refused: list[RefusedTopic] = field(default_factory=list)

    def refuse(self, topic: str, code: str) -> None:
        self.refused.append(RefusedTopic(topic=topic, code=code))


@routes.post("/realtime/poll", Permission.SIGNED_IN)
async def poll(form: PollForm, me: CallerDep, db: Db, clock: ClockDep) -> PollView:
    """Return what changed in the topics since the last cursor; without a cursor, only a cursor."""
    now = clock.now()
    seen = me.projects
    async with db.reading() as reader:
        followed = await _follow(reader, [*form.topics, *form.logs], me)
        wanted = feed.Wanted(followed.streams, followed.families, None if seen is None else list(seen))
        news = await feed.read_news(reader, form.last_event_id, wanted, most=MOST_FRAMES, now=now)
    frames = frames_of(news.entries, frozenset(followed.topics))
    return PollView(
        frames=[_view(frame, me) for frame in frames],
        logs=followed.logs,
        refused=followed.refused,
        cursor=news.cursor,
        resync=Resync(topics="all", reason=news.resync) if news.resync else None,
        server_time=now.isoformat(),
    )


async def _follow(reader: Reader, topics: list[str], me: Caller) -> _Followed:
    followed = _Followed()
    for topic in dict.fromkeys(topics):
        head, _, rest = topic.partition(":")
        if topic in FAMILIES:
            followed.topics.add(topic)
            followed.families.append(topic)
        elif head == "run.logs":
            await _follow_log(reader, topic, rest, me, followed)
        elif head in STREAMS:
            await _follow_stream(reader, topic, head, rest, me, followed)
        else:
            followed.refuse(topic, "topic.unknown")
    return followed


async def _follow_stream(reader: Reader, topic: str, head: str, rest: str, me: Caller, followed: _Followed) -> None:
    project = await _project_of(reader, head, _uuid(rest))
    if project is None or not me.may(Permission.PROJECT_VIEW, project):
        followed.refuse(topic, "not_found")
        return
    stream = f"{head}:{_uuid(rest)}"
    followed.topics.add(stream)
    followed.streams.append(stream)


async def _project_of(reader: Reader, head: str, key: UUID | None) -> UUID | None:
    if key is None:
        return None
    if head == "run":
        row = await find_run(reader, key)
        return row.run.project_id if row else None
    repository = await find_repository(reader, key)
    return repository.project_id if repository else None


async def _follow_log(reader: Reader, topic: str, rest: str, me: Caller, followed: _Followed) -> None:
    key, _, name = rest.partition(":")
    run_id = _uuid(key)
    project = await _project_of(reader, "run", run_id)
    if run_id is None or project is None or not me.may(Permission.PROJECT_VIEW, project) or name not in list(Stream):
        followed.refuse(topic, "not_found")
        return
    attempt = await attempt_rows.find_newest(reader, run_id)
    if attempt is None:
        return
    place = next(item for item in await positions(reader, attempt.id) if item.stream == name)
    ended = LogEof(bytes=place.bytes, lines=place.lines, sha256=place.sha256) if place.sha256 else None
    followed.logs[topic] = LogNews(
        attempt=attempt.generation,
        attempt_id=str(attempt.id),
        stream_seq=place.stream_seq,
        bytes=place.bytes,
        eof=ended,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _view(frame: Frame, me: Caller) -> FrameView:
    data = dict(frame.data)
    if frame.is_run and frame.project_id is not None:
        status = RunStatus(data["status"])
        data["allowed_actions"] = [item.model_dump() for item in run_actions(frame.project_id, status, me)]
    return FrameView(
        id=frame.id,
        topic=frame.topic,
        key=frame.key,
        kind=frame.kind,
        version=frame.version,
        at=frame.at,
        data=data,
    )
