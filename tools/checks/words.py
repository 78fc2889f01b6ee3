"""Words that may not stand anywhere: promises instead of code, mocks, this machine's paths, registries' addresses."""

import ast
import re
from collections.abc import Iterator

from tools.tree import Module, Tree

# The brackets keep this file from finding itself.
PROMISES = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
MACHINE_PATHS = re.compile(r"(?<![\w./~$}:-])/(?:work|root|home/\w+|Users/\w+)/[\w.]")
REGISTRIES = re.compile(r"\b(?:pypi\.or[g]|pythonhosted\.or[g]|registry\.npmjs\.or[g]|registry\.yarnpkg\.co[m])\b")
MOCKS = {"unittest.mock", "mock", "pytest_mock"}
ABSTRACT = "src/stagewright/kit/journal.py"  # an event kind says its own stream and body


def promises(tree: Tree) -> list[str]:
    """Find words that announce work instead of doing it."""
    return _lines_with(tree, PROMISES, "do it, or write an issue")


def addresses(tree: Tree) -> list[str]:
    """Find paths of one machine and addresses of package registries: neither is the same elsewhere."""
    found = _lines_with(tree, MACHINE_PATHS, "a path of one machine; take it from settings or a parameter")
    return found + _lines_with(tree, REGISTRIES, "locks and code hold no registry's address")


def _lines_with(tree: Tree, pattern: re.Pattern[str], remedy: str) -> list[str]:
    found: list[str] = []
    for path, text in tree.texts():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{line}: {match[0]!r}: {remedy}")
    return found


def mocks(tree: Tree) -> list[str]:
    """Find imports of mocking libraries: a fake is a small class that satisfies a port."""
    return [problem for module in tree.modules for problem in _mocks(module)]


def _mocks(module: Module) -> Iterator[str]:
    for node in ast.walk(module.ast):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
        for name in MOCKS.intersection(names):
            yield f"{module.path}:{node.lineno}: imports {name}; write a fake that satisfies the port"


def unfinished(tree: Tree) -> list[str]:
    """Find code of the program that raises or is silent instead of doing its work."""
    return [
        f"{module.path}:{line}: {what}; finish it, or make it a Protocol"
        for module in tree.modules
        if module.path.parts[0] == "src" and module.path.as_posix() != ABSTRACT
        for line, what in _unfinished(module.ast)
    ]


def _unfinished(node: ast.AST, *, promised: bool = False) -> Iterator[tuple[int, str]]:
    """Walk down; ``promised`` says that the functions here are a Protocol's, which have no body."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and child.id == "NotImplementedError":
            yield child.lineno, child.id
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not promised and _empty(child):
            yield child.lineno, f"{child.name} has no body"
        inner = promised if not isinstance(child, ast.ClassDef) else _is_protocol(child)
        yield from _unfinished(child, promised=inner)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split("[")[0].split(".")[-1] == "Protocol" for base in node.bases)


def _empty(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if any(ast.unparse(decorator).endswith(("overload", "abstractmethod")) for decorator in node.decorator_list):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return bool(body) and all(
        isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and ast.unparse(item) == "...") for item in body
    )
