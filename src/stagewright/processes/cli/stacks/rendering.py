"""`stack render`: the stack as it is for one environment, or the Kubernetes objects that come of it."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, USAGE, Ended, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.stacks import findings
from stagewright.processes.cli.stacks.folders import file_name, write_files
from stagewright.processes.cli.stacks.reading import ask, make_request, open_stack, plain

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

STACK, SECRETS = "stack.yaml", "secrets.yaml"


def render(
    call: "Call",
    *,
    environment: str,
    candidate: str | None,
    unit: str | None,
    folder: str | None,
    yes: bool,
    **given: Any,
) -> None:
    """Print the rendered stack or the objects of a unit, or write both into a folder."""
    stack = open_stack(**given)
    request = make_request(stack, environment=environment, candidate=candidate)
    rendered = ask("render_stack", request, stack.cache)
    outcome = rendered.outcome
    if outcome.diagnostics:
        findings.warn(stack, outcome.diagnostics, colours=False)
    if outcome.plan is None or outcome.failed:
        tell(f"nothing is rendered: {findings.counted(outcome.diagnostics)}")
        raise Ended(FAILED)
    made = plain(outcome.plan)
    chosen = made if unit is None else _only(made, unit)
    if folder is not None:
        written = write_files(folder, files_of(rendered.document, chosen, whole=unit is None), replace=yes)
        tell(f"{folder}: {written} files")
    elif unit is not None:
        sys.stdout.write(_objects(chosen))
    else:
        sys.stdout.write(_yaml(rendered.document))


def files_of(document: Mapping[str, Any], made: Mapping[str, Any], *, whole: bool) -> dict[str, str]:
    """Return the files of a render: path -> text."""
    files: dict[str, str] = {}
    if whole:
        files[STACK] = _yaml(document)
        if made["secrets"]:
            files[SECRETS] = _yaml({"secrets": made["secrets"]})
    for item in made["objects"]:
        folder = file_name(item["unit"] or "stack")
        name = file_name(f"{item['kind']}-{item['name']}")
        path, number = f"{folder}/{name}.yaml", 1
        while path in files:
            number += 1
            path = f"{folder}/{name}-{number}.yaml"
        files[path] = _yaml(item["body"])
    for phase in made["phases"]:
        for part in phase["units"]:
            for hook in part["hooks"]:
                files[f"hooks/{file_name(part['name'])}-{file_name(hook['name'])}.yaml"] = _yaml(hook["body"])
    return files


def _only(made: Mapping[str, Any], unit: str) -> dict[str, Any]:
    known = sorted({part["name"] for phase in made["phases"] for part in phase["units"]})
    if unit not in known:
        raise Failure(USAGE, f"--unit: there is no unit {unit!r} in this environment; there are {', '.join(known)}")
    phases = [{**phase, "units": [part for part in phase["units"] if part["name"] == unit]} for phase in made["phases"]]
    return {**made, "phases": phases, "objects": [item for item in made["objects"] if item["unit"] == unit]}


def _objects(made: Mapping[str, Any]) -> str:
    bodies = [item["body"] for item in made["objects"]]
    bodies += [hook["body"] for phase in made["phases"] for part in phase["units"] for hook in part["hooks"]]
    return "---\n".join(_yaml(body) for body in bodies)


def _yaml(value: Any) -> str:
    written: str = load("yaml:safe_dump")(value, sort_keys=False, allow_unicode=True, width=120)
    return written
