"""`stack plan`: what a deploy would do, in its order; kept as a file, or beside the plan of such a file."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, FORBIDDEN, USAGE, Ended, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import safe
from stagewright.processes.cli.stacks import findings
from stagewright.processes.cli.stacks.reading import (
    API,
    NO_SERVER,
    ask,
    make_request,
    open_stack,
    plain,
)

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import Plan
    from stagewright.processes.cli.call import Call

PLAN_HASH = re.compile(r"sp1p?:[0-9a-f]{8,64}")
LIVE = "live"
LARGEST = 64 * 1024 * 1024
SHORT = 19
MARKS = {"added": "+", "removed": "-", "changed": "~"}


def plan(
    call: "Call",
    *,
    environment: str,
    candidate: str | None,
    ref: str | None,
    against: str | None,
    file: str | None,
    **given: Any,
) -> None:
    """Plan, and print the plan or what changes from another one."""
    before = None if against is None else read_plan(against)
    stack = open_stack(ref=ref, **given)
    request = make_request(stack, environment=environment, candidate=candidate)
    outcome = ask("plan_stack", request, stack.cache)
    if outcome.diagnostics:
        findings.warn(stack, outcome.diagnostics, colours=False)
    if outcome.plan is None or outcome.failed:
        tell(f"there is no plan: {findings.counted(outcome.diagnostics)}")
        raise Ended(FAILED)
    if file is not None:
        _keep(outcome.plan, file)
    if before is None:
        _show(call, plain(outcome.plan))
    else:
        _compare(call, before, outcome.plan)
    if outcome.skipped:
        tell(f"open without a server: {', '.join(outcome.skipped)}")


def read_plan(name: str) -> "Plan":
    """Read a plan that ``--out`` wrote. Raise ``Failure`` for what only a server knows."""
    if name == LIVE:
        raise Failure(FORBIDDEN, f"--against live: {NO_SERVER}", hint="compare with a file that --out wrote")
    path = Path(name)
    if not path.is_file():
        if PLAN_HASH.fullmatch(name):
            raise Failure(
                FORBIDDEN, f"--against {name}: plans are kept by their hash on the server; {NO_SERVER}",
                hint="compare with a file that --out wrote",
            )  # fmt: skip
        raise Failure(USAGE, f"--against: {name} is no file, and no hash of a plan (sp1:…)")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(USAGE, f"--against: {name} cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise Failure(USAGE, f"--against: {name} is larger than {LARGEST // 1024 // 1024} MiB")
    try:
        found: Plan = load("msgspec.json:decode")(data, type=load(f"{API}:Plan"))
    except load("msgspec:MsgspecError") as error:
        raise Failure(USAGE, f"--against: {name} is no plan that --out wrote: {error}") from error
    return found


def _keep(made: "Plan", file: str) -> None:
    path = Path(file)
    text = json.dumps(plain(made), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        making.write_text(text, encoding="utf-8")
        making.replace(path)
    except OSError as error:
        making.unlink(missing_ok=True)
        raise Failure(FAILED, f"--out: {file} cannot be written: {error.strerror or error}") from error


def _show(call: "Call", found: Mapping[str, Any]) -> None:
    output = call.output()
    if not output.for_people:
        output.one(found, ())
        return
    for line in described(found):
        print(safe(line))


def described(found: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines of a plan for a person."""
    environment = found["environment"]
    candidate = f", candidate {found['candidate']}" if found.get("candidate") else ""
    kind = "preview of a plan, not executable" if found["preview"] else "plan"
    yield f"{found['hash']}  ({kind})"
    yield f"{found['project']} → {environment['name']} ({environment['kind']}{candidate})"
    yield f"namespace {found['namespace']}" + (f", https://{found['domain']}" if found.get("domain") else "")
    yield from _section(
        "images", [(item["name"], f"{item['state']:<10} {item['reference']}") for item in found["images"]]
    )
    yield from _section("secrets", [(f"{item['secret']}/{item['key']}", _source(item)) for item in found["secrets"]])
    yield from _section(
        "variables", [(name, f"{item['value']!r} ({item['origin']})") for name, item in found["vars"].items()]
    )
    yield from _section("files to stream", [(item["unit"], item["identity"]) for item in found["syncs"]])
    objects = {item["id"]: item for item in found["objects"]}
    for number, phase in enumerate(found["phases"], start=1):
        yield ""
        yield f"{number}. {phase['id']}" + ("" if phase["id"] == phase["kind"] else f" ({phase['kind']})")
        for unit in phase["units"]:
            yield from _unit(unit, objects)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    if not rows:
        return
    widest = max(len(name) for name, _ in rows)
    yield ""
    yield title
    for name, text in rows:
        yield f"   {name:<{widest}}  {text}"


def _source(item: Mapping[str, Any]) -> str:
    """Return where a value comes from, in a few words; the value itself is nowhere."""
    kind, given = next(iter(item["source"].items()))
    if kind == "generate":
        said = f"generated {given['kind']}"
    elif kind == "compose":
        said = f"composed of {', '.join(part['key'] for part in given if isinstance(part, Mapping)) or 'text'}"
    elif kind == "copy":
        said = f"copy of {given['environment']}/{given['secret']}/{given['key']}"
    else:
        found = f" ({given['scope']}, {given['environment']}; {given['rule']})" if given.get("scope") else ""
        said = f"entry {given.get('key') or given.get('config')}{found}"
    return said + (f" @ {item['version']}" if item.get("version") else "")


def _unit(unit: Mapping[str, Any], objects: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    after = f"  after {', '.join(unit['dependsOn'])}" if unit["dependsOn"] else ""
    yield f"   {unit['name']}{after}"
    for key in unit["objects"]:
        found = objects[key]
        yield f"      {found['kind']}/{found['name']}"
    for hook in unit["hooks"]:
        yield f"      hook {hook['name']} ({hook['phase']}, {hook['run']})"


def _compare(call: "Call", before: "Plan", after: "Plan") -> None:
    found = plain(load(f"{API}:compare_plans")(before, after))
    output = call.output()
    if not output.for_people:
        output.one(found, ())
        return
    for line in changes(found):
        print(safe(line))


def changes(found: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines of a comparison for a person: what is unchanged is only counted."""
    if found["before"] == found["after"]:
        yield f"nothing changes: both plans are {_short(found['after'])}"
        return
    yield f"{_short(found['before'])} → {_short(found['after'])}"
    yield from _titled("objects", [_object_change(item) for item in _changed(found["objects"])])
    yield from _titled("images", [_named_change(item) for item in _changed(found["images"])])
    yield from _titled("secrets", [_named_change(item) for item in _changed(found["secrets"])])
    yield from _titled("hooks that would run", [_hook_run(item) for item in found["hooks"]])
    yield from _titled("objects that would be deleted", [_pruned(item) for item in found["prune"]])
    unchanged = sum(item["change"] == "unchanged" for item in found["objects"])
    yield ""
    yield f"{unchanged} objects stay as they are"


def _short(plan_hash: str | None) -> str:
    return f"{(plan_hash or 'nothing')[:SHORT]}…"


def _changed(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [item for item in items if item["change"] != "unchanged"]


def _titled(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"   {line}" for line in lines)


def _object_change(item: Mapping[str, Any]) -> str:
    more = f"  {', '.join(item['fields'])}" if item["fields"] else ""
    return f"{MARKS[item['change']]} {item['kind']}/{item['name']} ({item['unit']}){more}"


def _named_change(item: Mapping[str, Any]) -> str:
    both = (item["before"], item["after"])
    return f"{MARKS[item['change']]} {item['name']}  {' → '.join(text for text in both if text)}"


def _hook_run(item: Mapping[str, Any]) -> str:
    where = f"{item['unit']}, {item['phase']}" if item["unit"] else item["phase"]
    return f"{item['name']} ({where}): {item['why']}"


def _pruned(item: Mapping[str, Any]) -> str:
    return f"{item['kind']}/{item['name']}" + (f"  stays: {item['kept']}" if item["kept"] else "")
