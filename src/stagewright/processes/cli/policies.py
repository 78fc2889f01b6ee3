"""Checking and showing policies. The only client code that loads a context, and only when it is asked to."""

import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from stagewright.kit.errors import Invalid
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, USAGE, Ended, Failure
from stagewright.processes.cli.ids import find_repository, project_id
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.table import Column

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
