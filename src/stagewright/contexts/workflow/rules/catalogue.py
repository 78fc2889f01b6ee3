"""The catalogue of labels that follows from a policy: keys, texts, colours, descriptions, accepted spellings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.workflow.model.policy import LabelClass, LabelDefinition, Policy
from stagewright.contexts.workflow.rules.matching import normalise
from stagewright.contexts.workflow.rules.places import Merged, Path

ISSUE = ("issue",)
BOTH = ("issue", "pull_request")
SPECIAL_TRIGGERS = ("ai_repair", "rethink")
DESCRIPTION_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """One label before its text and colour are known. ``path`` is what it follows from; ``kind`` what it starts."""

    key: str
    label_class: LabelClass
    description: str
    threads: tuple[str, ...]
    path: Path
    kind: str | None = None


def stage_kind(stage: str, *, revise: bool = False) -> str:
    """Return the kind of ``stage``: ``-`` becomes ``_``, a revise kind ends in ``_revise``."""
    return stage.replace("-", "_") + ("_revise" if revise else "")


def stage_label(stage: str, *, revise: bool = False) -> str:
    """Return the key of the label that starts ``stage``."""
    return f"run:{stage}:revise" if revise else f"run:{stage}"


def drafts(merged: Merged) -> Iterator[Draft]:
    """Yield every label of the policy, in the order of the catalogue. Tolerates what is not well-formed."""
    yield from _stage_triggers(merged)
    for key in SPECIAL_TRIGGERS:
        label, path = merged.text("special", key, "label"), ("special", key, "label")
        if label is not None:
            yield Draft(label, LabelClass.TRIGGER, _description(merged.table("special", key), key), ISSUE, path, key)
    for key in merged.table("labels", "catalogue"):
        entry = merged.table("labels", "catalogue", key)
        try:
            label_class = LabelClass(str(entry.get("class")))
        except ValueError:
            continue
        threads = tuple(item for item in merged.items("labels", "catalogue", key, "threads") if isinstance(item, str))
        yield Draft(key, label_class, str(entry.get("description", "")), threads, ("labels", "catalogue", key))
    yield from _entry_labels(merged, "models", LabelClass.MODEL, "Use the model {} for the next run")
    yield from _entry_labels(merged, "reasoning", LabelClass.REASONING, "Use the reasoning level {} for the next run")


def _stage_triggers(merged: Merged) -> Iterator[Draft]:
    for stage in merged.table("stages"):
        row = merged.table("stages", stage)
        path: Path = ("stages", stage)
        text = _description(row, stage)
        yield Draft(stage_label(stage), LabelClass.TRIGGER, text, ISSUE, path, stage_kind(stage))
        if row.get("revise", True) is True:
            key = stage_label(stage, revise=True)
            kind = stage_kind(stage, revise=True)
            begin = text[0].lower() if text[1:2].islower() else text[0]  # an abbreviation keeps its capital
            revise = f"Revise the result: {begin}{text[1:]}"
            yield Draft(key, LabelClass.TRIGGER, revise, ISSUE, path, kind)


def _entry_labels(merged: Merged, part: str, label_class: LabelClass, description: str) -> Iterator[Draft]:
    for key in merged.table(part):
        label = merged.text(part, key, "label")
        if label is not None:
            yield Draft(label, label_class, description.format(key), BOTH, (part, key, "label"))


def _description(row: Mapping[str, Any], fallback: str) -> str:
    text = row.get("description")
    return text if isinstance(text, str) and text else f"Start {fallback}"


def definitions(merged: Merged) -> dict[str, LabelDefinition]:
    """Return the labels of a well-formed policy by key."""
    names, colors = merged.table("labels", "names"), merged.table("labels", "colors")
    return {
        draft.key: LabelDefinition(
            draft.key,
            names.get(draft.key, draft.key),
            colors[draft.label_class.value],
            _cut(draft.description),
            draft.label_class,
            draft.threads,
        )
        for draft in drafts(merged)
    }


def triggers(merged: Merged) -> dict[str, str]:
    """Return which kind each trigger label of an issue starts: key -> kind."""
    return {draft.key: draft.kind for draft in drafts(merged) if draft.kind is not None}


def spellings(merged: Merged) -> Iterator[tuple[str, str, Path]]:
    """Yield (text, key, path) of every name and alias; names first, then aliases."""
    names, aliases = merged.table("labels", "names"), merged.table("labels", "aliases")
    known = {draft.key: draft.path for draft in drafts(merged)}
    for index, key in enumerate(merged.items("labels", "reserved")):
        if isinstance(key, str):
            known.setdefault(key, ("labels", "reserved", index))
    for key, path in known.items():
        name = names.get(key)
        yield (name, key, ("labels", "names", key)) if isinstance(name, str) else (key, key, path)
    for key in aliases:
        for index, text in enumerate(merged.items("labels", "aliases", key)):
            if isinstance(text, str):
                yield text, key, ("labels", "aliases", key, index)


def texts_to_keys(merged: Merged) -> dict[str, str]:
    """Map every accepted spelling to its key. A key's own text counts too while no other label is called so."""
    result: dict[str, str] = {}
    for text, key, _ in spellings(merged):
        result.setdefault(normalise(text), key)
    for key in [*result.values()]:
        result.setdefault(normalise(key), key)
    return result


def label_catalogue(policy: Policy) -> tuple[LabelDefinition, ...]:
    """Return the labels that a repository of this policy has: all but the reserved and those of disabled kinds."""
    off = {key for key, kind in policy.triggers.items() if not policy.kinds[kind].enabled}
    return tuple(definition for key, definition in policy.catalogue.items() if key not in off)


def _cut(text: str) -> str:
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1].rstrip() + "…"
