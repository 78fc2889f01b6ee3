"""Which level of the chain answers (specification: config, section 2.1), and what the end of a credential means."""

from collections.abc import Iterable

from stagewright.contexts.vault.model import Credential, CredentialKind, CredentialScope
from stagewright.kit.consequences import Catalogue, Consequences

NEAREST = (CredentialScope.REPOSITORY, CredentialScope.PROJECT, CredentialScope.PLATFORM)
PREFERRED = (CredentialKind.GITHUB_APP, CredentialKind.TOKEN, CredentialKind.API_KEY)
SAYS = Catalogue(
    {"credential.users_stop": ("purpose",), "credential.value_lost": ("purpose",), "credential.provider_keeps": ()}
)


def choose(candidates: Iterable[Credential]) -> Credential | None:
    """Return the first configured level's credential, an App before a token; broken or not, nothing falls back."""

    def rank(item: Credential) -> tuple[int, int]:
        return NEAREST.index(item.scope), PREFERRED.index(item.kind)

    return min(candidates, key=rank, default=None)


def engine_of(purpose: str) -> str | None:
    """Return the engine of a ``model:<engine>`` purpose."""
    head, _, engine = purpose.partition(":")
    return engine if head == "model" and engine else None


def what_clearing_does(purpose: str) -> Consequences:
    """Return what the preview of deleting a level's credential for ``purpose`` shows."""
    return Consequences(
        stops=[SAYS("credential.users_stop", purpose=purpose)],
        lost=[SAYS("credential.value_lost", purpose=purpose)],
        survives=[SAYS("credential.provider_keeps")],
    )
