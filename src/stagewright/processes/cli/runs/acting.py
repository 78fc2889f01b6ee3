"""Acting on runs: cancelling one, after showing what that loses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import acted, agreed, reason_of, show_preview
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
        _cancel_one(call, run_id, reason=reason, yes=yes, dry_run=dry_run)


def _cancel_one(call: "Call", run_id: str, *, reason: str | None, yes: bool, dry_run: bool) -> None:
    path, what = f"/runs/{run_id}:cancel", call.said("cancelling {name}:", name=run_id)

    def preview() -> Any:
        return call.client().post(path, preview=1)

    @cache
    def why() -> dict[str, str]:
        given = reason_of(call, reason, yes=yes)
        return {} if given is None else {"reason": given}

    def act(token: str) -> Any:
        return call.client().post(path, {"confirm_token": token, **why()})

    if dry_run:
        show_preview(call, what, preview())
        tell(call.said("nothing was applied"))
        return
    after = acted(call, what, preview, lambda: agreed(call, yes=yes, reason=reason), act)
    call.output().one(after, words.VIEW[:5])
