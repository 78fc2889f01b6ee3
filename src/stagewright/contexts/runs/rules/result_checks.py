"""Whether a result may be published (specification: runs, section 8.3). All checks run; all violations are returned."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagewright.contexts.runs.model import ChangedPath, Inspection, Violation

MAX_FILES = 300
MAX_BLOB = 5 * 1024 * 1024
MAX_ADDED = 20 * 1024 * 1024
MAX_PATHS = 50
MAX_PATH_BYTES = 4096
ABSENT = "000000"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"

PRECEDENCE = (
    "ref_violation",
    "tree_invalid",
    "secret_in_result",
    "scope_violation",
    "protected_path",
    "size_limit",
    "report_invalid",
    "evidence_unresolved",
    "empty_result",
)

PathCheck = Callable[[Inspection], Sequence[tuple[str, str]]]
FindSecrets = Callable[[bytes], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ResultRules:
    """What the run's stage allows.

    ``check_paths`` knows scope and protected paths and returns (code, path); ``find_secrets`` returns kinds of secrets.
    """

    check_paths: PathCheck
    find_secrets: FindSecrets
    scope_none: bool
    result_required: bool


def check_result(inspection: Inspection | None, report: dict[str, Any], rules: ResultRules) -> list[Violation]:
    """Return every reason against publishing; none means it may be published.

    ``inspection`` is None when nothing was handed over beside the report.
    """
    found: list[Violation] = []
    if inspection is not None and inspection.problem is not None:
        code, _, text = inspection.problem.partition(": ")
        found.append(Violation(code, text or "hand over one bundle with refs/stagewright/result on the run's base"))
        return found
    changed = inspection.changed if inspection is not None else ()
    if inspection is not None and changed:
        found += _check_tree(inspection)
        found += _check_paths(inspection, rules)
        found += _check_sizes(inspection)
        found += _check_secrets(inspection, rules)
    if rules.scope_none and changed:
        found.append(Violation("scope_violation", "this kind of run may change no file", _shown(changed)))
    if rules.result_required and not changed:
        found.append(Violation("empty_result", "nothing was changed; the stage has to leave its artifacts"))
    found += _check_report_secrets(report, rules)
    return _merged(found)


def worst(violations: Sequence[Violation]) -> Violation:
    """Return the violation whose code the run fails with."""
    return min(violations, key=lambda item: PRECEDENCE.index(item.code) if item.code in PRECEDENCE else len(PRECEDENCE))


def _check_tree(inspection: Inspection) -> list[Violation]:
    bad: list[str] = []
    for change in inspection.changed:
        if change.new_mode != ABSENT and not _path_is_valid(change.path):
            bad.append(_text(change.path))
    folded: dict[str, bytes] = {}
    for path in inspection.tree_paths:
        key = path.decode("utf-8", "surrogateescape").casefold()
        if key in folded and folded[key] != path:
            bad += [_text(folded[key]), _text(path)]
        folded[key] = path
    if not bad:
        return []
    text = (
        "paths must be UTF-8 without control characters, no `.git` part, unique whatever the case, at most 4096 bytes"
    )
    return [Violation("tree_invalid", text, tuple(dict.fromkeys(bad))[:MAX_PATHS])]


def _path_is_valid(path: bytes) -> bool:
    if len(path) > MAX_PATH_BYTES:
        return False
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        return False
    return not any(_is_dot_git(part) for part in text.split("/"))


def _is_dot_git(part: str) -> bool:
    # HFS+ ignores zero-width characters, NTFS ignores trailing dots, spaces and stream names and knows GIT~1.
    kept = "".join(char for char in part if char not in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
    kept = kept.split(":", 1)[0].rstrip(". ").casefold()
    return kept in (".git", "git~1", "", ".", "..")


def _check_paths(inspection: Inspection, rules: ResultRules) -> list[Violation]:
    outside: dict[str, list[str]] = {}
    for code, path in rules.check_paths(inspection):
        outside.setdefault(code, []).append(path)
    texts = {
        "scope_violation": "these paths are outside what the stage may change; move the work or undo it",
        "protected_path": "these paths are protected; undo the change",
    }
    return [
        Violation(code, texts.get(code, "these paths may not be changed"), tuple(paths[:MAX_PATHS]))
        for code, paths in outside.items()
    ]


def _check_sizes(inspection: Inspection) -> list[Violation]:
    found: list[Violation] = []
    if len(inspection.changed) > MAX_FILES:
        found.append(
            Violation("size_limit", f"{len(inspection.changed)} files were changed; at most {MAX_FILES} may be")
        )
    sizes = {change: inspection.blob_sizes.get(change.new_sha, 0) for change in inspection.changed}
    large = [_text(change.path) for change, size in sizes.items() if size > MAX_BLOB]
    if large:
        found.append(Violation("size_limit", "a file may hold at most 5 MiB", tuple(large[:MAX_PATHS])))
    total = sum({change.new_sha: size for change, size in sizes.items()}.values())
    if total > MAX_ADDED:
        found.append(Violation("size_limit", f"{total} bytes were added; at most {MAX_ADDED} may be"))
    if not inspection.uses_lfs:
        pointers = [path for path, data in inspection.added if data.startswith(LFS_POINTER)]
        if pointers:
            text = "the repository does not use Git LFS; commit the files themselves"
            found.append(Violation("size_limit", text, tuple(pointers[:MAX_PATHS])))
    return found


def _check_secrets(inspection: Inspection, rules: ResultRules) -> list[Violation]:
    places = [path for path, data in inspection.added if rules.find_secrets(data)]
    places += [_text(change.path) for change in inspection.changed if rules.find_secrets(change.path)]
    if not places:
        return []
    text = "these files hold a secret, or have it in their name (it is not repeated here); use a reference instead"
    return [Violation("secret_in_result", text, tuple(places[:MAX_PATHS]))]


def _check_report_secrets(report: dict[str, Any], rules: ResultRules) -> list[Violation]:
    places = [pointer for pointer, text in texts_of(report) if rules.find_secrets(text.encode())]
    return [secret_fields(places)] if places else []


def secret_fields(places: Sequence[str]) -> Violation:
    """Return the violation of a report that holds secrets at ``places`` (JSON pointers)."""
    return Violation("secret_in_result", "these report fields hold a secret; remove it", tuple(places[:MAX_PATHS]))


def texts_of(value: Any, pointer: str = "") -> Iterable[tuple[str, str]]:
    """Yield every text of a JSON value, keys too, with its pointer."""
    if isinstance(value, str):
        yield pointer or "/", value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{pointer}/{key}", str(key)
            yield from texts_of(item, f"{pointer}/{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts_of(item, f"{pointer}/{index}")


def _merged(violations: list[Violation]) -> list[Violation]:
    merged: dict[tuple[str, str], Violation] = {}
    for item in violations:
        known = merged.get((item.code, item.message))
        paths = tuple(dict.fromkeys((known.paths if known else ()) + item.paths))[:MAX_PATHS]
        merged[(item.code, item.message)] = Violation(item.code, item.message, paths)
    return list(merged.values())


def _shown(changed: Iterable[ChangedPath]) -> tuple[str, ...]:
    return tuple(_text(change.path) for change in changed)[:MAX_PATHS]


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
