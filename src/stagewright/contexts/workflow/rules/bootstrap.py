"""What a repository's labels need to become the policy's: create, mend, rename in place; never delete."""

from collections.abc import Iterable, Iterator, Mapping

from stagewright.contexts.workflow.model.outcomes import (
    BootstrapAction,
    CreateLabel,
    KeepAsAlias,
    RepositoryLabel,
    UpdateLabel,
)
from stagewright.contexts.workflow.model.policy import LabelDefinition, Policy
from stagewright.contexts.workflow.rules.catalogue import label_catalogue
from stagewright.contexts.workflow.rules.matching import normalise


def plan_label_bootstrap(
    existing: Iterable[RepositoryLabel], policy: Policy, previous_texts: Mapping[str, str] | None = None
) -> tuple[BootstrapAction, ...]:
    """Return what to do so that every catalogue label exists as the policy wants it; nothing when it does.

    ``previous_texts`` maps keys to the texts the platform wrote last, so that a rename finds its label.
    """
    definitions = label_catalogue(policy)
    plan = _Plan(tuple(existing), previous_texts or {}, frozenset(normalise(item.text) for item in definitions))
    return tuple(action for definition in definitions for action in plan.actions(definition))


class _Plan:
    def __init__(
        self, existing: tuple[RepositoryLabel, ...], previous: Mapping[str, str], wanted: frozenset[str]
    ) -> None:
        self.previous = previous
        self.wanted = wanted
        self.exact = {label.name: label for label in existing}
        self.normal: dict[str, RepositoryLabel] = {}
        for label in existing:
            self.normal.setdefault(normalise(label.name), label)

    def actions(self, definition: LabelDefinition) -> Iterator[BootstrapAction]:
        wanted = RepositoryLabel(definition.text, definition.color, definition.description)
        found = self._find(definition.text)
        old_text = self.previous.get(definition.key, definition.key)
        old = self._find(old_text) if normalise(old_text) not in self.wanted else None
        if found is None and old is None:
            yield CreateLabel(definition.key, wanted)
            return
        label = found or old
        if label is not None and not _same(label, wanted):
            yield UpdateLabel(definition.key, label.name, wanted)
        if found is not None and old is not None:
            yield KeepAsAlias(definition.key, old.name, definition.text)

    def _find(self, text: str) -> RepositoryLabel | None:
        return self.exact.get(text) or self.normal.get(normalise(text))


def _same(label: RepositoryLabel, wanted: RepositoryLabel) -> bool:
    color = label.color.removeprefix("#").lower() == wanted.color
    return label.name == wanted.name and color and (label.description or "") == wanted.description
