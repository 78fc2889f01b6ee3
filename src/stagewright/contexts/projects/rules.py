"""What a person reads before changing a repository. Values in, words out."""

from stagewright.contexts.projects.model import RepositoryState


def what_turning_does(name: str, state: RepositoryState) -> dict[str, list[str]]:
    """Return the three lists of the preview of enabling or disabling the repository called ``name``."""
    if state is RepositoryState.ENABLED:
        stays = f"labels of {name} start runs again; one that was set meanwhile is to be set again"
        return {"stops": [], "lost": [], "survives": [stays]}
    return {
        "stops": [f"labels, comments and pushes of {name} start nothing until it is enabled again"],
        "lost": [],
        "survives": ["runs that were started: they go on to their end", "its binding, credentials and webhook"],
    }
