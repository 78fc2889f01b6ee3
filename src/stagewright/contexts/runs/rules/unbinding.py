"""What unbinding a repository would stop, lose and leave: what a person reads before typing its name."""

from collections.abc import Sequence

from stagewright.kit.consequences import Catalogue, Consequences

SAYS = Catalogue(
    {
        "repository.ends": ("repository",),
        "repository.credential_lost": ("purpose",),
        "repository.webhook_secrets_lost": (),
        "repository.writes_lost": (),
        "repository.forge_stays": ("repository",),
        "repository.runs_stay": ("count",),
    }
)


def what_unbinding_does(name: str, *, purposes: Sequence[str], runs: int, open_acts: bool) -> Consequences:
    """Return what the preview of the repository called ``name`` shows."""
    lost = [SAYS("repository.credential_lost", purpose=purpose) for purpose in purposes]
    lost.append(SAYS("repository.webhook_secrets_lost"))
    if open_acts:
        lost.append(SAYS("repository.writes_lost"))
    survives = [SAYS("repository.forge_stays", repository=name)]
    if runs:
        survives.append(SAYS("repository.runs_stay", count=runs))
    return Consequences([SAYS("repository.ends", repository=name)], lost, survives)
