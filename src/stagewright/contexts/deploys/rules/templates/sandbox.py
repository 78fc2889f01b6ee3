"""Where expressions run: jinja2's immutable sandbox without loader, globals, attributes and calls."""

from typing import Any

from jinja2 import StrictUndefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import test_defined, test_none

from stagewright.contexts.deploys.rules.templates.allowing import COALESCE, CONCAT
from stagewright.contexts.deploys.rules.templates.filters import FILTERS, coalesce, concat
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.values import field, limited, named


class Sandbox(ImmutableSandboxedEnvironment):
    """Runs expressions that passed the white list. What it overrides is a second wall: nothing here relies on it."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self) -> None:
        """Know only the filters and tests of the language."""
        super().__init__(undefined=StrictUndefined, optimized=False, cache_size=0, keep_trailing_newline=True)
        self.globals.clear()
        self.filters = {name: known.call for name, known in FILTERS.items()} | {CONCAT: concat, COALESCE: coalesce}
        self.tests = {"defined": test_defined, "none": test_none}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a name of one of our maps, never an attribute."""
        return field(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a name of one of our maps."""
        return field(obj, str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing can be called."""
        return False

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add and subtract whole numbers."""
        if operator not in ("+", "-"):
            raise Refused("template_forbidden", f"{operator} is not allowed in expressions")
        a, b = _whole(left), _whole(right)
        return limited(a + b if operator == "+" else a - b)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Give a whole number its sign."""
        return limited(-_whole(arg) if operator == "-" else _whole(arg))


def _whole(value: object) -> int:
    if isinstance(value, StrictUndefined):
        str(value)  # raises its own message
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("template_type", f"+ and - take whole numbers, and this is {named(value)}; ~ puts texts together")
    return limited(value)
