"""Templates ready to run, kept by their text: reading them is a pure function of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from stagewright.contexts.deploys.rules.templates.allowing import MOST_NODES, allow, check_root
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.sandbox import Sandbox
from stagewright.contexts.deploys.rules.templates.splitting import Expression, split
from stagewright.contexts.deploys.rules.templates.values import OMIT, field, fits, native, text

_SANDBOX = Sandbox()
_NAME = re.compile(r"[a-zA-Z]\w{0,63}(?:\.[a-zA-Z]\w{0,63}){0,9}", re.ASCII)
_WORDS = frozenset({"true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is"})
_RESULT = "result"


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

    parts: tuple[str | Compiled, ...]

    @property
    def reads(self) -> frozenset[str]:
        """The names that its expressions may read, as ``a.b.c``."""
        return frozenset().union(*(part.reads for part in self.parts if isinstance(part, Compiled)))

    def render(self, context: Mapping[str, object]) -> str | int | bool:
        """Return the result. Raises ``Refused`` and ``Omitted``."""
        if len(self.parts) == 1:
            return _whole(self.parts[0], context)
        return fits("".join([part if isinstance(part, str) else text(_run(part, context)) for part in self.parts]))


def _whole(part: str | Compiled, context: Mapping[str, object]) -> str | int | bool:
    if isinstance(part, str):
        return part
    value = _run(part, context)
    if value is OMIT:
        raise Omitted
    return native(value)


def _run(part: Compiled, context: Mapping[str, object]) -> object:
    try:
        return part.run(context)
    except (TypeError, ValueError, TemplateError, RecursionError) as error:
        raise Refused("template_type", f"the expression cannot be computed: {error}") from error


def compiled(text: str) -> Template:
    """Return ``text`` as a template. Raises ``Refused``."""
    template = _template(text)
    if isinstance(template, Refused):
        raise Refused(template.code, template.message, template.hint)
    return template


@lru_cache(maxsize=8192)
def _template(text: str) -> Template | Refused:
    try:
        parts = split(text, _SANDBOX)
        return Template(tuple(_expression(part.text) if isinstance(part, Expression) else part for part in parts))
    except Refused as refused:
        return refused


@lru_cache(maxsize=8192)
def _expression(text: str) -> Compiled:
    if _NAME.fullmatch(text) and text not in _WORDS:
        return _name(text)
    if text.count("(") + text.count("[") + text.count("{") > MOST_NODES:
        raise Refused("template_limit", f"an expression has at most {MOST_NODES} parts; split it, or use vars")
    try:
        parser = Parser(_SANDBOX, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise Refused("template_syntax", f"the expression cannot be read from {parser.stream.current.value!r} on")
        allowed = allow(expression)
    except TemplateSyntaxError as error:
        raise Refused("template_syntax", f"the expression cannot be read: {error.message}") from error
    except RecursionError as error:
        raise Refused("template_limit", "the expression is nested too deeply; split it, or use vars") from error
    return Compiled(allowed.reads, _runner(allowed.node))


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
        for _ in program.root_render_func(context):
            pass
        return context.vars[_RESULT]

    return run
