"""The parts of the import contracts that no import shows: SQL as text, and calls that make a rule impure."""

import ast
import re
from collections.abc import Iterator

from tools.tree import Module, Tree

SQL = re.compile(
    r"\s*(?:"
    r"(?:select|SELECT)\s+(?:[\w*.,\s()'\":%]+\s(?:from|FROM)\s+[\w(]|\w+\()"
    r"|(?:insert into|INSERT INTO)\s+\w"
    r"|(?:update|UPDATE)\s+[\w.\"]+(?:\s+(?:as\s+)?\w+)?\s+(?:set|SET)\s"
    r"|(?:delete from|DELETE FROM)\s+\w"
    r"|(?:with|WITH)\s+(?:recursive\s+)?\w+\s*(?:\([\w\s,]*\)\s*)?(?:as|AS)\s*(?:(?:not\s+)?materialized\s*)?\("
    r"|(?:create|alter|drop|CREATE|ALTER|DROP)\s+(?:table|index|role|schema|sequence)\s"
    r")"
)
SQL_PARTS = {"store", "views"}
PURE_PARTS = {"model", "rules", "events", "errors"}
IMPURE_METHODS = {"now", "utcnow", "today", "uuid1", "uuid4"}
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "breakpoint"}


def sql_text(tree: Tree) -> list[str]:
    """Find SQL outside ``store``, ``views`` and the kit."""
    return [
        f"{module.path}:{node.lineno}: SQL belongs in the context's store or views"
        for module in tree.modules
        if module.path.parts[0] == "src" and not _may_hold_sql(module)
        for node in _texts(module)
        if isinstance(node.value, str) and SQL.match(node.value)
    ]


def _may_hold_sql(module: Module) -> bool:
    return module.name.startswith("stagewright.kit") or module.context_part in SQL_PARTS


def _texts(module: Module) -> Iterator[ast.Constant]:
    docstrings = {id(node.value) for node in ast.walk(module.ast) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.ast):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node


def purity(tree: Tree) -> list[str]:
    """Find calls in words and rules whose answer is not given by their arguments."""
    return [
        f"{module.path}:{line}: {what} in {module.context_part}; take the value as a parameter"
        for module in tree.modules
        if module.context_part in PURE_PARTS
        for line, what in _impure(module)
    ]


def _impure(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.ast):
        if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
            for alias in node.names:
                if not alias.name.startswith("Pure"):
                    yield node.lineno, f"pathlib.{alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pathlib":
            if not node.attr.startswith("Pure"):
                yield node.lineno, f"pathlib.{node.attr}"
        elif isinstance(node, ast.Call):
            yield from _impure_call(node)


def _impure_call(node: ast.Call) -> Iterator[tuple[int, str]]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS:
        yield node.lineno, f"{ast.unparse(node.func)}()"
    elif isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS | {"uuid1", "uuid4"}:
        yield node.lineno, f"{node.func.id}()"
