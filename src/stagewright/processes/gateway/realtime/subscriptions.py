"""Which topics there are, who gets them, and where their rows stand in the journal (access.md §8.2)."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from stagewright.contexts.identity.api import Permission
from stagewright.contexts.projects.api import find_repository, list_by_name
from stagewright.contexts.runs.http.logs import Stream
from stagewright.contexts.runs.views import find_run
from stagewright.contexts.workflow.events import PolicyChanged
from stagewright.kit.db import Reader
from stagewright.kit.feed import Wanted
from stagewright.processes.gateway.realtime.messages import Refused
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.topics import Frame, issue_route

ISSUE = re.compile(r"([\w.-]{1,100}/[\w.-]{1,100})#([0-9]{1,9})", re.ASCII)
FAMILIES: Mapping[str, Permission] = {
    "runs": Permission.SIGNED_IN,
    "waits": Permission.SIGNED_IN,
    "approvals": Permission.SIGNED_IN,
    "projects": Permission.SIGNED_IN,
    "incidents": Permission.SIGNED_IN,
    "agents": Permission.SIGNED_IN,
    "labels": Permission.SIGNED_IN,
    "audit": Permission.AUDIT_VIEW_INSTALLATION,
    "users": Permission.USER_MANAGE,
    "settings": Permission.SETTINGS_MANAGE,
    "system": Permission.PLATFORM_OPERATE,
}
UNAVAILABLE = frozenset({"deploys", "mcp.calls", "deploy", "environment", "config", "docsets", "cluster"})
"""Topics of the specification whose rows this release does not write."""

LOGS = "run.logs"
COLUMNS: Mapping[str, str] = {
    "runs": "runs",
    "waits": "runs",
    "approvals": "approvals",
    "incidents": "incidents",
    "users": "users",
} | {name: name for name in ("settings", "system")}
"""Families whose rows have one topic in the journal; the others are found by their kinds."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic somebody may follow. ``project_id``: whose topic it is; None: a family, shown row by row."""

    topic: str
    route: str
    project_id: UUID | None = None
    permission: Permission = Permission.PROJECT_VIEW

    @property
    def by_row(self) -> bool:
        """Say whether every row has a project of its own to be looked at."""
        return self.permission is Permission.SIGNED_IN

    def shows(self, frame: Frame, rights: Rights) -> bool:
        """Say whether the frame is for somebody with these rights."""
        return not self.by_row or rights.shows(frame.project_id) or self.route.startswith("inbox:")

    def allowed(self, rights: Rights) -> bool:
        """Say whether these rights still give the topic."""
        return rights.may(self.permission, self.project_id)


@dataclass(frozen=True, slots=True)
class LogTopic:
    """A stream of a run's logs."""

    topic: str
    run_id: UUID
    stream: str
    project_id: UUID

    def allowed(self, rights: Rights) -> bool:
        """Say whether these rights still give the topic."""
        return rights.may(Permission.PROJECT_VIEW, self.project_id)


@dataclass(slots=True)
class Granted:
    """What came of a wish for topics."""

    topics: list[Subscription] = field(default_factory=list)
    logs: list[LogTopic] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Return the topics that are followed."""
        return [item.topic for item in self.topics] + [item.topic for item in self.logs]


async def grant(reader: Reader, topics: Iterable[str], rights: Rights) -> Granted:
    """Sort topics into those the caller gets and those refused. What one may not see answers like what is not there."""
    granted = Granted()
    for topic in dict.fromkeys(topics):
        head, _, rest = topic.partition(":")
        if topic in FAMILIES:
            _family(topic, rights, granted)
        elif head in OBJECTS:
            found = await OBJECTS[head](reader, rest, rights)
            if isinstance(found, LogTopic) and found.allowed(rights):
                granted.logs.append(found)
            elif isinstance(found, Subscription) and found.allowed(rights):
                granted.topics.append(found)
            else:
                granted.refused.append(Refused(topic, "not_found"))
        else:
            known = head in UNAVAILABLE or topic.startswith("deploy.logs:")
            granted.refused.append(Refused(topic, "topic.unavailable" if known else "topic.unknown"))
    return granted


def _family(topic: str, rights: Rights, granted: Granted) -> None:
    found = Subscription(topic, topic, permission=FAMILIES[topic])
    if found.allowed(rights):
        granted.topics.append(found)
    else:
        granted.refused.append(Refused(topic, "forbidden"))


Found = Subscription | LogTopic | None


async def _run(reader: Reader, rest: str, rights: Rights) -> Found:
    row = await find_run(reader, key) if (key := as_uuid(rest)) else None
    return _whole(f"run:{row.run.id}", row.run.project_id) if row else None


async def _repository(reader: Reader, rest: str, rights: Rights) -> Found:
    found = await find_repository(reader, key) if (key := as_uuid(rest)) else None
    return _whole(f"repository:{found.id}", found.project_id) if found else None


async def _issue(reader: Reader, rest: str, rights: Rights) -> Found:
    match = ISSUE.fullmatch(rest)
    found = await list_by_name(reader, match[1]) if match else []
    mine = next((item for item in found if rights.shows(item.project_id)), None)
    if match is None or mine is None:
        return None
    number = int(match[2])
    return Subscription(f"issue:{mine.full_name}#{number}", issue_route(mine.id, number), mine.project_id)


async def _members(reader: Reader, rest: str, rights: Rights) -> Found:
    project = as_uuid(rest)
    return _whole(f"members:{project}", project) if project and rights.shows(project) else None


async def _inbox(reader: Reader, rest: str, rights: Rights) -> Found:
    mine = rights.caller.user.id
    name = f"inbox:{mine}"
    return Subscription(name, name, permission=Permission.SIGNED_IN) if as_uuid(rest) == mine else None


async def _log(reader: Reader, rest: str, rights: Rights) -> Found:
    key, _, stream = rest.partition(":")
    row = await find_run(reader, run_id) if (run_id := as_uuid(key)) and stream in list(Stream) else None
    return LogTopic(f"{LOGS}:{row.run.id}:{stream}", row.run.id, stream, row.run.project_id) if row else None


def _whole(route: str, project_id: UUID) -> Subscription:
    return Subscription(route, route, project_id)


Find = Callable[[Reader, str, Rights], Awaitable[Found]]
OBJECTS: Mapping[str, Find] = {
    "run": _run,
    "repository": _repository,
    "issue": _issue,
    "members": _members,
    "inbox": _inbox,
    LOGS: _log,
}


def as_uuid(text: str) -> UUID | None:
    """Return the id that ``text`` is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def places(subscriptions: Iterable[Subscription], rights: Rights) -> Wanted:
    """Return where the journal holds the topics' rows: these and perhaps more."""
    streams: list[str] = []
    columns: list[str] = []
    kinds: list[str] = []
    everything = False
    for item in subscriptions:
        head, _, rest = item.route.partition(":")
        if item.route == "audit":
            everything = True
        elif item.route in COLUMNS:
            columns.append(COLUMNS[item.route])
        elif item.route in ("agents", "labels"):
            kinds += [PolicyChanged.kind, "repository.label_drifted", "repository.labels_synced"]
        elif item.route == "projects":
            columns.append("projects")
        elif head == "issue":
            repository, _, number = rest.partition("#")
            streams.append(f"thread:{repository}:{number}")
            columns.append("runs")
        else:
            streams.append(f"{STREAM_OF.get(head, head)}:{rest}")
    visible = None if rights.visible is None else sorted(rights.visible)
    return Wanted(streams, sorted(set(columns)), visible, sorted(set(kinds)), everything)


STREAM_OF: Mapping[str, str] = {"members": "project", "inbox": "user"}
