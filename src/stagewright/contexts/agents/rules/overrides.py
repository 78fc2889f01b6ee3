"""Prompt texts of a project: which file speaks to which part, and whether it adds to or replaces the built-in one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from stagewright.contexts.agents.errors import OverrideInvalid
from stagewright.contexts.agents.model import PartKey
from stagewright.contexts.agents.rules.hygiene import Clean, sanitise
from stagewright.kit.errors import FieldProblem

FOLDER = ".stagewright/prompts/"
SIZE_LIMIT = 32 * 1024
SINGLE_PARTS = ("base", "completion", "resume")
NAMED_PARTS = ("role", "stage", "kind", "mode")
NEVER_REPLACED = frozenset({"base", "completion"})

_FRONT = "---"


@dataclass(frozen=True, slots=True)
class Override:
    """One project text, cleaned, without its front matter, which took ``front_lines``."""

    path: str
    key: PartKey
    mode: Literal["append", "replace"]
    clean: Clean
    front_lines: int = 0


def part_of(path: str) -> PartKey | None:
    """Return the part a path below ``.stagewright/prompts/`` speaks to, or None when it names none."""
    words = path.removeprefix(FOLDER).split("/")
    stem = words[-1].split(".")
    if len(stem) != 3 or stem[2] != "md" or not all(stem):
        return None
    name, locale = stem[0], stem[1]
    if len(words) == 1 and name in SINGLE_PARTS:
        return PartKey(name, name, locale)
    if len(words) == 2 and words[0] in NAMED_PARTS:
        return PartKey(words[0], name, locale)
    return None


def read_override(path: str, text: str) -> Override:
    """Parse one project text. Raise ``OverrideInvalid`` with the place and the remedy."""
    key = part_of(path)
    if key is None:
        raise _bad(
            path, "unknown_path", "name it <part>/<name>.<locale>.md with part role, stage, kind or mode, "
            "or base.<locale>.md, completion.<locale>.md, resume.<locale>.md"
        )  # fmt: skip
    if len(text.encode(errors="replace")) > SIZE_LIMIT:
        raise _bad(path, "too_large", f"keep a prompt text within {SIZE_LIMIT} bytes")
    clean = sanitise(text)
    front, body = _split(path, clean.text)
    mode = front.get("mode", "append")
    if mode == "replace" and key.part in NEVER_REPLACED:
        raise _bad(path, "not_replaceable", f"the part {key.part!r} can only be added to: remove `mode: replace`")
    above = clean.text.count("\n") - body.count("\n")
    if mode == "append":
        return Override(path, key, "append", Clean(body, clean.counts), above)
    if mode == "replace":
        return Override(path, key, "replace", Clean(body, clean.counts), above)
    raise _bad(path, "front_matter", "`mode` is `append` or `replace`")


def choose_override(overrides: Mapping[str, str], part: str, name: str, locale: str) -> Override | None:
    """Return the project's text for a part in ``locale``, else in English, else None."""
    for choice in dict.fromkeys((locale, "en")):
        path = PartKey(part, name, choice).path
        for full in (path, FOLDER + path):
            if full in overrides:
                return read_override(full, overrides[full])
    return None


def check_overrides(overrides: Mapping[str, str], *, roles: Iterable[str], stages: Iterable[str]) -> list[FieldProblem]:
    """Return what is wrong with a project's prompt texts; a name no role or stage has is wrong too."""
    known = {"role": set(roles), "stage": set(stages)}
    problems: list[FieldProblem] = []
    for path, text in sorted(overrides.items()):
        try:
            override = read_override(path, text)
        except OverrideInvalid as error:
            problems += error.problems
            continue
        names = known.get(override.key.part)
        if names is not None and override.key.name not in names:
            words = ", ".join(sorted(names))
            problems.append(FieldProblem(_pointer(path), "unknown_name", f"{path}: known names are {words}"))
    return problems


def _split(path: str, text: str) -> tuple[dict[str, str], str]:
    lines = text.split("\n")
    if lines[0].rstrip() != _FRONT:
        return {}, text
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FRONT]
    if not ends:
        raise _bad(path, "front_matter", "close the front matter with a line `---`")
    front: dict[str, str] = {}
    for number, line in enumerate(lines[1 : ends[0]], start=2):
        name, separator, value = line.partition(":")
        if not line.strip():
            continue
        if not separator or name.strip() != "mode":
            raise _bad(path, "front_matter", f"line {number}: the only key is `mode: append` or `mode: replace`")
        front["mode"] = value.strip()
    return front, "\n".join(lines[ends[0] + 1 :])


def _bad(path: str, code: str, remedy: str) -> OverrideInvalid:
    problem = FieldProblem(_pointer(path), code, f"{path}: {remedy}")
    return OverrideInvalid(f"the prompt text {path} cannot be used: {remedy}", problems=(problem,))


def _pointer(path: str) -> str:
    return "/" + path.replace("~", "~0").replace("/", "~1")
