"""Which paths a result may change: the kind's scope, protected paths, and what self-improvement never touches.

The platform asks before it pushes (``runs.md`` section 8.3). Old and new path of every change are looked at, so a
rename is a delete and an add.
"""

import posixpath
from collections.abc import Iterable, Iterator

from stagewright.contexts.workflow.model.outcomes import EntryKind, PathChange, PathViolation
from stagewright.contexts.workflow.model.policy import Kind, PathRule, Policy
from stagewright.kit.globs import matches_any, protects

SCOPE_VIOLATION, PROTECTED_PATH = "scope_violation", "protected_path"


def scope_patterns(kind: str, policy: Policy) -> tuple[str, ...]:
    """Return the patterns of the paths that ``kind`` may change; none for scope ``none``."""
    return policy.scopes[policy.kinds[kind].scope].patterns


def locked_patterns(kind: str, policy: Policy) -> tuple[str, ...]:
    """Return the patterns that ``kind`` never changes whatever its scope: those of self-improvement."""
    row = policy.kinds[kind]
    return policy.self_improve_locked if "self_improve" in (row.scope, row.report) else ()


def check_paths(changes: Iterable[PathChange], kind: str, policy: Policy) -> tuple[PathViolation, ...]:
    """Return every path that a result of ``kind`` may not change, each once per code, in the order of the changes."""
    allowed, locked = scope_patterns(kind, policy), locked_patterns(kind, policy)
    denied = tuple(row.path for row in policy.protected_paths if row.rule is PathRule.DENY) + locked
    found: dict[PathViolation, None] = {}
    for change in changes:
        for path in _paths(change):
            if not matches_any(allowed, path):
                found.setdefault(PathViolation(SCOPE_VIOLATION, path))
            if any(protects(pattern, path) for pattern in denied):
                found.setdefault(PathViolation(PROTECTED_PATH, path))
        if _dangerous(change):
            found.setdefault(PathViolation(PROTECTED_PATH, change.path))
    return tuple(found)


def owner_review_paths(changes: Iterable[PathChange], policy: Policy) -> tuple[str, ...]:
    """Return the changed paths that hold a result until an owner accepted it."""
    guards = [row.path for row in policy.protected_paths if row.rule is PathRule.OWNER_REVIEW]
    paths = [path for change in changes for path in _paths(change)]
    return tuple(dict.fromkeys(path for path in paths if any(protects(guard, path) for guard in guards)))


def is_held(kind: Kind, held_paths: Iterable[str]) -> bool:
    """Say whether a result waits for an owner: its stage says so, or it changes a path that does."""
    return kind.publish == "held" or any(True for _ in held_paths)


def publishes_directly(kind: Kind, policy: Policy) -> bool:
    """Say whether an accepted result may go straight to the default branch: a repair's, where the policy says so."""
    special = policy.special.get(kind.key)
    return special is not None and special.publish == "default_branch"


def _paths(change: PathChange) -> Iterator[str]:
    if change.old_path is not None and change.old_path != change.path:
        yield change.old_path
    yield change.path


def _dangerous(change: PathChange) -> bool:
    """Say whether the entry is a submodule, or a symbolic link out of the tree. Deleting one is not."""
    if change.kind == "deleted":
        return False
    if change.entry is EntryKind.SUBMODULE:
        return True
    return change.entry is EntryKind.SYMLINK and _leaves_tree(change.path, change.link_target)


def _leaves_tree(path: str, target: str | None) -> bool:
    if not target or target.startswith("/") or "\\" in target or "\0" in target:
        return True
    landing = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return landing == ".." or landing.startswith("../")
