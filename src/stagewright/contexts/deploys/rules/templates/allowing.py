"""The white list of expressions (``stack.md`` section 4.1): what is not listed here is refused."""

import math
from typing import NamedTuple

from jinja2 import nodes

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.model.scope import ROOTS
from stagewright.contexts.deploys.rules.templates.filters import FILTERS
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.values import limited

MOST_NODES = 100
CONCAT = "~"
COALESCE = "coalesce()"
_TESTS = frozenset({"defined", "none"})
_OPERATORS: dict[type[nodes.Node], str] = {
    nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%", nodes.Pow: "**", nodes.Slice: "a slice",
    nodes.Dict: "a map", nodes.Tuple: "a tuple", nodes.Call: "a call",
}  # fmt: skip


class Allowed(NamedTuple):
    """An expression that may run. ``reads``: the names in it, as ``a.b.c``."""

    node: nodes.Expr
    reads: frozenset[str]


def allow(expression: nodes.Expr) -> Allowed:
    """Check an expression, and return the form that runs: what Python would do unbounded becomes a filter of ours.
    Raises ``Refused``."""
    if sum(1 for _ in expression.find_all(nodes.Node)) >= MOST_NODES:
        raise too_large()
    reads: set[str] = set()
    return Allowed(_allowed(expression, reads, inserted=True), frozenset(reads))


def too_large() -> Refused:
    """Return the answer to an expression that is too large or too deep."""
    return Refused("template_limit", f"an expression has at most {MOST_NODES} parts; split it, or use vars")


def _allowed(node: nodes.Node, reads: set[str], *, inserted: bool = False) -> nodes.Expr:
    """``inserted``: whether the value is the expression's result as it is, which is all that images allow."""
    match node:
        case nodes.Const():
            return _literal(node)
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _read(node, reads, inserted=inserted)
        case nodes.CondExpr():
            return _choice(node, reads, inserted=inserted)
        case nodes.Filter():
            return _filter(node, reads)
        case nodes.Call():
            return _call(node, reads)
        case nodes.Test():
            return _test(node, reads)
    return _operation(node, reads)


def _operation(node: nodes.Node, reads: set[str]) -> nodes.Expr:
    match node:
        case nodes.Concat():
            parts = nodes.List([_allowed(part, reads) for part in node.nodes])
            return nodes.Filter(parts, CONCAT, [], [], None, None)
        case nodes.Compare():
            operands = [nodes.Operand(item.op, _allowed(item.expr, reads)) for item in node.ops]
            return nodes.Compare(_allowed(node.expr, reads), operands)
        case nodes.List():
            return nodes.List([_allowed(item, reads) for item in node.items])
        case nodes.Not() | nodes.Neg() | nodes.Pos():
            return type(node)(_allowed(node.node, reads))
        case nodes.And() | nodes.Or() | nodes.Add() | nodes.Sub():
            return type(node)(_allowed(node.left, reads), _allowed(node.right, reads))
    what = _OPERATORS.get(type(node), type(node).__name__.lower())
    raise Refused("template_forbidden", f"{what} is not allowed in expressions")


def _literal(node: nodes.Const) -> nodes.Expr:
    if isinstance(node.value, int):
        limited(node.value)
    if isinstance(node.value, float) and not math.isfinite(node.value):
        raise Refused("template_limit", "a number is too large")
    return node


def _read(node: nodes.Expr, reads: set[str], *, inserted: bool) -> nodes.Expr:
    path = dotted(node)
    if path[0] == "images" and not inserted:
        raise Refused("template_forbidden", "images may be inserted, but no filter, operator or test may look at them")
    check_root(path[0])
    reads.add(".".join(path))
    return node


def check_root(name: str) -> None:
    """Refuse a name that templates do not know at all."""
    if name != "omit" and name not in ROOTS:
        raise Refused("template_undefined", f"{quoted(name)} is not known; known names: {', '.join(ROOTS)}")


def dotted(node: nodes.Node) -> list[str]:
    """Return the steps of ``a.b`` or ``a["b"]``."""
    steps: list[str] = []
    while not isinstance(node, nodes.Name):
        match node:
            case nodes.Getattr(attr=str(name)) | nodes.Getitem(arg=nodes.Const(value=str(name))):
                steps.append(name)
                node = node.node
            case nodes.Getitem(arg=nodes.Slice()):
                raise Refused("template_forbidden", "a slice is not allowed in expressions")
            case nodes.Getitem():
                raise Refused("template_forbidden", 'only a text may stand in brackets, as in vars["name"]')
            case _:
                raise Refused("template_forbidden", "names can only be read from the maps that templates know")
    steps.append(node.name)
    for step in steps:
        if step.startswith("_"):
            raise Refused(
                "template_forbidden", f"names that start with an underscore, as {quoted(step)}, are not allowed"
            )
    return steps[::-1]


def _choice(node: nodes.CondExpr, reads: set[str], *, inserted: bool) -> nodes.Expr:
    if node.expr2 is None:
        raise Refused("template_syntax", "`x if c` needs an else: write `x if c else y`")
    return nodes.CondExpr(
        _allowed(node.test, reads),
        _allowed(node.expr1, reads, inserted=inserted),
        _allowed(node.expr2, reads, inserted=inserted),
    )


def _filter(node: nodes.Filter, reads: set[str]) -> nodes.Expr:
    known = FILTERS.get(node.name)
    if known is None or node.node is None:
        raise Refused(
            "template_forbidden",
            f"the filter {quoted(node.name)} does not exist; filters: {', '.join(sorted(FILTERS))}",
        )
    names = [item.key for item in node.kwargs]
    given = len(node.args) + len(names)
    strange = node.dyn_args or node.dyn_kwargs or not known.names.issuperset(names)
    if strange or not known.least <= given <= known.most:
        most = f" to {known.most}" if known.most > known.least else ""
        raise Refused("template_syntax", f"the filter {quoted(node.name)} takes {known.least}{most} values in brackets")
    return nodes.Filter(
        _allowed(node.node, reads),
        node.name,
        [_allowed(item, reads) for item in node.args],
        [nodes.Keyword(item.key, _allowed(item.value, reads)) for item in node.kwargs],
        None,
        None,
    )


def _call(node: nodes.Call, reads: set[str]) -> nodes.Expr:
    called = node.node.name if isinstance(node.node, nodes.Name) else None
    if called != "coalesce":
        hint = f"write it as a filter: x | {called}" if called in FILTERS else None
        raise Refused("template_forbidden", "only coalesce(…) can be called in expressions", hint)
    if not node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused("template_syntax", "coalesce takes one or more values in brackets")
    first, *rest = (_allowed(item, reads) for item in node.args)
    return nodes.Filter(first, COALESCE, rest, [], None, None)


def _test(node: nodes.Test, reads: set[str]) -> nodes.Expr:
    if node.name not in _TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused("template_forbidden", f"the test {quoted(node.name)} does not exist; tests: defined, none")
    return nodes.Test(_allowed(node.node, reads), node.name, [], [], None, None)
