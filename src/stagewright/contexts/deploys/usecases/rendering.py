"""What a stack comes to in one environment, for reading: the document without templates, and its plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.deploys.model.stages import Outcome, Request
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.usecases.pipeline import read_files, work_out


@dataclass(frozen=True, slots=True)
class Rendered:
    """``document``: the merged stack as it takes effect; None where it cannot be prepared."""

    document: Mapping[str, Any] | None
    outcome: Outcome


def render_stack(request: Request, cache: ParseCache | None = None) -> Rendered:
    """Plan as ``plan_stack`` does, and show the rendered document beside it."""
    if request.selection is None:
        raise ValueError("a stack is rendered for one environment: give the request a selection")
    worked = work_out(request, request.selection, read_files(request, cache), cache)
    outcome = Outcome(worked.plan, worked.diagnostics.sorted())
    if worked.prepared is None:
        return Rendered(None, outcome)
    document = plain(worked.prepared.tree)
    return Rendered(document if isinstance(document, dict) else None, outcome)
