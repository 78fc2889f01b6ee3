"""Rules of single units: manifests, synchronised files, exposed paths (``stack.md`` sections 6.1 and 6.2)."""

import re
from collections.abc import Sequence

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.units import Strategy, Sync
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.confining import confine
from stagewright.contexts.deploys.rules.spots import spot

_SYSTEM = (
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "run", "sbin", "sys", "usr/bin", "usr/lib",
    "usr/lib32", "usr/lib64", "usr/libexec", "usr/local/bin", "usr/local/lib", "usr/local/sbin", "usr/sbin",
    "usr/share", "var/run",
)  # fmt: skip
"""Directories of the system: nothing may be mounted there, nor below."""
_TOPS = frozenset(
    {"home", "media", "mnt", "opt", "root", "srv", "tmp", "usr", "usr/local", "usr/src", "var", "var/lib"}
)
"""Directories that hold those of others: only something below them may be mounted."""
_ABSOLUTE = re.compile(r"/[^\0-\x1f\\]*")
_REBUILD: Strategy = "rebuild"


def check_units(units: Sequence[EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    """Check each unit by itself, whether it is switched on here or not."""
    for unit in units:
        if not unit.infrastructure and not unit.manifests:
            path = (*unit.path, "manifests")
            message = f"the service {quoted(unit.name)} has no manifests; name at least one file of Kubernetes objects"
            found.add("no_manifests", message, spot(prepared.tree, path), path)
        _check_strategy(unit, prepared, found)
        if unit.sync is not None:
            _check_sync(unit, unit.sync, prepared, found)
        _check_exposed(unit, prepared, found)


def _check_strategy(unit: EffectiveUnit, prepared: Prepared, found: Findings) -> None:
    strategy = unit.declared_strategy
    if strategy == _REBUILD:
        return
    at, path = field_place(unit, ("codeUpdateStrategy",), prepared)
    if unit.sync is None:
        message = f"the strategy {quoted(strategy)} of {quoted(unit.name)} needs sync: which files go where"
        found.add("sync_required", message, at, path, hint="add sync: {paths, container, mountPath}")
    kinds = {environment.kind for environment in prepared.stack.spec.environments.values()}
    if "candidate" not in {*kinds, prepared.environment.kind}:
        message = f"the strategy {quoted(strategy)} has no effect: the stack has no candidate environment; remove it"
        found.add("sync_ineffective", message, at, path)


def _check_sync(unit: EffectiveUnit, sync: Sync, prepared: Prepared, found: Findings) -> None:
    for index, name in enumerate(sync.paths):
        if not confine(name):
            at, path = field_place(unit, ("sync", "paths", index), prepared)
            what = "is the whole repository" if confine(name) == "" else "leads out of the repository"
            message = f"{quoted(name)} {what}; name a file or directory inside of it"
            found.add("sync_path", message, at, path)
    problem = _mount_problem(sync.mount_path)
    if problem is not None:
        at, path = field_place(unit, ("sync", "mountPath"), prepared)
        message = f"{quoted(sync.mount_path)} {problem}; mount the files at a directory of their own, like /app/src"
        found.add("sync_path", message, at, path)


def _mount_problem(path: str) -> str | None:
    """Return why nothing can be mounted at ``path``."""
    if not _ABSOLUTE.fullmatch(path):
        return "is no absolute path"
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        return "contains .."
    inside = "/".join(parts)
    if not inside:
        return "is the root of the container"
    if inside in _TOPS or any(inside == name or inside.startswith(f"{name}/") for name in _SYSTEM):
        return "is a directory of the system"
    return None


def _check_exposed(unit: EffectiveUnit, prepared: Prepared, found: Findings) -> None:
    if not unit.enabled or prepared.environment.kind != "candidate" or prepared.inputs.project.public_slots:
        return
    for index, exposed in enumerate(unit.expose):
        field = "access" if exposed.access == "public" else "publicPaths"
        if exposed.access == "public" or exposed.public_paths:
            at, path = field_place(unit, ("expose", index, field), prepared)
            message = (
                f"{quoted(unit.name)} opens {quoted(exposed.path)} to everybody in a candidate environment; remove "
                f"{field}, or let the project's owner allow public_slots"
            )
            found.add("expose_public", message, at, path)
