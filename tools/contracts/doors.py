"""The doors contract: contexts meet only at ``api``; adapters see a context's words and ports only."""

from importlinter import fields

from tools.contracts.direct import DirectImportContract, names, place


class DoorsContract(DirectImportContract):
    """Options: ``adapters_may_import``, the modules of a context that adapters may import."""

    adapters_may_import = fields.SetField(subfield=fields.StringField())

    def offence(self, importer: str, imported: str) -> str | None:
        """Judge one import of something inside a context."""
        target = place(self.root, imported)
        if target is None:
            return None
        context, module = target
        source = place(self.root, importer)
        if source is not None and source[0] != context and module != "api":
            return f"another context is used through {context}.api"
        allowed = names(self.adapters_may_import)
        if importer.startswith(f"{self.root}.adapters.") and module not in allowed:
            return f"an adapter imports only {', '.join(sorted(allowed))} of a context"
        return None
