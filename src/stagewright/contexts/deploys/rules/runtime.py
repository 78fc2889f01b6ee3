"""Modes of runs and lives of candidates, as ``webhookRuntime`` sets them (``stack.md`` section 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.environments import Ttl, WebhookRuntime
from stagewright.contexts.deploys.model.inputs import PolicyWords
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.tree import Mapping, Node
from stagewright.contexts.deploys.rules.durations import canonical_duration, parse_duration

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=14)
REVISE = "_revise"
_FIXED = frozenset({"deploy", "discussion", "reviewer"})
"""Kinds whose mode no stack decides (``workflow.md`` section 3.3)."""
_PATH = ("spec", "webhookRuntime")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a candidate sleeps and lives on: ``sleep`` after its last activity, ``delete`` after its last lease."""

    sleep: timedelta
    delete: timedelta


DEFAULT_LIFETIME = Lifetime(timedelta(hours=1), timedelta(hours=24))


def mode_of(runtime: WebhookRuntime, kind: str) -> str | None:
    """Return the mode of runs of ``kind``; a revise without an entry takes its stage's. None: the policy decides."""
    entry = runtime.trigger_modes.get(kind) or runtime.trigger_modes.get(kind.removesuffix(REVISE))
    return entry or runtime.default_mode


def lifetime_of(runtime: WebhookRuntime, role: str | None = None) -> Lifetime:
    """Return how long a candidate lives on after a run of ``role``; parts that are not set are inherited."""
    default = _over(DEFAULT_LIFETIME, runtime.default_ttl)
    return _over(default, runtime.ttl_by_role.get(role)) if role is not None else default


def _over(lifetime: Lifetime, ttl: Ttl | str | None) -> Lifetime:
    sleep, delete = (ttl.sleep, ttl.delete) if isinstance(ttl, Ttl) else (None, ttl)
    return Lifetime(
        (parse_duration(sleep) if sleep is not None else None) or lifetime.sleep,
        (parse_duration(delete) if delete is not None else None) or lifetime.delete,
    )


def check_runtime(runtime: WebhookRuntime, node: Node | None, policy: PolicyWords, found: Findings) -> None:
    """Check modes against the policy, and the order and range of times. ``node``: where ``webhookRuntime`` stands."""
    places = _Places(node)
    _check_kinds(runtime, policy, places, found)
    _check_default(runtime, policy, places, found)
    _check_lifetime(lifetime_of(runtime), "defaultTTL", ("defaultTTL",), places, found)
    for role in runtime.ttl_by_role:
        path = ("ttlByRole", role)
        if role not in policy.roles:
            known = ", ".join(sorted(policy.roles))
            found.add("unknown_role", f"the policy has no role {quoted(role)}; roles: {known}", *places.key(path))
        _check_lifetime(lifetime_of(runtime, role), f"ttlByRole.{role}", path, places, found)


def _check_kinds(runtime: WebhookRuntime, policy: PolicyWords, places: "_Places", found: Findings) -> None:
    for kind, mode in runtime.trigger_modes.items():
        path = ("triggerModes", kind)
        if kind not in policy.modes:
            known = ", ".join(sorted(policy.modes))
            found.add(
                "unknown_kind", f"the policy has no kind of run {quoted(kind)}; kinds: {known}", *places.key(path)
            )
            continue
        refusing = [name for name in _decided(runtime, kind, policy) if mode not in policy.modes[name]]
        if refusing:
            said = f"the policy does not allow {mode} for {' and '.join(refusing)}; allowed: {_modes(policy, refusing)}"
            found.add("mode_not_allowed", said, *places.value(path))


def _decided(runtime: WebhookRuntime, kind: str, policy: PolicyWords) -> Iterator[str]:
    """Yield the kinds whose mode the entry of ``kind`` decides."""
    yield kind
    revise = kind + REVISE
    if revise in policy.modes and revise not in runtime.trigger_modes:
        yield revise


def _check_default(runtime: WebhookRuntime, policy: PolicyWords, places: "_Places", found: Findings) -> None:
    mode = runtime.default_mode
    if mode is None:
        return
    decided = {name for kind in runtime.trigger_modes for name in (kind, kind + REVISE)} | _FIXED
    refusing = sorted(kind for kind, modes in policy.modes.items() if kind not in decided and mode not in modes)
    if refusing:
        said = f"the policy does not allow {mode} for {', '.join(refusing)}: give them an entry in triggerModes"
        found.add("mode_not_allowed", said, *places.value(("defaultMode",)))


def _modes(policy: PolicyWords, kinds: list[str]) -> str:
    return ", ".join(sorted(frozenset.intersection(*(policy.modes[kind] for kind in kinds)))) or "none"


def _check_lifetime(lifetime: Lifetime, name: str, path: Path, places: "_Places", found: Findings) -> None:
    for part, value in (("sleep", lifetime.sleep), ("delete", lifetime.delete)):
        if not SHORTEST <= value <= LONGEST:
            said = f"{part} of {name} is {canonical_duration(value)}; it must lie between 5m and 14d"
            found.add("ttl_range", said, *places.value((*path, part)))
    if lifetime.sleep > lifetime.delete:
        sleep, delete = canonical_duration(lifetime.sleep), canonical_duration(lifetime.delete)
        said = (
            f"{name} would delete after {delete}, before it sleeps after {sleep}: make sleep shorter or delete longer"
        )
        found.add("ttl_order", said, *places.value(path))


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the fields of ``webhookRuntime`` stand; what is not written stands where its nearest parent does."""

    node: Node | None

    def value(self, path: Path) -> tuple[At | None, Path]:
        """Return the place of a value, and its path."""
        node, known = self.node, list(_PATH)
        for step in path:
            below = node.items.get(str(step)) if isinstance(node, Mapping) else None
            if below is None:
                break
            node = below
            known.append(str(step))
        return (node.at if node is not None else None), tuple(known)

    def key(self, path: Path) -> tuple[At | None, Path]:
        """Return the place of a key, and its path."""
        node = self.node
        for step in path[:-1]:
            node = node.items.get(str(step)) if isinstance(node, Mapping) else None
        at = node.keys.get(str(path[-1])) if isinstance(node, Mapping) else None
        return at, (*_PATH, *path)
