"""The one comparison of labels: how a text becomes a key, whatever its spelling, renaming or alias."""

import difflib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from stagewright.contexts.workflow.model.policy import Kind, LabelClass, Policy


def fold(text: str) -> str:
    """NFC, trim, inner white space to one space, case-fold."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def normalise(text: str) -> str:
    """Fold ``text`` and drop one leading ``[`` together with one trailing ``]``: the form that is compared.

    White space inside the brackets goes too, so that no bracketed spelling escapes the trigger prefix.
    """
    return _remembered(text) if len(text) <= REMEMBERED_LENGTH else _normal_form(text)


def _normal_form(text: str) -> str:
    folded = fold(text)
    return folded[1:-1].strip() if len(folded) >= 2 and folded[0] == "[" and folded[-1] == "]" else folded


# One decision compares the same few texts twenty times; a longer text than the forge allows is not worth keeping.
REMEMBERED_LENGTH = 100
_remembered = lru_cache(maxsize=4096)(_normal_form)


def label_key(text: str, policy: Policy) -> str | None:
    """Return the key that ``text`` spells: by its name in the project, an alias, or the key itself."""
    return policy.labels_by_text.get(normalise(text))


def label_keys(texts: Iterable[str], policy: Policy) -> frozenset[str]:
    """Return the keys of all texts that are in the catalogue or reserved."""
    known = policy.labels_by_text
    return frozenset([known[normal] for text in texts if (normal := normalise(text)) in known])


def label_text(key: str, policy: Policy) -> str:
    """Return the text of ``key`` in this project: what is written to the forge."""
    return policy.labels.names.get(key, key)


def trigger_kind(key: str | None, policy: Policy) -> Kind | None:
    """Return the kind that an issue label starts, or None where ``key`` is no stage or special trigger."""
    kind = policy.triggers.get(key) if key is not None else None
    return policy.kinds[kind] if kind is not None else None


def is_trigger_text(text: str, policy: Policy) -> bool:
    """Say whether ``text`` asks for a run: a known trigger, a reserved label, or an unknown one with the prefix."""
    key = label_key(text, policy)
    if key is not None:
        return key in policy.triggers or key in policy.labels.reserved
    prefix = fold(policy.labels.trigger_prefix)
    return normalise(text).startswith(prefix) or fold(text).startswith(prefix)


def nearest_triggers(text: str, policy: Policy, count: int = 3) -> tuple[str, ...]:
    """Return the texts of the ``count`` trigger labels that are spelled most like ``text``."""
    wanted = normalise(text)
    texts = [label_text(key, policy) for key, kind in policy.triggers.items() if policy.kinds[kind].enabled]

    def distance(candidate: str) -> float:
        return -difflib.SequenceMatcher(None, wanted, normalise(candidate)).ratio()

    return tuple(sorted(texts, key=distance)[:count])


def group_labels(texts: Iterable[str], label_class: LabelClass, policy: Policy) -> tuple[dict[str, str], list[str]]:
    """Sort out the model or reasoning labels among ``texts``: known ones (key -> text), and unknown ones by prefix."""
    is_model = label_class is LabelClass.MODEL
    prefix = normalise(policy.labels.model_prefix if is_model else policy.labels.reasoning_prefix)
    known: dict[str, str] = {}
    unknown: list[str] = []
    for text in texts:
        normal = normalise(text)
        definition = policy.catalogue.get(policy.labels_by_text.get(normal, ""))
        if definition is not None and definition.label_class is label_class:
            known.setdefault(definition.key, text)
        elif definition is None and normal.startswith(prefix):
            unknown.append(text)
    return known, unknown
