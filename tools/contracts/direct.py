"""A contract over direct imports: a subclass says which single import offends, this walks and reports them."""

import abc
from collections.abc import Iterable
from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DirectImportContract(Contract):
    """Broken by every direct import for which ``offence`` has a sentence."""

    broken_contract_guidance = fields.TextField(required=False)

    @property
    def root(self) -> str:
        """Return the name of the package under contract."""
        return str(self.session_options["root_packages"][0])

    @abc.abstractmethod
    def offence(self, importer: str, imported: str) -> str | None:
        """Return why ``importer`` may not import ``imported``, or None."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import of the package's own modules."""
        offences: list[str] = []
        for importer in sorted(name for name in graph.modules if name.startswith(f"{self.root}.")):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                if reason := self.offence(importer, imported):
                    details: list[Any] = list(graph.get_import_details(importer=importer, imported=imported))
                    where = ", ".join(f"l.{number}" for number in sorted({item["line_number"] for item in details}))
                    offences.append(f"{importer} -> {imported} ({where}): {reason}")
        return ContractCheck(kept=not offences, metadata={"offences": offences})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per offending import, then what to do instead."""
        for line in check.metadata["offences"]:
            output.print_error(f"- {line}", bold=False)
        if self.broken_contract_guidance:
            output.print(str(self.broken_contract_guidance))
        output.new_line()


def names(option: object) -> frozenset[str]:
    """Return a parsed option of several names: import-linter types the descriptor, not its value."""
    return frozenset(cast(Iterable[str], option))


def place(root: str, module: str) -> tuple[str, str] | None:
    """Return (context, its module) of a module inside a context, e.g. ``("runs", "store")``; None elsewhere."""
    parts = module.split(".")
    if parts[:2] != [root, "contexts"] or len(parts) < 3:
        return None
    return parts[2], parts[3] if len(parts) > 3 else ""
