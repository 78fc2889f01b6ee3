"""The repositories of a project as one stack: which of them holds the root, and at which commits they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import FileSource, Repositories
from stagewright.contexts.deploys.rules.composing import (
    GENERATED_ALIAS,
    SERVICE,
    STACK_PATH,
    Heads,
    choose_root,
    generated_root,
    plan_pins,
    survey,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """``root``: the alias of the root's repository; ``moved``: aliases that the stack wants at another commit than the
    one given; ``generated``: the root where no repository holds one."""

    root: str
    moved: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    generated: FileSource | None = None

    def repositories(self, sources: Mapping[str, FileSource]) -> Repositories:
        """Return the repositories with ``sources``, among which those that moved are at their commits."""
        own = {GENERATED_ALIAS: self.generated} if self.generated is not None else {}
        return Repositories(root=self.root, sources={**sources, **own}, unavailable=self.unavailable)


def compose(project: str, own: str, sources: Mapping[str, FileSource], heads: Mapping[str, Heads | str]) -> Composition:
    """Find the root among ``sources`` and pin what its stack names. ``own``: the repository that is read at a given
    commit; ``heads``: what the others advertise, or why they cannot be reached."""
    stacks = frozenset(alias for alias, source in sources.items() if source.stat(STACK_PATH) is not None)
    root = choose_root(dict.fromkeys(sources, SERVICE), stacks, Findings())
    unreached = {alias: head for alias, head in heads.items() if isinstance(head, str)}
    if root is None:
        return Composition(root=own, unavailable=unreached)
    generated = generated_root(project, dict.fromkeys(root.services, STACK_PATH)) if root.alias is None else None
    composed = Composition(
        root=root.alias if root.alias is not None else GENERATED_ALIAS, unavailable=unreached, generated=generated
    )
    uses = survey(composed.repositories(sources))
    pins = plan_pins(uses, heads, Findings(), own={own: sources[own].identity})
    moved = {
        alias: pin.sha for alias, pin in pins.pins.items() if alias not in sources or sources[alias].identity != pin.sha
    }
    return Composition(
        root=composed.root, moved=moved, unavailable={**unreached, **pins.unavailable}, generated=generated
    )
