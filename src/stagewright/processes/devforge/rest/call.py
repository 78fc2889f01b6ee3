"""One API request as the handlers see it, their answers, and the row of the route table that joins the two."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from stagewright.processes.devforge.access import Caller, Needs
from stagewright.processes.devforge.limits import CORE
from stagewright.processes.devforge.model import Repo
from stagewright.processes.devforge.problems import bad_request, invalid, wrong_type
from stagewright.processes.devforge.state import Actor, Forge

T = TypeVar("T")
PER_PAGE = 30
MOST_PER_PAGE = 100
PLACEHOLDER = re.compile(r"\\{(\w+)\\}")
WIDE = ("path", "ref", "basehead", "branch", "tree_sha")  # parameters that may hold slashes

READ_METADATA = Needs(permissions=("metadata",))
READ_THREADS = Needs(permissions=("issues", "pull_requests"))
TALK = Needs(permissions=("issues", "pull_requests"), level="write", role="read")
TRIAGE = Needs(permissions=("issues", "pull_requests"), level="write", role="triage")
READ_PULLS = Needs(permissions=("pull_requests",))
EDIT = Needs(permissions=("issues", "pull_requests"), level="write", role="write")
REVIEW = Needs(permissions=("pull_requests",), level="write", role="read")
WRITE_PULLS = Needs(permissions=("pull_requests",), level="write", role="write")
READ_CONTENTS = Needs(permissions=("contents",))
WRITE_CONTENTS = Needs(permissions=("contents",), level="write", role="write")
READ_HOOKS = Needs(permissions=("repository_hooks",), level="read", role="admin")
WRITE_HOOKS = Needs(permissions=("repository_hooks",), level="write", role="admin")


@dataclass
class Answer:
    """What a handler returns; ``text`` with ``media`` instead of JSON for diffs."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    media: str = "application/json; charset=utf-8"


@dataclass
class Call:
    """An authorised request: state, caller, path parameters, query and JSON body."""

    forge: Forge
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    url: str
    accept: str
    json: Any
    found: Repo | None = None

    @property
    def repo(self) -> Repo:
        """Return the repository the path names; the dispatcher has looked it up."""
        assert self.found is not None, "the route has no repository in its path"
        return self.found

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        return self.caller.actor

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON object sent; nothing sent is an empty one."""
        if self.json is None:
            return {}
        if not isinstance(self.json, dict):
            raise bad_request("Body should be a JSON object")
        return self.json

    def number(self, name: str) -> int:
        """Return a whole number of the path; anything else cannot exist."""
        text = self.path[name]
        return int(text) if text.isascii() and text.isdigit() else -1

    def page(self, items: Sequence[T], show: Callable[[T], Any]) -> Answer:
        """Return one page of a list, with the ``Link`` header GitHub's clients follow."""
        size = min(max(self._whole("per_page", PER_PAGE), 1), MOST_PER_PAGE)
        page = max(self._whole("page", 1), 1)
        last = max(1, -(-len(items) // size))
        shown = [show(item) for item in items[(page - 1) * size : page * size]]
        links = self._links(page, last)
        return Answer(shown, headers={"Link": links} if links else {})

    def _links(self, page: int, last: int) -> str:
        wanted: dict[str, int] = {}
        if page > 1:
            wanted |= {"prev": min(page - 1, last)}
        if page < last:
            wanted |= {"next": page + 1, "last": last}
        if page > 1:
            wanted |= {"first": 1}
        rows = []
        for rel, number in wanted.items():
            query = urlencode(dict(self.query) | {"page": str(number)})
            rows.append(f'<{self.url}?{query}>; rel="{rel}"')
        return ", ".join(rows)

    def _whole(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def text(self, name: str, resource: str, *, required: bool = False) -> str | None:
        """Return a text field of the body, or None when it is absent or null."""
        value = self.body.get(name)
        if value is None:
            if required:
                raise invalid(resource, name, "missing_field")
            return None
        if not isinstance(value, str):
            raise wrong_type(name, value, "a string")
        if required and not value.strip():
            raise invalid(resource, name, "missing_field")
        return value

    def required(self, name: str, resource: str) -> str:
        """Return a text field that must be there and not be blank."""
        value = self.text(name, resource, required=True)
        assert value is not None, "a missing field raises"
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean field of the body."""
        value = self.body.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong_type(name, value, "a boolean")
        return value

    def one_of(self, name: str, resource: str, values: Sequence[str]) -> str | None:
        """Return a text field that takes only some values."""
        value = self.text(name, resource)
        if value is not None and value not in values:
            raise invalid(resource, name)
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or None when it is absent; labels may come as objects with a name."""
        value = self.body.get(name)
        return None if value is None else as_texts(name, value)


def as_texts(name: str, value: Any) -> list[str]:
    """Read a list of texts, or of objects with a ``name``."""
    if not isinstance(value, list):
        raise wrong_type(name, value, "an array")
    found = []
    for item in value:
        text = item.get("name") if isinstance(item, dict) else item
        if not isinstance(text, str):
            raise wrong_type(name, item, "a string")
        found.append(text)
    return found


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """A row of the route table; ``template`` is spelled as GitHub does. No ``needs``: the handler decides."""

    method: str
    template: str
    act: Handler
    needs: Needs | None
    resource: str = CORE
    success: int = 200

    def pattern(self) -> re.Pattern[str]:
        """Return the expression that a path must match."""
        return re.compile(PLACEHOLDER.sub(_group, re.escape(self.template)))


def _group(placeholder: re.Match[str]) -> str:
    name = placeholder.group(1)
    return f"(?P<{name}>{'.*' if name in WIDE else '[^/]+'})"
