"""The edge contract: a forbidden-imports contract (indirect ones too) whose modules may not exist yet.

A module in parentheses is skipped while it is absent. One without parentheses must exist.
"""

from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract


class EdgeContract(Contract):
    """Options: ``source_modules`` that may reach none of ``forbidden_modules``, by however long a chain."""

    source_modules = fields.ListField(subfield=fields.StringField())
    forbidden_modules = fields.ListField(subfield=fields.StringField())
    broken_contract_guidance = fields.TextField(required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check the modules that exist with import-linter's own forbidden contract."""
        self._strict = ForbiddenContract(
            self.name,
            self.session_options,
            {
                **{key: value for key, value in self.contract_options.items() if key != "type"},
                "source_modules": _present(self.source_modules, graph),
                "forbidden_modules": _present(self.forbidden_modules, graph),
            },
        )
        return self._strict.check(graph, verbose)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the offending chains."""
        self._strict.render_broken_contract(check)


def _present(option: Any, graph: ImportGraph) -> list[str]:
    names = cast(list[str], option)
    return [name.strip("()") for name in names if not name.startswith("(") or name.strip("()") in graph.modules]
