"""What the rules of objects need to know besides the object, and how they report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, Severity
from stagewright.contexts.deploys.model.inputs import Project
from stagewright.contexts.deploys.model.objects import Unfinished, dotted
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.sources import ConfigReader
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment

PREFIX = "stagewright.dev/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where objects are checked. ``images``: every reference that ``images.*`` gives; ``secrets``: declared secret ->
    its keys; ``roles``: names of the plan's Roles."""

    environment: EffectiveEnvironment
    project: Project
    config: ConfigReader
    images: frozenset[str] = frozenset()
    secrets: Mapping[str, frozenset[str]]
    roles: frozenset[str] = frozenset()

    @property
    def candidate(self) -> bool:
        """Whether the environment is a candidate's."""
        return self.environment.kind == "candidate"


def report(
    found: Findings,
    code: str,
    item: Unfinished,
    path: Path,
    message: str,
    *,
    hint: str | None = None,
    related: Iterable[Related] = (),
    severity: Severity | None = None,
) -> None:
    """Note what is wrong with a field of ``item``: the message names the object, then the field."""
    where = f"{dotted(path)} " if path else ""
    text = f"{item}: {where}{message}"
    found.add(code, text, item.place(path), path, hint=hint, related=related, severity=severity)
