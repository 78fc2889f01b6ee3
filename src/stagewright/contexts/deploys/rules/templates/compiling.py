"""Templates ready to run, kept by their text: reading them is a pure function of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from stagewright.contexts.deploys.rules.templates.allowing import MOST_NODES, allow, check_root, too_large
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.sandbox import Sandbox
from stagewright.contexts.deploys.rules.templates.splitting import Expression, Part, split
from stagewright.contexts.deploys.rules.templates.values import OMIT, field, fits, native, text

_SANDBOX = Sandbox()
_NAME = re.compile(r"[a-zA-Z]\w{0,63}(?:\.[a-zA-Z]\w{0,63}){0,9}", re.ASCII)
_WORDS = frozenset({"true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is"})
_RESULT = "result"
MOST_DEPTH = 20
"""How deep brackets may be nested."""
_T = TypeVar("_T")


class Omitted(Exception):
    """The whole scalar is ``omit``: its key or list item goes."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression. ``reads``: the names in it, as ``a.b.c``; ``run`` takes the names of a context."""

    reads: frozenset[str]
    run: Callable[[Mapping[str, object]], object]


@dataclass(frozen=True, slots=True)
class Template:
    """A scalar with expressions in it."""

    parts: tuple[Part, ...]

    @property
    def expressions(self) -> int:
        """How many expressions it has."""
        return sum(1 for part in self.parts if isinstance(part, Expression))

    @property
    def reads(self) -> frozenset[str]:
        """The names that its expressions may read, as ``a.b.c``. Raises ``Refused``."""
        return frozenset().union(*(_ready(part).reads for part in self.parts if isinstance(part, Expression)))

    def render(self, context: Mapping[str, object]) -> str | int | bool:
        """Return the result. Raises ``Refused`` and ``Omitted``."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return _whole(self.parts[0], context)
        return fits("".join([part if isinstance(part, str) else text(_run(part, context)) for part in self.parts]))


def _whole(part: Expression, context: Mapping[str, object]) -> str | int | bool:
    value = _run(part, context)
    if value is OMIT:
        raise Omitted
    return native(value)


def _run(part: Expression, context: Mapping[str, object]) -> object:
    ready = _ready(part)
    try:
        return ready.run(context)
    except (TypeError, ValueError, TemplateError, RecursionError) as error:
        raise Refused("template_type", f"the expression cannot be computed: {error}") from error


def compiled(text: str) -> Template:
    """Return ``text`` as a template. Raises ``Refused``."""
    return _raised(_template(text))


def _ready(part: Expression) -> Compiled:
    return _raised(_expression(part.text))


def _raised(known: _T | Refused) -> _T:
    if isinstance(known, Refused):
        raise Refused(known.code, known.message, known.hint)  # the kept one would collect tracebacks
    return known


@lru_cache(maxsize=4096)
def _template(text: str) -> Template | Refused:
    """Kept without what its expressions were compiled to, so that the expressions alone bound what is kept."""
    try:
        return Template(split(text, _SANDBOX))
    except Refused as refused:
        return refused


@lru_cache(maxsize=2048)
def _expression(text: str) -> Compiled | Refused:
    try:
        return _name(text) if _NAME.fullmatch(text) and text not in _WORDS else _parsed(text)
    except Refused as refused:
        return refused


def _parsed(text: str) -> Compiled:
    if max(text.count("("), text.count("[")) > MOST_NODES or _depth(text) > MOST_DEPTH:
        raise too_large()
    try:
        parser = Parser(_SANDBOX, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise Refused("template_syntax", f"the expression cannot be read from {parser.stream.current.value!r} on")
        allowed = allow(expression)
        return Compiled(allowed.reads, _runner(allowed.node))
    except TemplateSyntaxError as error:
        raise Refused("template_syntax", f"the expression cannot be read: {error.message}") from error
    except (RecursionError, SyntaxError) as error:  # Python's own limits of depth, whichever bites first
        raise too_large() from error


def _depth(text: str) -> int:
    """Return how deep brackets are nested, those in texts included."""
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _name(path: str) -> Compiled:
    """A plain name is looked up as the sandbox would, without compiling anything: most expressions are one."""
    first, *rest = path.split(".")
    check_root(first)

    def run(context: Mapping[str, object]) -> object:
        value = context[first]
        for step in rest:
            value = field(value, step)
        return value

    return Compiled(frozenset({path}), run)


def _runner(expression: nodes.Expr) -> Callable[[Mapping[str, object]], object]:
    body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), expression)]
    tree = nodes.Template(body)
    tree.set_lineno(1, override=True).set_environment(_SANDBOX)
    program = _SANDBOX.from_string(tree)

    def run(names: Mapping[str, object]) -> Any:
        context = program.new_context(dict(names))
        list(program.root_render_func(context))  # assigns the result, and yields nothing
        return context.vars[_RESULT]

    return run


def forget() -> None:
    """Forget all templates, as if the process had just started."""
    _template.cache_clear()
    _expression.cache_clear()
