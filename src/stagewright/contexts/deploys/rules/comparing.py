"""What a new plan would change (``stack.md`` section 14, Diff). Names and paths of fields only, never their values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from stagewright.contexts.deploys.model.places import Path, pointer
from stagewright.contexts.deploys.model.plan import Part, Plan, PlannedHook, PlannedImage, PlannedObject

Change = Literal["added", "removed", "changed", "unchanged"]
Key = tuple[str, str, str]
_MOST_FIELDS = 100


class ObjectChange(Part, frozen=True, kw_only=True):
    """What happens to an object. ``fields``: JSON pointers of what differs, only where it is changed."""

    id: str
    kind: str
    name: str
    unit: str
    change: Change
    fields: Sequence[str] = ()


class NamedChange(Part, frozen=True, kw_only=True):
    """What happens to an image or to a key of a secret; ``before`` and ``after`` are references or versions."""

    name: str
    change: Change
    before: str | None = None
    after: str | None = None


class HookRun(Part, frozen=True, kw_only=True):
    """A hook that the new plan would run. ``unit`` is empty for one of the stack."""

    unit: str
    name: str
    phase: str
    why: Literal["always", "new", "changed"]


class Pruned(Part, frozen=True, kw_only=True):
    """An object that is in no unit any more. ``kept``: why it is reported and not deleted."""

    id: str
    kind: str
    name: str
    kept: str | None = None


class PlanDiff(Part, frozen=True, kw_only=True):
    """The difference between two plans."""

    before: str | None
    after: str
    objects: Sequence[ObjectChange] = ()
    images: Sequence[NamedChange] = ()
    secrets: Sequence[NamedChange] = ()
    hooks: Sequence[HookRun] = ()
    prune: Sequence[Pruned] = ()

    @property
    def empty(self) -> bool:
        """Whether both plans have the same effect."""
        return self.before == self.after


def compare(before: Plan | None, after: Plan) -> PlanDiff:
    """Return what carrying out ``after`` would change where ``before`` was applied last; None for a first deploy."""
    return PlanDiff(
        before=before.hash if before is not None else None,
        after=after.hash,
        objects=sorted(_objects(before, after), key=lambda item: (item.kind, item.name, item.id)),
        images=list(_named(_images(before), _images(after))),
        secrets=list(_named(_secrets(before), _secrets(after))),
        hooks=list(_hooks(before, after)),
        prune=list(_prune(before, after)),
    )


def _by_key(plan: Plan | None) -> dict[Key, PlannedObject]:
    return {(item.group, item.kind, item.name): item for item in plan.objects} if plan is not None else {}


def _objects(before: Plan | None, after: Plan) -> Iterator[ObjectChange]:
    old, new = _by_key(before), _by_key(after)
    for key in sorted(old.keys() | new.keys()):
        earlier, later = old.get(key), new.get(key)
        item = later or earlier
        assert item is not None  # the key came from one of them
        change, fields = _change(earlier, later)
        yield ObjectChange(id=item.id, kind=item.kind, name=item.name, unit=item.unit, change=change, fields=fields)


def _change(earlier: PlannedObject | None, later: PlannedObject | None) -> tuple[Change, Sequence[str]]:
    if earlier is None:
        return "added", ()
    if later is None:
        return "removed", ()
    if earlier.hash == later.hash and earlier.id == later.id:
        return "unchanged", ()
    return "changed", [pointer(path) for path in _differing(earlier.body, later.body, ())][:_MOST_FIELDS]


def _differing(one: object, other: object, path: Path) -> Iterator[Path]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted(one.keys() | other.keys()):
            if key not in one or key not in other:
                yield (*path, key)
            else:
                yield from _differing(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differing(left, right, (*path, place))
    elif one != other or type(one) is not type(other):
        yield path


def _images(plan: Plan | None) -> dict[str, str]:
    return {image.name: _input(image) for image in plan.images} if plan is not None else {}


def _input(image: PlannedImage) -> str:
    return (
        image.reference if image.identity is not None or image.digest is None else f"{image.reference} {image.digest}"
    )


def _secrets(plan: Plan | None) -> dict[str, str]:
    if plan is None:
        return {}
    return {f"{item.secret}/{item.key}": item.version or "unresolved" for item in plan.secrets}


def _named(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[NamedChange]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        change: Change = "added" if before is None else "removed" if after is None else "changed"
        yield NamedChange(name=name, change="unchanged" if before == after else change, before=before, after=after)


def _all_hooks(plan: Plan | None) -> Iterator[tuple[str, str, PlannedHook]]:
    for phase in plan.phases if plan is not None else ():
        for unit in phase.units:
            for hook in unit.hooks:
                yield phase.kind, "" if phase.kind == "hook" else unit.name, hook


def _hooks(before: Plan | None, after: Plan) -> Iterator[HookRun]:
    """Give the hooks that a deploy runs; those before a deletion wait for it."""
    earlier = {(unit, hook.name): hook.identity for _, unit, hook in _all_hooks(before)}
    for _, unit, hook in _all_hooks(after):
        identity = earlier.get((unit, hook.name))
        why: Literal["always", "new", "changed"] | None = None
        if hook.run == "always":
            why = "always"
        elif identity is None:
            why = "new"
        elif identity != hook.identity and hook.run == "onChange":
            why = "changed"
        if why is not None and hook.phase != "beforeDelete":
            yield HookRun(unit=unit, name=hook.name, phase=hook.phase, why=why)


def _prune(before: Plan | None, after: Plan) -> Iterator[Pruned]:
    """Give the objects that are gone from the plan, the last of the order first."""
    if before is None:
        return
    protected = {unit.name for phase in before.phases for unit in phase.units if unit.protected}
    new = _by_key(after)
    for item in reversed(before.objects):
        if (item.group, item.kind, item.name) not in new:
            kept = _kept(item, protected, after)
            yield Pruned(id=item.id, kind=item.kind, name=item.name, kept=kept)


def _kept(item: PlannedObject, protected: set[str], after: Plan) -> str | None:
    """Return why ``item`` stays (``runtime.md`` section 7.3), or None."""
    annotations: Any = item.body.get("metadata", {}).get("annotations", {})
    if item.unit in protected:
        return "protected"
    if annotations.get("stagewright.dev/prune") == "never":
        return "annotation"
    if item.kind == "PersistentVolumeClaim" and after.environment.kind != "candidate":
        return "volume"
    return None


def encode(diff: PlanDiff) -> bytes:
    """Return the difference as JSON."""
    return msgspec.json.encode(diff)
