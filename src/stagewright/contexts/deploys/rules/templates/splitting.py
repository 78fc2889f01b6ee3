"""Splits a scalar into text and the expressions between ``{{`` and ``}}``, by jinja2's own lexer."""

import re
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError

from stagewright.contexts.deploys.rules.templates.problems import Refused

MOST_CHARACTERS = 1024
MOST_TEXT = 64 * 1024
_RETURN = "\ue00d"
"""Stands for a carriage return while jinja2's lexer, which makes line feeds of them, reads the text."""


class Expression(NamedTuple):
    """What stands between the braces."""

    text: str


Part = str | Expression
_NAMES = re.compile(r"\{\{\s*([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)*)\s*\}\}", re.ASCII)
_BRACES = re.compile(r"\{[{%#]|\{$")
_REFUSED = {
    "block_begin": "statements `{% … %}` are not allowed: only expressions in `{{ … }}` are",
    "raw_begin": "statements `{% … %}` are not allowed: tag the value !raw to keep braces as they are",
    "comment_begin": "comments `{# … #}` are not allowed inside values: use a YAML comment",
}


def split(text: str, environment: Environment) -> tuple[Part, ...]:
    """Return the parts of ``text`` in order; mere names between braces, the usual case, need no lexer for that. Raises
    ``Refused``."""
    if len(text) > MOST_TEXT:
        raise Refused("template_limit", "a value with templates has at most 64 KiB; split it, or tag it !raw")
    pieces = _NAMES.split(text)
    if not any(map(_BRACES.search, pieces[::2])) and max(map(len, pieces[1::2]), default=0) <= MOST_CHARACTERS:
        named = (Expression(piece) if index % 2 else piece for index, piece in enumerate(pieces))
        return tuple(part for part in named if part)
    return _lexed(text, environment)


def _lexed(text: str, environment: Environment) -> tuple[Part, ...]:
    parts: list[Part] = []
    inside: list[str] | None = None
    for kind, value in _tokens(text, environment):
        if kind in _REFUSED:
            raise Refused("template_forbidden", _REFUSED[kind])
        if kind == "variable_begin":
            inside = []
        elif kind == "variable_end":
            parts.append(_expression("".join(inside or ())))
            inside = None
        elif inside is not None:
            inside.append(value)
        else:
            parts.append(value.replace(_RETURN, "\r"))
    if inside is not None:
        raise Refused(
            "template_syntax", "`{{` is not closed: write `}}` after the expression", "tag a literal text !raw"
        )
    return tuple(parts)


def _tokens(text: str, environment: Environment) -> list[tuple[str, str]]:
    try:
        return [(kind, value) for _, kind, value in environment.lex(text.replace("\r", _RETURN))]
    except TemplateSyntaxError as error:
        raise Refused("template_syntax", f"the expression cannot be read: {error.message}") from error


def _expression(inside: str) -> Expression:
    text = inside.strip()
    if not text:
        raise Refused("template_syntax", "`{{ }}` holds no expression", "tag a literal text !raw")
    if len(text) > MOST_CHARACTERS:
        raise Refused(
            "template_limit", f"an expression has at most {MOST_CHARACTERS:,} characters; split it, or use vars"
        )
    return Expression(text)
