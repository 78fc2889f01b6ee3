"""What one policy means differently from another: stages, labels, gates, limits, next steps, approvals and the rest."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stagewright.contexts.workflow.model.policy import LocalText, Policy
from stagewright.contexts.workflow.rules.next_steps import NO_STEPS, FinishedRun, next_steps


class ChangeKind(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One difference: of ``subject`` in ``area``; of a changed one the ``field`` and its values as people read them."""

    area: str
    subject: str
    kind: ChangeKind
    field: str | None = None
    before: str | None = None
    after: str | None = None


def compare_policies(before: Policy, after: Policy) -> tuple[PolicyChange, ...]:
    """Return what ``after`` means differently, area by area. Equal policies, however written, have no difference."""
    pairs = zip(_areas(before), _areas(after), strict=True)
    return tuple(change for (area, old), (_, new) in pairs for change in _maps(area, old, new))


def step_matrix(policy: Policy) -> dict[str, tuple[str, ...]]:
    """Return what may follow each kind of run that succeeded, its pull request open: ``target [variant]`` texts."""
    asked = [key for key, kind in policy.kinds.items() if kind.kind_class not in NO_STEPS and not kind.revise]
    steps = {key: next_steps(FinishedRun(key, has_open_link=True), policy) for key in asked}
    return {key: tuple(f"{step.target} [{step.variant}]" for step in found) for key, found in steps.items()}


def _areas(policy: Policy) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield every area as things by name; a plain value is a thing of one field."""
    labels = policy.labels
    yield "stages", policy.stages
    yield "special", policy.special
    yield "labels", policy.catalogue
    yield "label_aliases", labels.aliases
    yield "gates", _flat(policy.gates)
    yield "profiles", policy.profiles.paths
    order, default = policy.profiles.order, policy.profiles.default
    yield "profile_order", {"default": default, "escalation": order}
    yield "next_steps", step_matrix(policy)
    yield "approvals", {row.id: row for row in policy.approvals}
    yield "approval_order", {"order": tuple(row.id for row in policy.approvals)}
    yield "roles", policy.roles
    yield "limits", _flat(dataclasses.replace(policy.limits, roles={}))
    yield "budgets", _flat(policy.budgets)
    yield "scopes", policy.scopes
    yield "protected_paths", {item.path: item.rule for item in policy.protected_paths}
    yield "models", policy.models
    yield "reasoning", policy.reasoning
    yield "engines", policy.engines
    yield "defaults", _flat(policy.defaults)
    yield "publishing", {**_flat(policy.pull_request), "branch_prefix": policy.branch_prefix}
    yield "tools", _flat(policy.tools)
    yield "clocks", _flat(policy.clocks)
    yield "senders", {"automation_allow": policy.automation_allow}
    yield "self_improve", {"locked": policy.self_improve_locked}
    yield "trigger_words", {"prefix": labels.trigger_prefix, "reserved": labels.reserved}


def _maps(area: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[PolicyChange]:
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield PolicyChange(area, key, ChangeKind.REMOVED, before=_summary(before[key]))
        elif key not in before:
            yield PolicyChange(area, key, ChangeKind.ADDED, after=_summary(after[key]))
        else:
            yield from _values(area, key, before[key], after[key])


def _values(area: str, key: str, before: object, after: object) -> Iterator[PolicyChange]:
    if before == after:
        return
    old, new = _flat(before), _flat(after)
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was != now:
            yield PolicyChange(area, key, ChangeKind.CHANGED, name or None, _shown(was), _shown(now))


def _flat(value: object, at: str = "") -> dict[str, object]:
    """Return the fields of a dataclass by name, nested ones with dots; anything else as the field without a name."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type | LocalText):
        return {at: value}
    found: dict[str, object] = {}
    for item in dataclasses.fields(value):
        found |= _flat(getattr(value, item.name), f"{at}.{item.name}" if at else item.name)
    return found


def _summary(value: object) -> str | None:
    return None if dataclasses.is_dataclass(value) and not isinstance(value, LocalText) else _shown(value)


def _shown(value: Any) -> str | None:
    if value is None or value in ({}, (), ""):
        return None
    if isinstance(value, LocalText):
        return f"{value.en} / {value.ru}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(item) or "" for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return ", ".join(f"{name} {_shown(item)}" for name, item in _flat(value).items() if item not in (None, ()))
    return str(value)
