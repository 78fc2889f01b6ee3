"""Rules of hooks: where they may stand, and what they may name (``stack.md`` section 10.3)."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.fields import DNS_LABEL
from stagewright.contexts.deploys.model.document.orchestration import Hook
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.durations import parse_duration
from stagewright.contexts.deploys.rules.secret_names import check_key
from stagewright.contexts.deploys.rules.spots import spot

STACK_PHASES = ("beforeDeploy", "afterInfrastructure", "afterDeploy", "beforeDelete")
UNIT_PHASES = ("beforeUnit", "afterUnit", "beforeDelete")
LONGEST = 3600
_NAME = re.compile(DNS_LABEL)


class PlacedHook(NamedTuple):
    """A hook and its unit; the hooks of the whole stack have none."""

    hook: Hook
    unit: EffectiveUnit | None

    @property
    def enabled(self) -> bool:
        """Whether it may run here."""
        return self.hook.when and (self.unit is None or self.unit.enabled)

    def place(self, field: Path, prepared: Prepared) -> tuple[At | None, Path]:
        """Return where a field of the hook stands."""
        if self.unit is not None:
            return field_place(self.unit, ("hooks", self.hook.name, *field), prepared)
        path = ("spec", "orchestration", "hooks", self.hook.name, *field)
        return spot(prepared.tree, path), path


def all_hooks(units: Sequence[EffectiveUnit], prepared: Prepared) -> Iterator[PlacedHook]:
    """Yield the hooks of the stack, then those of its units."""
    yield from (PlacedHook(hook, None) for hook in prepared.stack.spec.orchestration.hooks)
    yield from (PlacedHook(hook, unit) for unit in units for hook in unit.hooks)


def check_hooks(units: Sequence[EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    """Check each hook: its phase, image, secrets and timeout."""
    for placed in all_hooks(units, prepared):
        _check_phase(placed, prepared, found)
        _check_image(placed, prepared, found)
        _check_timeout(placed, prepared, found)
        for name, key in placed.hook.secret_env.items():
            at, path = placed.place(("secretEnv", name), prepared)
            check_key(key, at, path, prepared, found, here=placed.enabled)


def _check_phase(placed: PlacedHook, prepared: Prepared, found: Findings) -> None:
    hook, unit = placed.hook, placed.unit
    allowed = STACK_PHASES if unit is None else UNIT_PHASES
    if hook.phase in allowed:
        return
    where = "the whole stack" if unit is None else f"the unit {quoted(unit.name)}"
    message = f"a hook of {where} cannot run in {quoted(hook.phase)}; its phases are {', '.join(allowed)}"
    at, path = placed.place(("phase",), prepared)
    found.add("hook_phase", message, at, path)


def _check_image(placed: PlacedHook, prepared: Prepared, found: Findings) -> None:
    name = placed.hook.image
    declared = prepared.stack.spec.images
    image = declared.get(name)
    if image is not None and (image.when or not placed.enabled):
        return
    at, path = placed.place(("image",), prepared)
    if not _NAME.match(name):
        message = f"a hook names an image of spec.images, and {quoted(name)} is no name; declare the image there"
        found.add("hook_image", message, at, path)
    elif image is None:
        listed = ", ".join(sorted(declared)) or "none"
        message = f"no image {quoted(name)} is declared; declared: {listed}"
        found.add("unknown_image", message, at, path)
    else:
        message = f"the hook {quoted(placed.hook.name)} runs the image {quoted(name)}, which is switched off here"
        found.add("image_disabled", message, at, path, hint="give both the same when")


def _check_timeout(placed: PlacedHook, prepared: Prepared, found: Findings) -> None:
    timeout = parse_duration(placed.hook.timeout)
    if timeout is not None and timeout.total_seconds() > LONGEST:
        at, path = placed.place(("timeout",), prepared)
        message = f"a hook may take at most 1h, not {placed.hook.timeout}; shorten it, or split the work"
        found.add("timeout_range", message, at, path)
