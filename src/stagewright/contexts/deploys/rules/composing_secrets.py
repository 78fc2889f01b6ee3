"""Texts that are put together inside of the vault: ``{{ keys.OTHER }}`` of the same secret and public variables."""

import re
from collections.abc import Iterator, Mapping, Sequence

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.secrets import Secret
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.stages import Prepared
from stagewright.contexts.deploys.model.tree import Scalar
from stagewright.contexts.deploys.rules.circles import circles
from stagewright.contexts.deploys.rules.spots import node_at, spot
from stagewright.contexts.deploys.rules.templates.compiling import Omitted, compiled
from stagewright.contexts.deploys.rules.templates.problems import Refused, Reported
from stagewright.contexts.deploys.rules.templates.values import context

Part = str | Mapping[str, str]
_KEY = re.compile(r"""\{\{\s*keys\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*(?:'([^'{}]*)'|"([^"{}]*)")\s*\])\s*\}\}""")
_OTHER_USE = re.compile(r"\{\{(?:(?!\}\}).)*\bkeys\b(?:(?!\}\}).)*\}\}", re.DOTALL)


def composed(secret: Secret, key: str, text: str, prepared: Prepared, found: Findings) -> Sequence[Part]:
    """Return the parts of a text: public text with its variables filled in, and ``{"key": NAME}`` for values that
    only the vault knows."""
    path = _path(secret, key)
    node = node_at(prepared.tree, path)
    if isinstance(node, Scalar) and node.raw:
        return [text]
    parts: list[Part] = []
    for public, name in _split(text):
        if public:
            parts.append(_rendered(public, path, prepared, found))
        if name is None:
            continue
        parts.append({"key": name})
        if name not in secret.keys:
            listed = ", ".join(sorted(other for other in secret.keys if other != key)) or "none"
            message = f"the secret {quoted(secret.name)} has no key {quoted(name)}; its other keys: {listed}"
            found.add("secret_compose", message, spot(prepared.tree, path), path)
    return parts


def check_circles(secret: Secret, prepared: Prepared, found: Findings) -> None:
    """Note texts that need each other, once for every circle."""
    needs = {key: tuple(_needed(source.compose)) for key, source in secret.keys.items() if source.compose}
    for chain in circles(needs):
        path = _path(secret, chain[-2])
        names = " -> ".join(chain)
        message = f"the texts of the secret {quoted(secret.name)} need each other: {names}; write one of them out"
        found.add("secret_compose", message, spot(prepared.tree, path), path)


def _path(secret: Secret, key: str) -> Path:
    return ("spec", "secrets", secret.name, "keys", key, "compose")


def _needed(text: str) -> Iterator[str]:
    return (name for _, name in _split(text) if name is not None)


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield pieces of public text, each with the key that follows it."""
    start = 0
    for match in _KEY.finditer(text):
        yield text[start : match.start()], next(name for name in match.groups() if name is not None)
        start = match.end()
    yield text[start:], None


def _rendered(text: str, path: Path, prepared: Prepared, found: Findings) -> str:
    """Return a piece of public text with its variables filled in."""
    if "{{" not in text:
        return text
    at = spot(prepared.tree, path)
    if _OTHER_USE.search(text):
        message = (
            'a key can only be inserted, as {{ keys.NAME }} or {{ keys["NAME"] }}; filters and operators see no value'
        )
        found.add("secret_compose", message, at, path)
        return text
    try:
        return str(compiled(text).render(context(prepared.variables)))
    except Omitted:
        return ""
    except Reported:
        return text
    except Refused as refused:
        found.add(refused.code, refused.message, at, path, hint=refused.hint)
        return text
