"""What the command `issue` does: the stage track drawn in text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stagewright.processes.cli.exits import NOT_FOUND, USAGE, Failure
from stagewright.processes.cli.git import origin_repository
from stagewright.processes.cli.ids import FORGE_PATH, ISSUE, find_run
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.present.text import brief, safe

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

Item = Mapping[str, Any]
LINEAGE_PATH = re.compile(r"/i/([\w.-]+)/([\w.-]+)/(\d{1,9})")
MARKS = {
    "done": "[x]",
    "current": "[>]",
    "stopped": "[!]",
    "next": "[ ]",
    "later": "[ ]",
    "passed_over": "[-]",
    "skipped": " - ",
}
MOST_DOCUMENTS = 5
HEAD = (
    Column("issue", of=lambda item: f"{item['repository']['full_name']}#{item['number']}"),
    Column("url"),
    Column("state"),
    Column("profile", of=lambda item: _profile(item["profile"])),
    Column("labels", of=lambda item: ", ".join(label["text"] for label in item["labels"]) or None),
    Column("candidate", of=lambda item: _candidate(item["candidate"])),
)


def view_issue(call: "Call", text: str) -> None:
    """Show the lineage of the issue that ``text`` names."""
    repository, number = _place(call, text)
    found = call.client().get(f"/issues/{repository}/{number}")
    call.output().one(found, HEAD, lines_of(found))


def _place(call: "Call", text: str) -> tuple[str, int]:
    """Return repository and number of an issue or pull request, also by an address or by a run of it."""
    if named := ISSUE.fullmatch(text):
        repository = named[1] or origin_repository()
        if repository is None:
            raise Failure(USAGE, f"ISSUE: which repository's {text}? Write owner/repo{text}")
        return repository, int(named[2])
    if "://" in text:
        path = urlsplit(text).path
        if found := LINEAGE_PATH.search(path):
            return f"{found[1]}/{found[2]}", int(found[3])
        if thread := FORGE_PATH.search(path):
            return thread[1], int(thread[3])
    run = call.client().get(f"/runs/{find_run(call, text)}")
    number = run.get("issue_number") or run.get("pr_number")
    if not number:
        raise Failure(NOT_FOUND, f"{run['number']} belongs to no issue")
    return str(run["repository"]), int(number)


def lines_of(found: Item) -> list[str]:
    """Return the track and what stands beside it, for people."""
    return [*_track(found), *_side(found), *_blockers(found), *_steps(found)]


def _track(found: Item) -> Iterator[str]:
    yield ""
    wanted = found.get("wanted_stage")
    for stage in found["track"]:
        state = str(stage["state"])
        parts = [f"{MARKS.get(state, '[?]')} {safe(stage['stage']):<12} {state.replace('_', ' ')}"]
        if stage["runs"]:
            parts.append(f"in {brief(timedelta(seconds=stage['active_seconds']))}")
        if stage["stage"] == wanted:
            parts.append(f"<- {safe(stage['label'])}")
        yield "  ".join(parts)
        yield from (f"      {line}" for line in _under(stage))


def _under(stage: Item) -> Iterator[str]:
    yield from map(_run, stage["runs"])
    for pull in stage["pulls"]:
        foreign = ", with commits of others" if pull["foreign_push"] else ""
        at = f"{safe(pull['state'])} at {safe(pull['head_sha'])[:10]}{foreign}"
        yield f"PR #{pull['pr_number']} {at}: {safe(pull['url'])}"
    documents = stage["documents"]
    for item in documents[:MOST_DOCUMENTS]:
        by = f"{safe(item['run_number'])}, PR #{item['pr_number']}, {safe(item['commit_sha'])[:10]}"
        yield f"{safe(item['path'])} ({safe(item['status'])} by {by})"
    if len(documents) > MOST_DOCUMENTS:
        yield f"and {len(documents) - MOST_DOCUMENTS} more documents; `-o json` lists them"


def _run(run: Item) -> str:
    why = run["waits_for"] if run["status"] == "waiting" else run["code"]
    why = f": {safe(why)}" if why else ""
    return f"{safe(run['number'])} {safe(run['kind'])} {safe(run['status'])}{why}"


def _side(found: Item) -> Iterator[str]:
    if found["side_runs"]:
        yield ""
        yield "Beside the path:"
        yield from (f"      {_run(run)}" for run in found["side_runs"])


def _blockers(found: Item) -> Iterator[str]:
    if found["blocked_by"]:
        yield ""
        yield f"{safe(found['wanted_stage'])} cannot start now:"
    for item in found["blocked_by"]:
        yield f"  {safe(item['reason'])}: {safe(item['text'])}"
        yield f"      {safe(item['remedy'])}"


def _steps(found: Item) -> Iterator[str]:
    steps: Sequence[Item] = found["next_steps"]
    if steps:
        yield ""
        yield "Next:"
        yield from (f"  {safe(step['text'])}" for step in steps)


def _profile(profile: Item) -> str:
    doubt = ", nobody chose it yet" if profile["provisional"] else f", {profile['source']}"
    return f"{profile['profile']} ({' > '.join(profile['path'])}{doubt})"


def _candidate(candidate: Item | None) -> str | None:
    return f"PR #{candidate['pr_number']} at {candidate['head_sha'][:10]}" if candidate else None
