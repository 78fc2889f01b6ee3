"""Reads of a Dockerfile what decides about bases: stages, FROM, ARG before the first of them, and images that files
are copied from. Everything else is left to the builder; arbitrary bytes never raise anything but ``Unreadable``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_BYTES = 1 << 20
SCRATCH = "scratch"
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.*?)\s*", re.ASCII)
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_INSTRUCTION = re.compile(r"\s*([a-zA-Z]+)(?:\s+(.*))?", re.DOTALL)
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"\d*<<(-?)([^<\s].*)")
_HOLDS_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=.*)?", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^${}]*))?\})")
_FROM_IMAGE = re.compile(r"(?:^|,)from=([^,\s]+)")


class Unreadable(Exception):
    """What is wrong with a Dockerfile, and in which line."""

    def __init__(self, message: str, line: int = 1) -> None:
        """Lines count from 1."""
        super().__init__(message)
        self.message = message
        self.line = line


class Base(NamedTuple):
    """An image that a build starts from or copies from. ``reference`` is None where it depends on what only the builder
    knows; ``written`` is its text."""

    written: str
    line: int
    reference: str | None


@dataclass(slots=True)
class Dockerfile:
    """The stages by their names (a number without one), and the images from outside, each once."""

    stages: list[str] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)

    def has_stage(self, name: str) -> bool:
        """Say whether ``name`` is a stage: by name in any case, or by number."""
        return name.lower() in self.stages or (name.isdecimal() and name.isascii() and int(name) < len(self.stages))


class _Line(NamedTuple):
    """An instruction with its continuations joined, and the number of its first line."""

    text: str
    number: int


def read_dockerfile(data: bytes, args: Mapping[str, str]) -> Dockerfile:
    """Read a Dockerfile. ``args``: values that the build sets, before the defaults of ARG. Raises ``Unreadable``."""
    if len(data) > MOST_BYTES:
        raise Unreadable("it is larger than 1 MiB; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("it is no UTF-8 text; save it as UTF-8", data[: error.start].count(b"\n") + 1) from error
    reading = _Reading(dict(args))
    for line in _instructions(text):
        reading.take(line)
    if not reading.result.stages:
        raise Unreadable("it has no FROM; a build starts from an image, or from scratch")
    return reading.result


@dataclass(slots=True)
class _Reading:
    """Takes the instructions one by one."""

    given: dict[str, str]
    defaults: dict[str, str | None] = field(default_factory=dict)
    result: Dockerfile = field(default_factory=Dockerfile)

    def take(self, line: _Line) -> None:
        """Take one instruction."""
        match = _INSTRUCTION.fullmatch(line.text)
        if match is None:
            raise Unreadable(f"{line.text.strip()[:40]!r} is no instruction", line.number)
        name, rest = match[1].upper(), (match[2] or "").strip()
        flags, rest = _flags(rest)
        if name == "FROM":
            self._from(rest, line.number)
        elif name == "ARG" and not self.result.stages:
            self._arg(rest)
        elif name in ("COPY", "ADD") and (origin := flags.get("from")):
            self._outside(origin[-1], line.number)
        elif name == "RUN":
            for mount in flags.get("mount", ()):
                for origin_of_mount in _FROM_IMAGE.findall(mount):
                    self._outside(origin_of_mount, line.number)

    def _arg(self, rest: str) -> None:
        for word in _words(rest):
            match = _ARGUMENT.fullmatch(word)
            if match is not None:
                default = self._filled(_unquoted(match[2][1:])) if match[2] else None
                self.defaults[match[1]] = self.given.get(match[1], default)

    def _from(self, rest: str, number: int) -> None:
        words = rest.split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise Unreadable("FROM takes an image, and AS with a name if you like", number)
        reference = self._filled(_unquoted(words[0]))
        if reference is None or reference.lower() not in (SCRATCH, *self.result.stages):
            self._add(words[0], number, reference or None)
        self.result.stages.append(words[2].lower() if len(words) == 3 else str(len(self.result.stages)))

    def _outside(self, written: str, number: int) -> None:
        """Take an image that files come from, unless it is a stage."""
        written = _unquoted(written)
        if "$" in written:
            self._add(written, number, None)
        elif written.lower() != SCRATCH and not self.result.has_stage(written):
            self._add(written, number, written)

    def _add(self, written: str, number: int, reference: str | None) -> None:
        if all(base.written != written for base in self.result.bases):
            self.result.bases.append(Base(written, number, reference))

    def _filled(self, text: str) -> str | None:
        """Return ``text`` with the arguments filled in; None where one of them is not known."""
        parts: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            value = self._value(match)
            if value is None:
                return None
            parts += (text[end : match.start()], value)
            end = match.end()
        filled = "".join((*parts, text[end:]))
        return None if "$" in text[end:] or any("$" in part for part in parts[::2]) else filled

    def _value(self, match: re.Match[str]) -> str | None:
        name = match[1] or match[2]
        value = self.defaults.get(name) if name in self.defaults else None
        if match[3] is None:
            return value
        is_set = bool(value) if match[3].startswith(":") else value is not None
        if name not in self.defaults and name.startswith(("TARGET", "BUILD")):
            return None
        if match[3].endswith("-"):
            return value if is_set else match[4]
        return match[4] if is_set else ""


def _instructions(text: str) -> Iterator[_Line]:
    """Yield the instructions: comments left out, continued lines joined, the bodies of heredocs passed over."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        first = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number]
            number += 1
            stripped = line.strip()
            if stripped.startswith("#") or not stripped:
                if parts:
                    continue
                first = number
                break
            kept = line.rstrip(" \t")
            if not kept.endswith(escape):
                parts.append(line)
                break
            parts.append(kept[:-1])
        joined = "".join(parts)
        if joined.strip():
            yield _Line(joined, first + 1)
            number = _after_heredocs(joined, lines, number, first + 1)


def _escape(lines: list[str]) -> str:
    """Return the character that continues lines: that of the directive at the top, or a backslash."""
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        if match[1].lower() == "escape" and match[2] in ("\\", "`"):
            return match[2]
    return "\\"


def _after_heredocs(text: str, lines: list[str], number: int, first: int) -> int:
    """Return the line after the bodies of the heredocs that an instruction opens."""
    word = text.split(None, 1)[0].upper()
    if word not in _HOLDS_HEREDOC or "<<" not in text:
        return number
    for opened in _words(text):
        match = _HEREDOC.fullmatch(opened)
        if match is None:
            continue
        end = _unquoted(match[2])
        while number < len(lines):
            line = lines[number].lstrip("\t") if match[1] else lines[number]
            number += 1
            if line.rstrip("\r") == end:
                break
        else:
            raise Unreadable(f"the text that starts with <<{end[:40]} never ends", first)
    return number


def _flags(rest: str) -> tuple[dict[str, list[str]], str]:
    """Split off the flags at the start: ``--platform=…``, ``--from=…``, ``--mount=…``."""
    flags: dict[str, list[str]] = {}
    while (match := _FLAG.match(rest)) is not None:
        flags.setdefault(match[1], []).append(match[2] or "")
        rest = rest[match.end() :]
    return flags, rest


def _words(text: str) -> Iterator[str]:
    """Yield the words of a line; quotes keep blanks together."""
    word, quote, skip = "", "", False
    for letter in text:
        if skip:
            word, skip = word + letter, False
        elif letter == "\\" and quote != "'":
            word, skip = word + letter, True
        elif quote:
            word += letter
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            word, quote = word + letter, letter
        elif letter.isspace():
            if word:
                yield word
            word = ""
        else:
            word += letter
    if word:
        yield word


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
