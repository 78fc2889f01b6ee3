"""What a run's sessions did and used, as the door answers it."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.model import Attempt
from stagewright.contexts.runs.rules.acts import Acts, Uses, most_used, together
from stagewright.contexts.runs.rules.diff_lines import count_lines
from stagewright.contexts.runs.store.diffs import ResultDiff
from stagewright.contexts.runs.views import ResultRow
from stagewright.contexts.runs.views.session import ModelUse
from stagewright.kit.http.shapes import Id, Instant


class UsesView(BaseModel):
    """How often something was done, and how often that failed."""

    calls: int
    failed: int

    @classmethod
    def of(cls, uses: Uses) -> "UsesView":
        """Show ``uses``."""
        return cls(calls=uses.calls, failed=uses.failed)


class ToolView(UsesView):
    """A tool by its name."""

    name: str


class ActsView(BaseModel):
    """What an engine did, as its runner counted it."""

    turns: int
    messages: int
    commands: UsesView
    file_changes: UsesView
    tools: list[ToolView]

    @classmethod
    def sum(cls, several: Iterable[Acts]) -> "ActsView | None":
        """Show the sum; None when no runner counted anything: unknown is not zero."""
        found = list(several)
        return cls.of(together(found)) if found else None

    @classmethod
    def of(cls, acts: Acts) -> "ActsView":
        """Show ``acts``, the most used tool first."""
        return cls(
            turns=acts.turns,
            messages=acts.messages,
            commands=UsesView.of(acts.commands),
            file_changes=UsesView.of(acts.file_changes),
            tools=[ToolView(name=name, calls=uses.calls, failed=uses.failed) for name, uses in most_used(acts.tools)],
        )


class ModelView(BaseModel):
    """What the calls of one model used. A cost of null is unknown, not zero."""

    model: str
    calls: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None

    @classmethod
    def by_model(cls, used: Sequence[ModelUse]) -> "list[ModelView]":
        """Show the sums by model, in the order of first use."""
        return [cls._sum(model, [item for item in used if item.model == model]) for model in _names(used)]

    @classmethod
    def _sum(cls, model: str, used: Sequence[ModelUse]) -> "ModelView":
        costs = [item.cost_micros for item in used]
        return cls(
            model=model,
            calls=sum(item.calls for item in used),
            tokens_in=sum(item.tokens_in for item in used),
            tokens_cached=sum(item.tokens_cached for item in used),
            tokens_out=sum(item.tokens_out for item in used),
            cost_micros=None if None in costs else sum(cost or 0 for cost in costs),
        )


class AttemptSession(BaseModel):
    """One attempt's part. ``acts`` of null: its runner counted nothing."""

    attempt: int
    acts: ActsView | None
    models: list[ModelView]

    @classmethod
    def of(cls, attempt: Attempt, acts: Acts | None, used: Sequence[ModelUse]) -> "AttemptSession":
        """Show what ``attempt`` did and used."""
        own = [item for item in used if item.generation == attempt.generation]
        return cls(
            attempt=attempt.generation,
            acts=ActsView.of(acts) if acts else None,
            models=ModelView.by_model(own),
        )


class ChangedFile(BaseModel):
    """A file that the newest result changes. Lines of null: not text, or beyond what is kept of the diff."""

    path: str
    status: str
    added: int | None
    removed: int | None


class SavedSessionView(BaseModel):
    """One saved session of the engine. What is in it is sealed, and shown to nobody."""

    id: Id
    run_id: Id
    attempt_id: Id
    attempt: int
    engine: str
    engine_version: str
    reason: str
    bytes: int
    work_in_progress: bool
    sha256: str
    saved_at: Instant

    @classmethod
    def of(cls, saved: agents.SavedSession, generation: int) -> "SavedSessionView":
        """Show ``saved``, which attempt ``generation`` handed over."""
        return cls(
            id=str(saved.id),
            run_id=str(saved.run_id),
            attempt_id=str(saved.attempt_id),
            attempt=generation,
            engine=saved.engine.value,
            engine_version=saved.engine_version,
            reason=saved.reason.value,
            bytes=saved.size,
            work_in_progress=saved.has_wip,
            sha256=saved.sha256.hex(),
            saved_at=saved.created_at.isoformat(),
        )


class RunSession(BaseModel):
    """What the run's agent did and used over all attempts, the files of its newest result, and the kept sessions."""

    run_id: Id
    acts: ActsView | None
    models: list[ModelView]
    attempts: list[AttemptSession]
    files: list[ChangedFile] | None
    files_truncated: bool
    saved: list[SavedSessionView]
    as_of: Instant


def changed_files(result: ResultRow | None, diff: ResultDiff | None) -> list[ChangedFile] | None:
    """Return what the result changes, with the lines of its diff where that is of the same proposal."""
    if result is None or result.changed is None:
        return None
    same = diff is not None and (diff.generation, diff.proposal_no) == (result.generation, result.proposal_no)
    lines = dict(count_lines(diff.diff.decode("utf-8", "replace"))) if diff is not None and same else {}
    if lines and diff is not None and diff.truncated:
        lines.popitem()  # the file in which it was cut
    files = []
    for item in result.changed:
        path = str(item.get("path", ""))
        known = lines.get(path)
        files.append(
            ChangedFile(
                path=path,
                status=str(item.get("status", "")),
                added=known.added if known else None,
                removed=known.removed if known else None,
            )
        )
    return files


def _names(used: Sequence[ModelUse]) -> list[str]:
    return list(dict.fromkeys(item.model for item in used))
