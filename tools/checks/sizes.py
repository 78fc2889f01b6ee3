"""Hard stops of STYLE: files of 500 lines (tests 800), functions of 60, a first line that says what a module is for."""

import ast
from collections.abc import Iterator

from tools.tree import Module, Tree

FILE_LINES = {"src": 500, "tools": 500, "tests": 800}
FUNCTION_LINES = 60


def sizes(tree: Tree) -> list[str]:
    """Find files and functions longer than a reader holds in mind."""
    return [problem for module in tree.modules for problem in _of(module)]


def _of(module: Module) -> Iterator[str]:
    limit = FILE_LINES[module.path.parts[0]]
    if (lines := module.text.count("\n")) > limit:
        yield f"{module.path}: {lines} lines, at most {limit}; make it a folder of the same name"
    for node in ast.walk(module.ast):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{module.path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def purposes(tree: Tree) -> list[str]:
    """Find modules that do not begin by saying what they are for. An empty ``__init__.py`` says nothing and may."""
    return [
        f"{module.path}:1: begins without a docstring; say in one line what the module is for"
        for module in tree.modules
        if ast.get_docstring(module.ast) is None and not (module.path.name == "__init__.py" and not module.text.strip())
    ]
