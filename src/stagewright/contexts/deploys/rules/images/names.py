"""References to images: what they consist of, and which texts name an image of the stack."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?"
_WORD = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"({_HOST}{_WORD}(?:/{_WORD})*)(?::([\w][\w.-]{{0,127}}))?(?:@(sha256:[0-9a-f]{{64}}))?", re.ASCII
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_IMAGE = re.compile(r"""\bimages\s*(?:\.\s*([A-Za-z0-9_]+)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])""")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
LONGEST = 255


class Reference(NamedTuple):
    """An image outside: its repository, and a tag or a digest or both."""

    repository: str
    tag: str | None
    digest: str | None


def parsed(text: str) -> Reference | None:
    """Return the parts of a reference, or None for what is none."""
    match = _REFERENCE.fullmatch(text) if len(text) <= LONGEST else None
    return Reference(match[1], match[2], match[3]) if match is not None else None


def is_alias(text: str) -> bool:
    """Say whether ``text`` may be another tag of a built image."""
    return _TAG.fullmatch(text) is not None and text != "latest" and not text.startswith("c-")


def named_in(text: str) -> Iterator[tuple[str, int]]:
    """Yield the images that the templates of a manifest name, each with the line. Comments count as well."""
    for expression in _EXPRESSION.finditer(text):
        if "images" not in expression[1]:
            continue
        for match in _IMAGE.finditer(expression[1]):
            name = next(group for group in match.groups() if group is not None)
            yield name, text.count("\n", 0, expression.start(1) + match.start()) + 1


def without_comments(text: str) -> str:
    """Return a YAML text without its comments; lines keep their numbers."""
    return _COMMENT.sub("", text)
