"""The version bump (``stack.md`` section 1.5): the last number of a version goes up by one, in place.

The scalar is found by its position, and only its digits are written anew. The result is read again and compared with
what was there, so an escape or a folded line can never spoil a file: such a version is refused instead.
"""

import re
from collections.abc import Collection
from collections.abc import Sequence as Many
from typing import Any, NamedTuple

import yaml
from yaml.events import AliasEvent, ScalarEvent

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.tree import Mapping, Scalar, Sequence
from stagewright.contexts.deploys.rules.confining import confine

VERSIONS = ("spec", "versions")
_RUN = re.compile("[0-9]+")


class Bump(NamedTuple):
    """A version that goes up. ``at``: where its value stands."""

    key: str
    at: At
    before: str
    after: str


class _Version(NamedTuple):
    key: str
    value: Scalar
    paths: tuple[Scalar, ...]

    @property
    def path(self) -> Path:
        return (*VERSIONS, self.key, "value")


def next_version(value: str) -> str | None:
    """Return ``value`` with its last number increased by one, zeros in front kept; None where it has no digit."""
    last = _last_number(value)
    if last is None:
        return None
    start, end = last
    return value[:start] + _increased(value[start:end]) + value[end:]


def plan_bumps(tree: Mapping, repository: str, changed: Collection[str], found: Findings) -> tuple[Bump, ...]:
    """Return the versions of the merged ``tree`` whose ``bumpOn`` names one of the ``changed`` paths of
    ``repository``, in the order of their keys. A version that cannot be bumped is noted."""
    bumps = []
    for version in sorted(_versions(tree)):
        if not any(_touched(path, repository, changed) for path in version.paths):
            continue
        at, before = version.value.at, str(version.value.value)
        after = next_version(before)
        if after is None or at.source.repository != repository:
            _refuse(version, found, "" if after is None else f"it stands in the repository {at.source.repository!r}")
        else:
            bumps.append(Bump(version.key, at, before, after))
    return tuple(bumps)


def check_versions(tree: Mapping, found: Findings) -> None:
    """Note every version that is to be bumped and has no number, and every path of one that leads outside."""
    for version in _versions(tree):
        for index, path in enumerate(version.paths):
            if confine(str(path.value)) is None:
                message = f"the path {quoted(path.value)} leads out of its repository; name a file or folder inside"
                found.add("bad_value", message, path.at, (*VERSIONS, version.key, "bumpOn", index))
        if next_version(str(version.value.value)) is None:
            _refuse(version, found, "")


def bump(data: bytes, bumps: Many[Bump], found: Findings) -> bytes | None:
    """Return the content of one file with its ``bumps``; None, and a finding, where a value cannot be edited in place.

    ``data`` is the content in which the places of ``bumps`` were found.
    """
    text = data.decode("utf-8")
    scalars = {(event.start_mark.line + 1, event.start_mark.column + 1): event for event in _scalars(text)}
    edits: dict[int, int] = {}
    for wanted in bumps:
        event = scalars.get((wanted.at.line, wanted.at.column))
        start = event.start_mark.index if event is not None else 0
        last = _last_number(text[start : event.end_mark.index]) if event is not None else None
        if last is not None:
            edits[start + last[0]] = start + last[1]
    result = text
    for start, end in sorted(edits.items(), reverse=True):
        result = result[:start] + _increased(result[start:end]) + result[end:]
    after = {(wanted.at.line, wanted.at.column): wanted.after for wanted in bumps}
    if len(edits) == len(after) and _told(result) == _told(text, after):
        return result.encode("utf-8")
    for wanted in bumps:
        message = f"the version {wanted.key} cannot be raised in place; write its value on one line, without escapes"
        found.add("version_not_bumpable", message, wanted.at, (*VERSIONS, wanted.key, "value"))
    return None


def _last_number(text: str) -> tuple[int, int] | None:
    """Return where the last run of digits starts and ends; looked for from the end, so that no text takes long."""
    run = _RUN.search(text[::-1])
    return (len(text) - run.end(), len(text) - run.start()) if run is not None else None


def _increased(digits: str) -> str:
    """Return the next number of as many digits; done on the text, since a number of any length is a version."""
    head = digits.rstrip("9")
    zeros = "0" * (len(digits) - len(head))
    return (head[:-1] + str(int(head[-1]) + 1) if head else "1") + zeros


def _refuse(version: _Version, found: Findings, why: str) -> None:
    reason = why or "it holds no number"
    message = f"the version {quoted(version.value.value)} cannot be raised: {reason}; mend it, or remove bumpOn"
    found.add("version_not_bumpable", message, version.value.at, version.path)


def _touched(path: Scalar, repository: str, changed: Collection[str]) -> bool:
    folder = confine(str(path.value)) if path.at.source.repository == repository else None
    if folder is None:
        return False
    return any(not folder or name == folder or name.startswith(f"{folder}/") for name in changed)


def _versions(tree: Mapping) -> list[_Version]:
    """Return the versions that are to be bumped and well formed."""
    spec = tree.items.get("spec")
    versions = spec.items.get("versions") if isinstance(spec, Mapping) else None
    found = []
    for key, item in versions.items.items() if isinstance(versions, Mapping) else ():
        value = item.items.get("value") if isinstance(item, Mapping) else None
        paths = item.items.get("bumpOn") if isinstance(item, Mapping) else None
        if isinstance(value, Scalar) and isinstance(value.value, str) and isinstance(paths, Sequence):
            texts = tuple(path for path in paths.items if isinstance(path, Scalar) and isinstance(path.value, str))
            if texts:
                found.append(_Version(key, value, texts))
    return found


def _events(text: str) -> list[Any]:
    following = yaml.CSafeLoader(text).get_event
    return list(iter(following, None))


def _scalars(text: str) -> list[Any]:
    return [event for event in _events(text) if type(event) is ScalarEvent]


def _told(text: str, changed: dict[tuple[int, int], str] | None = None) -> list[tuple[object, ...]]:
    """Return what the events of ``text`` say, but for their places; ``changed``: other values of some scalars."""
    told: list[tuple[object, ...]] = []
    try:
        events = _events(text)
    except yaml.YAMLError:
        return told
    for event in events:
        kind = type(event)
        anchor = getattr(event, "anchor", None)
        if kind is ScalarEvent:
            place = (event.start_mark.line + 1, event.start_mark.column + 1)
            value = changed.get(place, event.value) if changed is not None else event.value
            told.append((kind, anchor, event.tag, value, event.style))
        else:
            told.append((kind, anchor, None if kind is AliasEvent else getattr(event, "tag", None)))
    return told
