"""Objects have a name, stand once in a plan, and belong to the target namespace (``stack.md`` section 6.4)."""

import re
from collections.abc import Iterable

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.objects import Unfinished, as_map
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_FREE_NAMES = frozenset(("rbac.authorization.k8s.io",))
_OURS = "stagewright-"
_BASELINE_POLICIES = frozenset(("default-deny", "dns", "internal", "from-run", "from-ingress", "egress-declared"))


def check_identity(item: Unfinished, found: Findings) -> bool:
    """Check that ``item`` says what it is. False: nothing else can be checked."""
    metadata = as_map(item.body.get("metadata"))
    before = len(found.items)
    for name, value in (("apiVersion", item.version), ("kind", item.kind)):
        if not value:
            report(found, "object_identity", item, (name,), "is missing; every object needs apiVersion and kind")
    if "generateName" in metadata:
        text = "is refused, since a plan must know every name; write metadata.name instead"
        report(found, "object_identity", item, ("metadata", "generateName"), text)
    elif not item.name:
        text = "is missing; give the object a fixed name"
        report(found, "object_identity", item, ("metadata", "name"), text)
    elif item.group not in _FREE_NAMES and not _NAME.fullmatch(item.name):
        text = f"is {quoted(item.name)}; use lower-case letters, digits, '-' and '.', at most 253 characters"
        report(found, "object_identity", item, ("metadata", "name"), text)
    elif not item.generated:
        _check_not_ours(item, found)
    return len(found.items) == before


def _check_not_ours(item: Unfinished, found: Findings) -> None:
    ours = item.name.startswith(_OURS) or (item.kind == "NetworkPolicy" and item.name in _BASELINE_POLICIES)
    if ours:
        text = f"is {quoted(item.name)}, a name that the platform uses itself; choose another one"
        report(found, "object_identity", item, ("metadata", "name"), text)


def check_duplicates(items: Iterable[Unfinished], found: Findings) -> None:
    """Check that no two objects of the plan are the same one of the cluster."""
    first: dict[tuple[str, str, str], Unfinished] = {}
    for item in items:
        other = first.setdefault((item.group, item.kind, item.name), item)
        if other is item:
            continue
        at = other.place(("metadata", "name"))
        text = f"is defined twice, by the units {quoted(other.unit)} and {quoted(item.unit)}; rename or remove one"
        related = [] if at is None else [Related(at, "the other one")]
        report(found, "object_duplicate", item, ("metadata", "name"), text, related=related)


def check_namespace(item: Unfinished, setting: Setting, found: Findings, *, cluster_scoped: bool) -> None:
    """Check that the object names no namespace but the target."""
    metadata = as_map(item.body.get("metadata"))
    namespace, target = metadata.get("namespace"), setting.environment.namespace
    if namespace is None or (namespace == target and not cluster_scoped):
        return
    if cluster_scoped:
        text = f"is {quoted(namespace)}, but a {item.kind} belongs to no namespace; remove the field"
    else:
        text = f"is {quoted(namespace)}, but everything goes into {quoted(target)}; remove the field"
    report(found, "object_foreign_namespace", item, ("metadata", "namespace"), text)
