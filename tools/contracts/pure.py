"""The pure contract: a context's words and rules import nothing that acts, waits, guesses or logs."""

from importlinter import fields

from tools.contracts.direct import DirectImportContract, names, place


class PureContract(DirectImportContract):
    """Options: ``modules`` that must be pure, ``banned`` packages, ``kit_allowed`` modules of our kit."""

    modules = fields.SetField(subfield=fields.StringField())
    banned = fields.SetField(subfield=fields.StringField())
    kit_allowed = fields.SetField(subfield=fields.StringField())

    def offence(self, importer: str, imported: str) -> str | None:
        """Judge one import made by a pure module."""
        source = place(self.root, importer)
        if source is None or source[1] not in names(self.modules):
            return None
        if imported.split(".")[0] in names(self.banned):
            return f"{source[1]} stays pure, {imported} is not"
        kit, allowed = f"{self.root}.kit.", names(self.kit_allowed)
        if imported.startswith(kit) and imported.removeprefix(kit).split(".")[0] not in allowed:
            return f"{source[1]} takes only {', '.join(sorted(allowed))} from kit"
        return None
