"""Reads stack files and manifests: all their problems as findings, parsed files kept by place and content."""

from collections.abc import Sequence as Many
from dataclasses import dataclass, field

import yaml

from stagewright.contexts.deploys.model.diagnostics import Diagnostic, Findings, Related
from stagewright.contexts.deploys.model.places import At, Source
from stagewright.contexts.deploys.model.sources import Blob
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar
from stagewright.contexts.deploys.rules.keyed import STACK, named
from stagewright.contexts.deploys.rules.reading.building import QUOTE_IT, Builder, Note
from stagewright.contexts.deploys.rules.reading.limits import MOST_TOTAL, Refused
from stagewright.contexts.deploys.rules.reading.texts import decode

_Parsed = tuple[tuple[Mapping, ...], tuple[Diagnostic, ...]]


@dataclass(slots=True)
class ParseCache:
    """Parsed files, by place and blob id: at most ``most`` bytes of them, the oldest go first."""

    most: int = MOST_TOTAL
    _kept: dict[tuple[Source, bool], tuple[_Parsed, int]] = field(default_factory=dict)
    _size: int = 0

    def find(self, source: Source, *, manifest: bool) -> _Parsed | None:
        """Return what the file held, or None."""
        known = self._kept.get((source, manifest))
        return known[0] if known is not None else None

    def keep(self, source: Source, parsed: _Parsed, size: int, *, manifest: bool) -> None:
        """Remember what the file of ``size`` bytes holds."""
        self._kept[source, manifest] = parsed, size
        self._size += size
        while self._size > self.most:
            _, oldest = self._kept.pop(next(iter(self._kept)))
            self._size -= oldest


def read_stack_file(blob: Blob, source: Source, found: Findings, cache: ParseCache | None = None) -> Mapping | None:
    """Return the tree of a stack file or fragment, or None where it cannot be parsed."""
    documents = _read(blob, source, found, cache, manifest=False)
    return documents[0] if documents else None


def read_manifests(blob: Blob, source: Source, found: Findings, cache: ParseCache | None = None) -> Many[Mapping]:
    """Return the documents of a manifest file; empty ones are left out. Syntax errors are ``manifest_syntax``."""
    return _read(blob, source, found, cache, manifest=True)


def _read(blob: Blob, source: Source, found: Findings, cache: ParseCache | None, *, manifest: bool) -> Many[Mapping]:
    parsed = cache.find(source, manifest=manifest) if cache is not None else None
    if parsed is None:
        parsed = _parse(blob, source, manifest=manifest)
        if cache is not None:
            cache.keep(source, parsed, len(blob.data), manifest=manifest)
    documents, problems = parsed
    found.items.extend(problems)
    return documents


def _parse(blob: Blob, source: Source, *, manifest: bool) -> _Parsed:
    own = Findings()
    try:
        text = decode(blob.data, source)
    except Refused as refused:
        own.add(_code(refused.code, manifest), refused.message, refused.at, hint=refused.hint)
        return (), tuple(own.items)
    builder = Builder(text, source, nulls=manifest)
    documents: list[Node] = []
    ended = True
    try:
        for document in builder.documents():
            documents.append(document)
            if not manifest and len(documents) > 1:
                message = "a stack file holds one document; move the second one to a file of its own"
                raise Refused("multi_document", message, document.at)
    except Refused as refused:
        ended = False
        own.add(_code(refused.code, manifest), refused.message, refused.at, tuple(builder.trail), hint=refused.hint)
    except (yaml.YAMLError, ValueError) as error:
        ended = False
        _add_syntax(own, error, text, source, builder.notes, manifest=manifest)
    _add_notes(own, builder.notes, documents, manifest=manifest)
    maps = _maps(documents, source, own, manifest=manifest) if ended else []
    return tuple(maps), tuple(own.items)


def _maps(documents: list[Node], source: Source, own: Findings, *, manifest: bool) -> list[Mapping]:
    if manifest:
        documents = [item for item in documents if not (isinstance(item, Scalar) and item.value is None)]
    elif not documents:
        own.add("wrong_type", "the file is empty; a stack starts with apiVersion, kind and spec", At(source, 1, 1))
    for item in documents:
        if not isinstance(item, Mapping):
            what = "a manifest is a map with apiVersion and kind" if manifest else "a stack file is a map"
            own.add("manifest_syntax" if manifest else "wrong_type", f"{what}, not a list or a single value", item.at)
    return [item for item in documents if isinstance(item, Mapping)]


def _add_notes(own: Findings, notes: list[Note], documents: list[Node], *, manifest: bool) -> None:
    for note in notes:
        path = note.path if manifest or not documents else named(documents[0], note.path, STACK)
        related = [Related(*note.other)] if note.other is not None else []
        own.add(_code(note.code, manifest), note.message, note.at, path, hint=note.hint, related=related)


def _add_syntax(
    own: Findings, error: Exception, text: str, source: Source, notes: list[Note], *, manifest: bool
) -> None:
    problem = getattr(error, "problem", None) or "the text cannot be read"
    context = getattr(error, "context", None)
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = At(source, min(line + 1, len(lines)), column + 1)
    if any(note.code == "template_unquoted" and note.at.line == at.line for note in notes):
        return
    shown = lines[at.line - 1]
    if (start := _bare_template(shown)) is not None:
        message = "a text that starts with {{ has no quotes"
        own.add("template_unquoted", message, at._replace(column=start + 1), hint=QUOTE_IT)
        return
    message = f"this is no YAML: {problem}" + (f" {context}" if context else "")
    hint = QUOTE_IT if "{{" in shown else None
    own.add(_code("yaml_syntax", manifest), message, at, hint=hint)


def _bare_template(line: str) -> int | None:
    """Return where in ``line`` a value starts with ``{{``, without quotes."""
    start = line.find("{{")
    before = line[:start].rstrip()
    return start if start >= 0 and (not before or before[-1] in ":-[,{") else None


def _code(code: str, manifest: bool) -> str:
    return "manifest_syntax" if manifest and code == "yaml_syntax" else code
