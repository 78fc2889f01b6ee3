"""What the forge tells of a binding itself: whether it still stands, and what the repository is called."""

from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.intake.usecases.apps import speaks_for
from stagewright.contexts.projects import api as projects
from stagewright.kit.db import Tx

OK, UNINSTALLED = "ok", "uninstalled"
OF_REPOSITORY = {"archived": "archived", "unarchived": OK, "deleted": "deleted"}
OF_INSTALLATION = {
    "created": OK,
    "unsuspend": OK,
    "new_permissions_accepted": OK,
    "suspend": "suspended",
    "deleted": UNINSTALLED,
    "added": OK,
    "removed": OK,
}
"""What an action says of the repositories it names; those it takes from the App are uninstalled."""
INSTALLATION = frozenset({"installation", "installation_repositories"})


async def keep_binding(
    tx: Tx, parsed: ParsedDelivery, repository: projects.Repository | None, *, app_id: int | None
) -> None:
    """Keep what a delivery says of bindings: of its own repository, or of those an App was given or taken from.

    An App's word counts for the repositories that are bound through it, and for no other.
    """
    action = parsed.action or ""
    if parsed.event == "repository" and repository is not None and action in OF_REPOSITORY:
        await projects.note_health(tx, repository.id, OF_REPOSITORY[action])
    if parsed.event not in INSTALLATION or app_id is None or action not in OF_INSTALLATION:
        return
    told = dict.fromkeys(parsed.installed, OF_INSTALLATION[action]) | dict.fromkeys(parsed.uninstalled, UNINSTALLED)
    for number, health in told.items():
        bound = await projects.find_by_forge_id(tx, number, projects.Binding.GITHUB_APP.value)
        if bound is not None and await speaks_for(tx, app_id, bound.id):
            await projects.note_health(tx, bound.id, health)
