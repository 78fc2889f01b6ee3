"""Acting on runs: cancelling one, after showing what that loses."""

from typing import TYPE_CHECKING

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import preview_lines, previewed
from stagewright.processes.cli.ids import runs_named
from stagewright.processes.cli.runs import words

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call


def cancel(call: "Call", name: str, *, reason: str | None, yes: bool, dry_run: bool) -> None:
    """Cancel runs; several are listed first."""
    found = list(runs_named(call, name))
    if len(found) > 1:
        tell(f"{len(found)} runs: {', '.join(found)}")
    for run_id in found:
        path = f"/runs/{run_id}:cancel"
        if dry_run:
            for line in preview_lines(f"cancelling {run_id}:", call.client().post(path, preview=1)):
                tell(line)
            tell("nothing was applied")
            continue
        token = previewed(call, path, f"cancelling {run_id}:", yes=yes, reason=reason)
        after = call.client().post(path, {"confirm_token": token, **({} if reason is None else {"reason": reason})})
        call.output().one(after, words.VIEW[:5])
