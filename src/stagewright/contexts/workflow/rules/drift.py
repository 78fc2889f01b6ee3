"""How a managed label on the forge differs from what the policy wants, and which one a person's change is about."""

from collections.abc import Mapping
from enum import StrEnum

from stagewright.contexts.workflow.model.outcomes import RepositoryLabel
from stagewright.contexts.workflow.model.policy import LabelDefinition, Policy
from stagewright.contexts.workflow.rules.matching import label_key, normalise


class Drift(StrEnum):
    """One difference."""

    MISSING = "missing"
    RENAMED = "renamed"
    RECOLOURED = "recoloured"
    REDESCRIBED = "redescribed"


def label_drift(wanted: LabelDefinition, there: RepositoryLabel | None) -> tuple[Drift, ...]:
    """Return how the label on the forge (None: it is not there) differs; nothing when it is as the policy wants it."""
    if there is None:
        return (Drift.MISSING,)
    differs = {
        Drift.RENAMED: there.name != wanted.text,
        Drift.RECOLOURED: there.color.removeprefix("#").lower() != wanted.color,
        Drift.REDESCRIBED: (there.description or "") != wanted.description,
    }
    return tuple(drift for drift, off in differs.items() if off)


def managed_label(name: str, was: str | None, texts: Mapping[str, str], policy: Policy) -> LabelDefinition | None:
    """Return which managed label a change of the label ``name`` (``was``: its name before) is about, or None.

    ``texts`` maps keys to the texts that the labels have on the forge as far as is known; a label that merely spells
    one, as an alias, is not managed.
    """
    by_text = {normalise(text): key for key, text in texts.items()}
    known = next((by_text[normal] for text in (was, name) if text and (normal := normalise(text)) in by_text), None)
    if known is not None and known in policy.catalogue:
        return policy.catalogue[known]
    entry = policy.catalogue.get(label_key(name, policy) or "")
    return entry if entry is not None and normalise(entry.text) == normalise(name) else None
