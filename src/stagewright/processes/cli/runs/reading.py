"""Reading runs: lists, one run, its events, prompt and result."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import cache
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FORBIDDEN, Failure
from stagewright.processes.cli.ids import describe_run, find_run, issue_filter, project_id, runs_named
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.pager import paged
from stagewright.processes.cli.present.text import RESET, reduced, safe
from stagewright.processes.cli.runs import words

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

DIFF_COLOURS = {"+": "32", "-": "31", "@": "36"}


def list_runs(
    call: "Call",
    *,
    status: Sequence[str],
    stage: Sequence[str],
    wait_reason: Sequence[str],
    issue: str | None,
    since: str | None,
    all_projects: bool,
    watch: bool,
) -> None:
    """List runs of the project, the newest first."""
    filters: dict[str, Any] = {
        "project": None if all_projects else project_id(call),
        "status": list(status),
        "stage": list(stage),
        "wait_reason": list(wait_reason),
        "from": since,
        "sort": call.wanted.get("sort"),
        **(issue_filter(call, issue) if issue else {}),
    }
    if watch:
        load("stagewright.processes.cli.runs.watching:watch_list")(call, filters)
        return
    found = fetch(call, filters)
    call.output().items(found, words.LIST, empty="no run matches; set a label such as run:dev on an issue")


def fetch(call: "Call", filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read runs, and keep their ids for completion and prefixes."""
    wanted = call.wanted
    found = call.client().items("/runs", limit=wanted["limit"], cursor=wanted.get("cursor"), **filters)
    rows = [(str(item["id"]), f"{item['number']} · {describe_run(item)}") for item in found]
    cache.remember(call.environ, "runs", call.target.host, rows)
    if found.next_cursor:
        print(f"more: --cursor {found.next_cursor}", file=sys.stderr)
    return found.found


def view_run(call: "Call", name: str, *, web: bool) -> None:
    """Show runs: one, or those named on stdin."""
    output, now = call.output(), datetime.now(UTC)
    for run_id in runs_named(call, name):
        run = call.client().get(f"/runs/{run_id}")
        if web:
            _open(run)
            continue
        extra = [*words.waiting_lines(run, now), *_attempts(run), *words.next_lines(run)]
        output.one(run, words.VIEW, extra)


def _attempts(run: Mapping[str, Any]) -> list[str]:
    found = run.get("attempts") or []
    if len(found) < 2:
        return []
    return [f"Attempt {item['generation']}: {safe(item.get('outcome') or item['status'])}" for item in found]


def _open(run: Mapping[str, Any]) -> None:
    address = words.pull_request(run) or run.get("status_comment_url")
    if not address:
        raise Failure(FORBIDDEN, "this run has no page yet: it has neither a pull request nor a comment")
    print(address)
    load("webbrowser:open")(address)


def list_events(call: "Call", name: str) -> None:
    """List a run's events, oldest first."""
    wanted = call.wanted
    run_id = find_run(call, name)
    found = call.client().items(f"/runs/{run_id}/events", limit=wanted["limit"], cursor=wanted.get("cursor"))
    call.output().items(found.found, words.EVENTS)
    if found.next_cursor:
        print(f"more: --cursor {found.next_cursor}", file=sys.stderr)


def print_prompt(call: "Call", name: str, *, attempt: int | None) -> None:
    """Print the stored copy of the prompt, and nothing else."""
    found = call.client().get(f"/runs/{find_run(call, name)}/prompt", attempt=attempt)
    text = str(found["text"])
    paged(call, text if text.endswith("\n") else f"{text}\n")


def show_result(call: "Call", name: str) -> None:
    """Show what runs handed over."""
    output = call.output()
    for run_id in runs_named(call, name):
        found = call.client().get(f"/runs/{run_id}/result")
        output.one(found, words.RESULT, [*_changes(found), *_violations(found)])


def print_diff(call: "Call", name: str) -> None:
    """Print what an accepted result changes, and nothing else."""
    found = call.client().get(f"/runs/{find_run(call, name)}/result/diff")
    coloured = call.decorated
    lines = reduced(str(found["diff"]), colours=False).splitlines()
    paged(call, "".join(f"{_coloured(line) if coloured else line}\n" for line in lines))
    if found["truncated"]:
        tell(
            f"the diff is longer: these are its first {found['bytes']} bytes; `stagewright run result` lists the files"
        )


def _coloured(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return f"\x1b[1m{line}{RESET}"
    colour = DIFF_COLOURS.get(line[:1])
    return f"\x1b[{colour}m{line}{RESET}" if colour else line


def _changes(found: Mapping[str, Any]) -> list[str]:
    return [f"  {safe(_action(item))} {safe(item.get('path', ''))}" for item in found.get("changed") or ()]


def _action(item: Mapping[str, Any]) -> str:
    return str(item.get("status") or item.get("change") or "changed")


def _violations(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for item in found.get("violations") or ():
        paths = ", ".join(safe(path) for path in item.get("paths") or ())
        lines.append(f"refused: {safe(item.get('code', ''))} {paths}".rstrip())
    return lines
