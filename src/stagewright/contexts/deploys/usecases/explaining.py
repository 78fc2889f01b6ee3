"""Where a value of a stack comes from, as written or as it is in one environment (``stack.md`` section 17)."""

from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Diagnostic
from stagewright.contexts.deploys.model.stages import Request
from stagewright.contexts.deploys.rules.explaining import Explanation, UnknownPointer, explain
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.usecases.pipeline import read_files, work_out


@dataclass(frozen=True, slots=True)
class Explained:
    """``answer``: None where the stack cannot be read, or not be prepared for the environment."""

    answer: Explanation | UnknownPointer | None
    diagnostics: tuple[Diagnostic, ...]


def explain_stack(request: Request, asked: str, cache: ParseCache | None = None) -> Explained:
    """Explain the value at the JSON Pointer ``asked``: in the selected environment, if one is selected."""
    files = read_files(request, cache)
    if files.loaded is None or request.selection is None:
        answer = explain(asked, files.loaded) if files.loaded is not None else None
        return Explained(answer, files.diagnostics.sorted())
    worked = work_out(request, request.selection, files, cache)
    found = worked.diagnostics.sorted()
    if worked.prepared is None:
        return Explained(None, found)
    return Explained(explain(asked, files.loaded, worked.prepared, worked.units), found)
