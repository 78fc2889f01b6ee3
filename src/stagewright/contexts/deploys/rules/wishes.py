"""The imports of one file as it words them, and the rule that they hold no templates (``stack.md`` section 2.1)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.fields import DNS_LABEL
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence

IMPORTS = ("spec", "imports")
_UNTEMPLATED = ("imports", "repositories")
_FIELDS = ("path", "repository", "optional")
_EXTENSION = re.compile(r"x-[a-z0-9-]+")


class Wish(NamedTuple):
    """One import. ``path_in_file``: where the file says so."""

    path: str
    repository: str | None
    optional: bool
    at: At
    path_in_file: Path


def wishes_of(spec: Mapping, found: Findings) -> Iterator[Wish]:
    """Yield the imports of a file that are well formed; the others are noted."""
    imports = spec.items.get("imports")
    if imports is None:
        return
    if not isinstance(imports, Sequence):
        found.add("wrong_type", "imports must be a list of paths", imports.at, IMPORTS)
        return
    for index, item in enumerate(imports.items):
        wish = _wish(item, (*IMPORTS, index), found)
        if wish is not None and "{{" not in wish.path:
            yield wish


def refuse_templates(spec: Mapping, found: Findings) -> None:
    """Note every template in imports and repositories: which files there are depends on no variable."""
    for name in _UNTEMPLATED:
        if (node := spec.items.get(name)) is not None:
            _refuse(node, ("spec", name), found)


def _refuse(node: Node, path: Path, found: Findings) -> None:
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and "{{" in node.value and not node.raw:
            message = f"{quoted(node.value)} is a template; {path[1]} take none, write the value out"
            found.add("import_templated", message, node.at, path)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            _refuse(item, (*path, index), found)
    else:
        for key, child in node.items.items():
            _refuse(child, (*path, key), found)


def _wish(item: Node, path: Path, found: Findings) -> Wish | None:
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return Wish(item.value, None, False, item.at, path)
    if not isinstance(item, Mapping):
        found.add("wrong_type", "an import is a path, or a map with path", item.at, path)
        return None
    for name in item.items:
        if name not in _FIELDS and not _EXTENSION.fullmatch(name):
            hint = f"an import has {', '.join(_FIELDS)}"
            found.add("unknown_field", f"unknown field {quoted(name)}", item.keys[name], (*path, name), hint=hint)
    if "path" not in item.items:
        found.add("missing_field", "an import needs path", item.at, path)
        return None
    file = _field(item, "path", str, path, found)
    repository = _field(item, "repository", str, path, found)
    optional = _field(item, "optional", bool, path, found)
    if isinstance(repository, str) and not re.fullmatch(DNS_LABEL.strip("^$"), repository):
        at = item.items["repository"].at
        message = f"{quoted(repository)} is no alias: lower-case letters, digits and dashes, at most 40"
        found.add("bad_name", message, at, (*path, "repository"))
        return None
    if not isinstance(file, str):
        return None
    return Wish(file, repository if isinstance(repository, str) else None, optional is True, item.at, path)


def _field(item: Mapping, name: str, kind: type, path: Path, found: Findings) -> object:
    node = item.items.get(name)
    if node is None:
        return None
    if isinstance(node, Scalar) and type(node.value) is kind:
        return node.value
    what = {str: "a text", bool: "true or false"}[kind]
    found.add("wrong_type", f"{name} must be {what}", node.at, (*path, name))
    return None
