"""`stack validate`: all findings of a stack, in the form that is asked for."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, USAGE, Ended, Failure
from stagewright.processes.cli.stacks import findings
from stagewright.processes.cli.stacks.reading import Stack, ask, make_request, open_stack
from stagewright.processes.cli.stacks.sarif import annotations, sarif

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import Diagnostic
    from stagewright.processes.cli.call import Call


def validate(
    call: "Call",
    path: str,
    *,
    environments: Sequence[str],
    all_envs: bool,
    strict: bool,
    form: str,
    **given: Any,
) -> None:
    """Check a stack and print what was found. Raise ``Ended`` when an error is among it."""
    if environments and all_envs:
        raise Failure(USAGE, "--all-envs: leave --env out, or --all-envs")
    stack = open_stack(path, **given)
    outcome = ask("check_stack", make_request(stack), tuple(environments), stack.cache)
    found: Sequence[Diagnostic] = outcome.diagnostics
    found = findings.strictly(found) if strict else found
    _write(call, stack, form, found, outcome.skipped)
    if any(item.is_error for item in found):
        raise Ended(FAILED)


def _write(call: "Call", stack: Stack, form: str, found: "Sequence[Diagnostic]", skipped: Sequence[str]) -> None:
    if form == "json":
        document = {
            "valid": not any(item.is_error for item in found),
            "diagnostics": [findings.document(stack, item) for item in found],
            "skipped": list(skipped),
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
    elif form == "sarif":
        print(json.dumps(sarif(stack, found), indent=2, ensure_ascii=False))
    elif form == "github":
        for line in annotations(stack, found):
            print(line)
    else:
        findings.write(stack, found, sys.stdout, colours=call.decorated)
        name = stack.path(stack.alias, stack.repositories.stack_path)
        if any(item.is_error for item in found):
            tell(f"{name}: {findings.counted(found)}")
        else:
            print(f"{name}: the stack is valid" + (f", with {findings.counted(found)}" if found else ""))
        if skipped:
            tell(f"not checked without a server: {', '.join(skipped)}")
