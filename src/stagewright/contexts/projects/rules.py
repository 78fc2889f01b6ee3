"""What a person reads before changing a repository. Values in, codes out."""

from stagewright.contexts.projects.model import RepositoryState
from stagewright.kit.consequences import Catalogue, Consequences

SAYS = Catalogue(
    {
        "repository.starts_again": ("repository",),
        "repository.starts_nothing": ("repository",),
        "repository.runs_go_on": (),
        "repository.binding_stays": (),
    }
)


def what_turning_does(name: str, state: RepositoryState) -> Consequences:
    """Return what the preview of enabling or disabling the repository called ``name`` shows."""
    if state is RepositoryState.ENABLED:
        return Consequences(survives=[SAYS("repository.starts_again", repository=name)])
    return Consequences(
        stops=[SAYS("repository.starts_nothing", repository=name)],
        survives=[SAYS("repository.runs_go_on"), SAYS("repository.binding_stays")],
    )
