"""Checking and showing policies. The only client code that loads a context, and only when it is asked to."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from stagewright.kit.errors import Invalid
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, USAGE, Ended, Failure
from stagewright.processes.cli.ids import find_repository, project_id
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.present.text import safe

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

WORKFLOW = "stagewright.contexts.workflow.api"
LARGEST = 256 * 1024
MISTAKES = (
    Column("file"),
    Column("line"),
    Column("pointer"),
    Column("code"),
    Column("message"),
)
STAGES = (
    Column("stage"),
    Column("label"),
    Column("role"),
    Column("mode"),
    Column("scope"),
    Column("model", drop=1),
    Column("source", drop=2),
)


CHANGES = (
    Column("area"),
    Column("subject", kind="whole"),
    Column("kind", title="what"),
    Column("field"),
    Column("before"),
    Column("after"),
)
STEPS = (Column("kind", title="after", kind="whole"), Column("steps", of=lambda row: ", ".join(row["steps"]) or None))
APPROVALS = (
    Column("id", title="row", kind="whole"),
    Column("actions", of=lambda row: ", ".join(row["actions"])),
    Column("kinds", of=lambda row: ", ".join(row["kinds"])),
    Column("roles", of=lambda row: ", ".join(row["roles"]), drop=1),
    Column("env"),
    Column("approval"),
)
REPLAYED = (
    Column("received_at", title="when", kind="time"),
    Column("what", of=lambda row: f"{row['event']}.{row['action']}" if row.get("action") else row["event"]),
    Column("thread", of=lambda row: f"#{row['thread']}" if row.get("thread") else None),
    Column("label"),
    Column("recorded", of=lambda row: _decision(row["recorded"]), wide=True),
    Column("present", title="now", of=lambda row: _decision(row["present"])),
    Column("proposed", title="with the file", of=lambda row: _decision(row["proposed"])),
    Column("doubt", of=lambda row: _doubt(row)),
)
FORESEEN = {
    "run_kind_gone": "active runs of the kind {subject}, which is gone: their next attempt cannot start",
    "run_stage_off": "active runs of {subject}: they go on, no other can start",
    "profile_gone": "open issues on the profile {subject}, which is gone: they go by the default one",
    "path_changed": "open issues on the profile {subject}, whose path changes",
    "link_stage_gone": "open pull requests of the stage {subject}, which is gone: nothing can revise them",
    "label_renamed": "open threads with a label that is renamed in place: {subject}",
    "label_means_nothing": "open threads with the label {subject}, which means nothing then",
}
DAY = 24 * 3600


def check(call: "Call", file: IO[str]) -> None:
    """Print every mistake of a policy file as path:line and end with 1; say so when there is none."""
    name = "<stdin>" if file.name in ("<stdin>", "-") else file.name
    mistakes = mistakes_of(name, _read(name, file))
    output = call.output()
    if not output.for_people:
        output.items(mistakes, MISTAKES, empty=f"{name}: the policy is valid")
    else:
        for item in mistakes:
            where = ": ".join(str(part) for part in (f"{name}:{item['line'] or 1}", item["pointer"]) if part)
            print(f"{where}: {item['message']}")
        if not mistakes:
            print(f"{name}: the policy is valid")
    if mistakes:
        raise Ended(FAILED)


def mistakes_of(name: str, text: str) -> list[dict[str, Any]]:
    """Return what is wrong with a policy's text."""
    try:
        load(f"{WORKFLOW}:effective_policy")(text)
    except Invalid as error:
        found = [_mistake(name, item) for item in error.problems]
        return found or [{"file": name, "line": 1, "pointer": "", "code": error.stable_code, "message": error.message}]
    return []


def _mistake(name: str, item: Any) -> dict[str, Any]:
    line = getattr(item, "line", None)
    message = item.message.removeprefix(f"line {line}: ")
    return {"file": name, "line": line, "pointer": item.pointer, "code": item.code, "message": message}


def _read(name: str, file: IO[str]) -> str:
    try:
        text = file.read(LARGEST + 1)
    except UnicodeDecodeError as error:
        raise Failure(USAGE, f"FILE: {name} is not UTF-8 text: {error.reason}") from error
    if len(text) > LARGEST:
        raise Failure(USAGE, f"FILE: {name} is larger than {LARGEST // 1024} KiB")
    return text


def show(call: "Call", *, repo: str | None, builtin: bool) -> None:
    """Show the effective policy: a table of stages for people, the whole document for programs."""
    if builtin:
        sys.stdout.write(load(f"{WORKFLOW}:builtin_text")())
        return
    found = _effective(call, repo)
    output = call.output()
    if not output.for_people:
        output.one(found, ())
        return
    output.items(_stages(found), STAGES)
    for item in found.get("repositories") or ():
        if item.get("problem"):
            tell(
                f"warning: {item['full_name']} has an invalid policy file, the last valid one counts: {item['problem']}"
            )
    tell(f"policy {found['hash'][:12]}; `-o yaml` shows all of it")


def _effective(call: "Call", repo: str | None) -> Mapping[str, Any]:
    project = project_id(call)
    if project is None:
        return dict(call.client().get("/policy"))
    chosen = find_repository(call, repo)["id"] if repo else None
    return dict(call.client().get(f"/projects/{project}/policy", repository=chosen))


def _stages(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    policy, sources = found["policy"], found["sources"]
    prefix = policy["labels"]["trigger_prefix"]
    rows = []
    for name, stage in (policy.get("stages") or {}).items():
        own = [source for pointer, source in sources.items() if pointer.startswith(f"/stages/{name}")]
        rows.append(
            {
                "stage": name,
                "label": f"{prefix}{name}",
                "role": stage.get("role"),
                "mode": stage.get("mode"),
                "scope": stage.get("scope"),
                "model": stage.get("model") or (policy.get("defaults") or {}).get("model"),
                "source": ", ".join(sorted(set(own))),
            }
        )
    return rows


def matrix(call: "Call", *, repo: str | None, approvals: bool) -> None:
    """Show the next steps of each kind of run, or the approval matrix."""
    found = _effective(call, repo)["matrix"]
    output = call.output()
    if approvals:
        output.items(found["approvals"], APPROVALS)
    else:
        output.items(found["next_steps"], STEPS)


def diff(call: "Call", file: IO[str], *, repo: str | None) -> None:
    """Show what the file would change. A file with mistakes is told like `policy check` does."""
    found = _ask(call, "diff", {"text": _valid(file)}, repo)
    output = call.output()
    if not output.for_people:
        output.one(found, ())
        return
    output.items(found["changes"], CHANGES, empty="the file changes nothing")
    for item in found["warnings"]:
        tell(f"warning: {_foreseen(item)}")
    if found["truncated"]:
        tell("there are more changes than shown")


def try_out(call: "Call", file: IO[str], *, since: timedelta, repo: str | None) -> None:
    """Decide kept deliveries again and show which decisions change, and how sure that is."""
    days = max(1, min(90, -int(-since.total_seconds() // DAY)))
    found = _ask(call, "test", {"text": _valid(file), "days": days}, repo)
    output = call.output()
    if not output.for_people:
        output.one(found, ())
        return
    changed = [row for row in found["rows"] if row["changed"]]
    output.items(changed, REPLAYED, empty="no decision changes")
    tell(f"{found['replayed']} recorded deliveries decided again, {found['changed']} decisions change")
    if found["not_reproduced"]:
        tell(
            f"{found['not_reproduced']} were not decided as recorded even by the policy in force: what the world was "
            "then could not be rebuilt, or the policy has changed since; `-o json` lists them"
        )
    if found["forgotten"]:
        tell(f"{found['forgotten']} could not be tried: their bodies are kept for a week")
    if found["more"]:
        tell("older deliveries were left out")


def _ask(call: "Call", verb: str, body: Mapping[str, Any], repo: str | None) -> Mapping[str, Any]:
    project = project_id(call, needed=True)
    params = {"repository": find_repository(call, repo)["id"] if repo else None}
    path = f"/projects/{project}/policy:{verb}"
    answer = call.client().request("POST", path, params=params, body=body, repeatable=True)
    found: Mapping[str, Any] = answer.json()
    return found


def _valid(file: IO[str]) -> str:
    """Return the file's text; one with mistakes is told and ends with 1."""
    name = "<stdin>" if file.name in ("<stdin>", "-") else file.name
    text = _read(name, file)
    mistakes = mistakes_of(name, text)
    for item in mistakes:
        tell(f"{name}:{item['line'] or 1}: {item['pointer']}: {item['message']}")
    if mistakes:
        raise Ended(FAILED)
    return text


def _foreseen(item: Mapping[str, Any]) -> str:
    met = ", ".join(str(number) for number in item["met"])
    more = ", …" if item["count"] > len(item["met"]) else ""
    words = FORESEEN.get(item["code"], f"{item['code']}: {{subject}}")
    return f"{item['count']} {words.format(subject=safe(item['subject']))} ({met}{more})"


def _decision(outcome: Mapping[str, Any]) -> str:
    details = [outcome.get(name) for name in ("reason", "kind", "mode", "profile")]
    return " ".join(str(part) for part in (outcome["verdict"], *details) if part)


def _doubt(row: Mapping[str, Any]) -> str | None:
    doubts = [] if row["reproduced"] else ["not as recorded"]
    return ", ".join([*doubts, *(f"assumed {item.replace('_', ' ')}" for item in row["assumed"])]) or None
