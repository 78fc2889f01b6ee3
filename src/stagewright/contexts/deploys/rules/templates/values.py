"""Values of expressions: their kinds, their text, and how large they may be."""

from typing import Final, NoReturn

from jinja2 import StrictUndefined

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.model.scope import ROOTS, Names, Scope
from stagewright.contexts.deploys.rules.templates.problems import Refused, Undefined

MOST_BYTES: Final = 64 * 1024
_MOST_NAMES = 20
_LARGEST = 2**63


class _Omit:
    """The constant ``omit``: as the whole result it removes the key or the list item."""


OMIT: Final = _Omit()


def absent(path: str, known: tuple[str, ...], why: str | None = None) -> StrictUndefined:
    """Return the value of a name behind which nothing stands: reading it is an error that lists what is known."""
    message = (
        f"{quoted(path)} {why}" if why is not None else f"{quoted(path)} is not known here; {_listed(path, known)}"
    )
    return StrictUndefined(hint=message, name=path, exc=Undefined)  # type: ignore[arg-type]


def _listed(path: str, known: tuple[str, ...]) -> str:
    before = path.rpartition(".")[0]
    if not known:
        return f"nothing is known in {quoted(before)}" if before else "nothing is known"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return "known names: " + ", ".join(f"{before}.{name}" if before else name for name in known[:_MOST_NAMES]) + more


def context(scope: Scope) -> dict[str, object]:
    """Return the names that an expression starts from, those of the language included."""
    known = tuple(sorted(scope.values))
    missing = {name: absent(name, known, scope.missing.get(name)) for name in ROOTS if name not in scope.values}
    return {**missing, **scope.values, "omit": OMIT}


def field(value: object, name: str) -> object:
    """Return ``value.name``. Only our own maps have names in them; Python's attributes are never looked at."""
    if isinstance(value, StrictUndefined):
        return value
    if not isinstance(value, Names):
        raise Refused("template_type", f"{named(value)} has no names in it, so {quoted(name)} cannot be read from it")
    found = value.find(name)
    return absent(f"{value.path}.{name}", value.known(), value.why(name)) if found is None else found


def text(value: object) -> str:
    """Return ``value`` as the text that is put between other texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(limited(value))
    return _no_text(value)


def _no_text(value: object) -> NoReturn:
    if isinstance(value, StrictUndefined):
        str(value)  # raises its own message
    if value is OMIT:
        raise Refused("template_type", "omit removes a whole value: it cannot be a part of a text")
    raise Refused("template_type", f"{named(value)} cannot be turned into text")


def native(value: object) -> str | int | bool:
    """Return the result of a scalar that is one expression: text, a whole number or a truth value."""
    return limited(value) if isinstance(value, int) else fits(text(value))


def limited(value: int) -> int:
    """Return a number that fits into 64 bits."""
    if not -_LARGEST <= value < _LARGEST:
        raise Refused("template_limit", "a number is larger than 64 bits")
    return value


def fits(value: str) -> str:
    """Return a text that is not too long."""
    if len(value) > MOST_BYTES or (not value.isascii() and len(value.encode("utf-8", "surrogatepass")) > MOST_BYTES):
        raise Refused("template_limit", "the result is longer than 64 KiB")
    return value


def named(value: object) -> str:
    """Return what kind of value this is, for a message."""
    if isinstance(value, Names):
        return f"the group of names {quoted(value.path)}"
    if value is OMIT:
        return "omit"
    kinds = {bool: "a truth value", int: "a number", str: "a text", float: "a number with a fraction", list: "a list"}
    return kinds.get(type(value), "nothing (none)")
