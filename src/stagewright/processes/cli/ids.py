"""What an argument names: a run by id, prefix, address, issue or @latest; a project by key; a repository by name."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from stagewright.processes.cli import cache
from stagewright.processes.cli.exits import NOT_FOUND, USAGE, Failure
from stagewright.processes.cli.git import origin_repository

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

ISSUE = re.compile(r"(?:([\w.-]+/[\w.-]+))?#(\d{1,9})")
FORGE_PATH = re.compile(r"/([\w.-]+/[\w.-]+)/(issues|pull)/(\d{1,9})")
RUN_PATH = re.compile(r"/runs/([0-9a-f-]{36})")
NUMBER = re.compile(r"run-\d{1,9}")
PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{5,35}")
NEWEST = 200
LATEST = "@latest"


class Thread(NamedTuple):
    """An issue or pull request. ``is_pull_request``: an address says so; a number alone may be either."""

    repository: str
    number: int
    is_pull_request: bool = False


def find_thread(call: "Call", text: str) -> Thread:
    """Return what ``owner/repo#12``, ``#12`` in a clone, or an address names. Raise ``Failure``: 2."""
    if "://" in text and (found := FORGE_PATH.search(urlsplit(text).path)):
        return Thread(found[1], int(found[3]), found[2] == "pull")
    named = ISSUE.fullmatch(text)
    repository = (named[1] or origin_repository()) if named else None
    if named is None or repository is None:
        raise Failure(
            USAGE, f"ISSUE: {text!r} must be written owner/repo#12, #12 in a clone, or as the address of an issue"
        )
    return Thread(repository, int(named[2]))


def runs_named(call: "Call", text: str) -> Iterator[str]:
    """Yield the id of each run that ``text`` names; ``-`` reads them from stdin."""
    if text != "-":
        yield find_run(call, text)
        return
    for line in sys.stdin:
        if line.strip():
            yield find_run(call, line.strip())


def find_run(call: "Call", text: str) -> str:
    """Return the id of the run. Raise ``Failure``: 2 for what cannot be read or means several, 6 for none."""
    if _is_uuid(text):
        return text.lower()
    if text == LATEST:
        return _only(_newest(call, project=project_id(call), actor=_me(call)), "you have started no run here yet")
    if "://" in text:
        return _of_address(call, text)
    if found := ISSUE.fullmatch(text):
        return _of_thread(call, found[1] or origin_repository(), "issue", int(found[2]))
    if NUMBER.fullmatch(text.lower()):
        return _of_number(call, text.lower())
    if PREFIX.fullmatch(text.lower()):
        return _of_prefix(call, text.lower())
    raise Failure(
        USAGE,
        f"RUN: {text!r} names no run; write its number (run-0042), an id or at least 6 of its first characters, an "
        "address, owner/repo#12, @latest, or - for ids on stdin",
    )


def project_id(call: "Call", *, needed: bool = False) -> str | None:
    """Return the id of the project this call is about; None when none is chosen and none is ``needed``."""
    wanted = call.target.project
    if wanted is None:
        if needed:
            raise Failure(USAGE, "no project is chosen", hint="--project KEY, or `stagewright project use KEY`")
        return None
    return wanted if _is_uuid(wanted) else str(find_project(call, wanted)["id"])


def find_project(call: "Call", wanted: str) -> Mapping[str, Any]:
    """Return the project with the key or id."""
    if _is_uuid(wanted):
        found: Mapping[str, Any] = call.client().get(f"/projects/{wanted}")
        return found
    projects = call.client().items("/projects", limit=1000).found
    for item in projects:
        if item["key"] == wanted:
            return item
    known = ", ".join(str(item["key"]) for item in projects) or "none"
    raise Failure(NOT_FOUND, f"there is no project {wanted!r} here; known: {known}", hint="stagewright project list")


def find_repository(call: "Call", wanted: str) -> Mapping[str, Any]:
    """Return the repository of the project that is called ``owner/name`` or has the id."""
    project = project_id(call, needed=True)
    known = call.client().items(f"/projects/{project}/repositories", limit=1000).found
    for item in known:
        if wanted.lower() in (str(item["full_name"]).lower(), item["id"]):
            return item
    names = ", ".join(str(item["full_name"]) for item in known) or "none"
    raise Failure(NOT_FOUND, f"{wanted!r} is not bound to this project; bound: {names}", hint="stagewright repo list")


def _of_address(call: "Call", text: str) -> str:
    path = urlsplit(text).path
    if found := RUN_PATH.search(path):
        return found[1]
    if found := FORGE_PATH.search(path):
        return _of_thread(call, found[1], "pr" if found[2] == "pull" else "issue", int(found[3]))
    raise Failure(USAGE, f"RUN: {text} is no address of a run, an issue or a pull request")


def _of_thread(call: "Call", repository: str | None, kind: str, number: int) -> str:
    if repository is None:
        raise Failure(USAGE, f"RUN: which repository's #{number}? Write owner/repo#{number}")
    found = _newest(call, repository=_repository_id(call, repository), **{kind: number})
    return _only(found, f"{repository}#{number} has no run yet")


def issue_filter(call: "Call", text: str) -> dict[str, Any]:
    """Return the list filters that an issue stands for: ``owner/repo#12``, or ``#12`` in a work tree."""
    found = ISSUE.fullmatch(text)
    repository = (found[1] or origin_repository()) if found else None
    if found is None or repository is None:
        raise Failure(USAGE, f"--issue: {text!r} must be written owner/repo#12")
    return {"repository": _repository_id(call, repository), "issue": int(found[2])}


def _repository_id(call: "Call", full_name: str) -> str:
    for project in call.client().items("/projects", limit=1000):
        found = call.client().get(f"/projects/{project['id']}/repositories", full_name=full_name)["items"]
        if found:
            return str(found[0]["id"])
    raise Failure(NOT_FOUND, f"{full_name} is not bound here", hint="stagewright repo list")


def _of_prefix(call: "Call", prefix: str) -> str:
    seen = [one for one, _ in cache.recall(call.environ, "runs", call.target.host) if one.startswith(prefix)]
    if len(seen) == 1:
        return seen[0]
    found = [item for item in call.client().items("/runs", limit=NEWEST) if str(item["id"]).startswith(prefix)]
    if len(found) > 1:
        lines = "\n".join(f"  {item['id']}  {describe_run(item)}" for item in found)
        raise Failure(USAGE, f"RUN: {prefix!r} begins several ids:\n{lines}", hint="write more of it")
    return _only(found, f"none of the newest {NEWEST} runs begins with {prefix}")


def _of_number(call: "Call", number: str) -> str:
    wanted = int(number.partition("-")[2])
    found = [item for item in call.client().items("/runs", limit=NEWEST) if item["number"] == f"run-{wanted:04d}"]
    return _only(found, f"{number} is not among the newest {NEWEST} runs")


def _newest(call: "Call", **filters: Any) -> list[dict[str, Any]]:
    return call.client().items("/runs", limit=1, **filters).found


def _only(found: list[dict[str, Any]], otherwise: str) -> str:
    if not found:
        raise Failure(NOT_FOUND, otherwise, hint="stagewright run list")
    return str(found[0]["id"])


def _me(call: "Call") -> list[str] | None:
    """Return who started what I started: my id, and my forge login. Without a known login everybody counts."""
    me = call.client().get("/me")
    return [str(me["id"]), str(me["github_login"])] if me.get("github_login") else None


def describe_run(item: Mapping[str, Any]) -> str:
    """Return a run in a few words: ``dev · waiting · #118``."""
    thread = item.get("issue_number") or item.get("pr_number")
    parts = [item.get("stage") or item.get("kind"), item.get("status"), f"#{thread}" if thread else None]
    return " · ".join(str(part) for part in parts if part)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
