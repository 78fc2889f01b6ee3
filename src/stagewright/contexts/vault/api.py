"""What other contexts may use of the vault."""

from stagewright.contexts.vault.errors import (
    CredentialEmpty,
    CredentialExpired,
    CredentialInvalid,
    CredentialMissing,
    CredentialUndecryptable,
)
from stagewright.contexts.vault.model import (
    BOT,
    MANAGEMENT,
    Credential,
    CredentialKind,
    CredentialScope,
    ResolvedCredential,
)
from stagewright.contexts.vault.store import find_app_repository
from stagewright.contexts.vault.usecases import (
    Described,
    NewCredential,
    clear_repository,
    describe_level,
    engines_with_credential,
    list_credentials,
    list_secret_values,
    login_of,
    note_state,
    purposes_of,
    put_credential,
    resolve,
    secrets_stamp,
)

__all__ = [
    "BOT",
    "MANAGEMENT",
    "Credential",
    "CredentialEmpty",
    "CredentialExpired",
    "CredentialInvalid",
    "CredentialKind",
    "CredentialMissing",
    "CredentialScope",
    "CredentialUndecryptable",
    "Described",
    "NewCredential",
    "ResolvedCredential",
    "clear_repository",
    "describe_level",
    "engines_with_credential",
    "find_app_repository",
    "list_credentials",
    "list_secret_values",
    "login_of",
    "note_state",
    "purposes_of",
    "put_credential",
    "resolve",
    "secrets_stamp",
]
