"""Model providers over HTTP: the few calls an engine makes, passed on with the platform's key and streamed back."""

from stagewright.adapters.providers.apis import APIS, Endpoint, ProviderApi
from stagewright.adapters.providers.client import Answer, Call, Providers, open_http
from stagewright.adapters.providers.errors import (
    AnswerCut,
    AnswerTooLarge,
    CredentialMalformed,
    ProviderUnreachable,
)
from stagewright.adapters.providers.usage import Usage, UsageReader

__all__ = [
    "APIS",
    "Answer",
    "AnswerCut",
    "AnswerTooLarge",
    "Call",
    "CredentialMalformed",
    "Endpoint",
    "ProviderApi",
    "ProviderUnreachable",
    "Providers",
    "Usage",
    "UsageReader",
    "open_http",
]
