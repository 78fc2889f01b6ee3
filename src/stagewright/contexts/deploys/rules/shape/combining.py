"""What no type of a single field says: fields that need or exclude each other, and texts with a grammar of their own.

These rules read the tree, not the types, so that they hold beside other mistakes.
"""

import ipaddress
import re
from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.document.fields import OPEN
from stagewright.contexts.deploys.model.document.images import ONLY
from stagewright.contexts.deploys.model.document.secrets import SOURCES
from stagewright.contexts.deploys.model.document.stack import FRAGMENT, PLATFORM_PREFIX
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import step_of
from stagewright.contexts.deploys.rules.shape.problems import missing

_NAME = ("name",)


def combine(tree: Mapping, found: Findings) -> None:
    """Add what is wrong between fields."""
    _metadata(tree, found)
    spec = tree.items.get("spec")
    if not isinstance(spec, Mapping):
        return
    if not _is_fragment(tree) and not _maps(spec.items.get("environments")):
        remedy = "a stack needs at least one environment"
        missing(spec, ("spec", "environments"), found, spec.at, remedy)
    for name, environment in _maps(spec.items.get("environments")).items():
        _egress(environment, ("spec", "environments", name, "egress"), found)
    for name, variable in _maps(spec.items.get("vars")).items():
        _pattern(variable, ("spec", "vars", name, "pattern"), found)
    for name, image in _maps(spec.items.get("images")).items():
        _image(image, ("spec", "images", name), found)
    for step, secret in _items(spec.items.get("secrets"), _NAME):
        for key, source in _maps(secret.items.get("keys")).items():
            _source(source, ("spec", "secrets", step, "keys", key), found)


def _is_fragment(tree: Mapping) -> bool:
    kind = tree.items.get("kind")
    return isinstance(kind, Scalar) and kind.value == FRAGMENT


def _metadata(tree: Mapping, found: Findings) -> None:
    node = tree.items.get("metadata")
    if not _is_fragment(tree):
        if node is None:
            missing(tree, ("metadata",), found, tree.at, "a stack needs metadata with a name")
        elif isinstance(node, Mapping) and "name" not in node.items:
            missing(node, ("metadata", "name"), found, node.at, "a stack needs a name")
        if "spec" not in tree.items:
            missing(tree, ("spec",), found, tree.at, "a stack needs a spec with at least one environment")
    labels = node.items.get("labels") if isinstance(node, Mapping) else None
    for key in labels.items if isinstance(labels, Mapping) else ():
        if isinstance(labels, Mapping) and key.startswith(PLATFORM_PREFIX):
            message = f"the label {quoted(key)} is not valid: the prefix {PLATFORM_PREFIX} is the platform's own"
            found.add("bad_value", message, labels.keys[key], ("metadata", "labels", key))


def _egress(environment: Mapping, path: Path, found: Findings) -> None:
    for index, item in _items(environment.items.get("egress")):
        here = (*path, index)
        preset, cidr = item.items.get("preset"), item.items.get("cidr")
        if preset is None and cidr is None:
            missing(item, (*here, "cidr"), found, item.at, "give a cidr, or a preset")
        elif preset is not None:
            for name in ("cidr", "ports"):
                if name in item.items:
                    message = f"{name} cannot stand beside preset; write two items, or remove one field"
                    related = [Related(item.keys["preset"], "the preset")]
                    found.add("exclusive_fields", message, item.keys[name], (*here, name), related=related)
        _cidr(cidr, (*here, "cidr"), found)


def _cidr(node: Node | None, path: Path, found: Findings) -> None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or OPEN in node.value:
        return
    try:
        ipaddress.ip_network(node.value)
    except ValueError as error:
        message = f"cidr must be a network such as 203.0.113.0/24, not the text {quoted(node.value)}"
        found.add("bad_value", message, node.at, path, hint=str(error))


def _pattern(variable: Mapping, path: Path, found: Findings) -> None:
    node = variable.items.get("pattern")
    if isinstance(node, Scalar) and isinstance(node.value, str):
        try:
            re.compile(node.value)
        except (re.error, RecursionError, OverflowError) as error:
            message = f"pattern must be a regular expression, not the text {quoted(node.value)}"
            found.add("bad_value", message, node.at, path, hint=str(error))


def _image(image: Mapping, path: Path, found: Findings) -> None:
    node = image.items.get("type")
    kind = node.value if isinstance(node, Scalar) else None
    if kind not in ONLY:
        return
    for other, names in ONLY.items():
        for name in names if other != kind else ():
            if name in image.items:
                message = f"{name} belongs to images of type {other}; this one is of type {kind}: remove the field"
                found.add("image_fields", message, image.keys[name], (*path, name))
    if kind == "external" and "from" not in image.items:
        missing(image, (*path, "from"), found, image.at, "an external image needs a reference such as postgres:17")


def _source(source: Mapping, path: Path, found: Findings) -> None:
    given = [name for name in SOURCES if name in source.items]
    if not given:
        message = f"the key {quoted(path[-1])} has no source; give one of {', '.join(SOURCES)}"
        found.add("secret_source", message, source.at, path)
    elif len(given) > 1:
        message = f"the key {quoted(path[-1])} has several sources ({', '.join(given)}); keep one"
        related = [Related(source.keys[given[0]], "the first one")]
        found.add("secret_source", message, source.keys[given[1]], path, related=related)


def _maps(node: Node | None) -> dict[str, Mapping]:
    if not isinstance(node, Mapping):
        return {}
    return {key: item for key, item in node.items.items() if isinstance(item, Mapping)}


def _items(node: Node | None, key: tuple[str, ...] = ()) -> Iterator[tuple[str | int, Mapping]]:
    for index, item in enumerate(node.items if isinstance(node, Sequence) else ()):
        if isinstance(item, Mapping):
            yield step_of(item, index, key), item
