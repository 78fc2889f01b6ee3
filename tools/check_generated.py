"""Check what no linter does: generated files are current, sizes and words keep to STYLE. Part of ``make check``.

A new check is one function ``(tree) -> list of problems`` in ``tools/checks`` and one line here. Each problem is one
line: place, what is wrong, what to do.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.checks import direction, documents, locks, openapi, realtime, sizes, start_up, wire, words
from tools.tree import Tree

Check = Callable[[Tree], list[str]]
ROOT = Path(__file__).resolve().parents[1]

CHECKS: tuple[Check, ...] = (
    wire.wire,
    openapi.openapi,
    realtime.realtime,
    locks.locks,
    sizes.sizes,
    sizes.purposes,
    direction.sql_text,
    direction.purity,
    words.promises,
    words.addresses,
    words.mocks,
    words.unfinished,
    start_up.start_up,
    documents.policy_tables,
    documents.settings_page,
    documents.stack_pages,
)


def main(root: Path = ROOT) -> int:
    """Run every check over ``root`` and return the exit code."""
    tree = Tree(root)
    problems = [problem for check in CHECKS for problem in check(tree)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(tree.files)} files, {len(CHECKS)} checks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
