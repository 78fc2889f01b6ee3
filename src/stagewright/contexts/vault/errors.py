"""Failures of credentials."""

from stagewright.kit.errors import Conflict, Invalid, NotFound, Refused


class CredentialMissing(NotFound):
    """No level of the chain has a credential for this purpose."""

    code = "credential.missing"


class CredentialInvalid(Conflict):
    """The configured credential was refused by its provider; nothing falls back to another level."""

    code = "credential.invalid"


class CredentialExpired(Conflict):
    """The configured credential has expired; nothing falls back to another level."""

    code = "credential.expired"


class CredentialUndecryptable(Conflict):
    """The configured credential does not open any more; nothing falls back to another level."""

    code = "credential.undecryptable"


class CredentialEmpty(Invalid):
    """An empty text is no credential."""

    code = "credential.empty"


class CredentialNotCheckable(Refused):
    """Nothing can be asked about this credential beforehand: its first use tells."""

    code = "credential.not_checkable"
