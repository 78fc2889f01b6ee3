"""GitHub Apps: who the App is, its installations, and tokens of them."""

from stagewright.processes.devforge.access import LEVELS
from stagewright.processes.devforge.acts.founding import make_installation_token
from stagewright.processes.devforge.model import App, Installation
from stagewright.processes.devforge.problems import ApiProblem, not_found, wrong_type
from stagewright.processes.devforge.rest.call import Answer, Call, Route
from stagewright.processes.devforge.shapes import people, repos
from stagewright.processes.devforge.state import covers


def calling_app(call: Call) -> App:
    """Return the App that signed the request's JWT; tokens do not do here."""
    app = call.caller.app
    if app is None:
        raise ApiProblem(401, "A JSON web token could not be decoded")
    return app


async def get_app(call: Call) -> Answer:
    """Return the calling App."""
    app = calling_app(call)
    installed = sum(one.app is app for one in call.forge.installations.values())
    return Answer(people.app(call.forge, app) | {"installations_count": installed})


async def list_installations(call: Call) -> Answer:
    """List where the App is installed."""
    app = calling_app(call)
    found = [one for one in call.forge.installations.values() if one.app is app]
    return call.page(found, lambda one: people.installation(call.forge, one))


async def get_installation(call: Call) -> Answer:
    """Return one installation of the App."""
    return Answer(people.installation(call.forge, _installation(call)))


async def get_repository_installation(call: Call) -> Answer:
    """Return the App's installation that covers a repository."""
    app = calling_app(call)
    repo = call.forge.repo(call.path["owner"], call.path["repo"])
    found = call.forge.installation_for(app, repo)
    if found is None:
        raise not_found()
    return Answer(people.installation(call.forge, found))


async def create_token(call: Call) -> Answer:
    """Mint a token of an installation, narrowed to some repositories and permissions if asked."""
    installation = _installation(call)
    chosen = _repositories(call, installation)
    token = make_installation_token(
        call.forge, installation, permissions=_permissions(call, installation.app), repositories=chosen
    )
    shown = None
    if chosen is not None:
        shown = [repos.repository(call.forge, call.forge.repo_by_id(repository)) for repository in sorted(chosen)]
    return Answer(people.installation_token(token, shown), status=201)


def _repositories(call: Call, installation: Installation) -> frozenset[int] | None:
    """Return the ids a token is confined to: what was asked for, else what the installation covers."""
    names, ids = call.texts("repositories"), call.body.get("repository_ids")
    if names is None and ids is None:
        return None if installation.repositories is None else frozenset(installation.repositories)
    if ids is not None and not (isinstance(ids, list) and all(isinstance(one, int) for one in ids)):
        raise wrong_type("repository_ids", ids, "an array of integers")
    covered = [repo for repo in call.forge.repos.values() if covers(installation, repo)]
    wanted_names = {name.lower() for name in names or []}
    chosen = {repo.id for repo in covered if repo.name.lower() in wanted_names or repo.id in (ids or [])}
    if len(chosen) < len(wanted_names | set(ids or [])):
        told = "There is at least one repository that does not exist or is not accessible to the parent installation."
        raise ApiProblem(422, told)
    return frozenset(chosen)


def _permissions(call: Call, app: App) -> dict[str, str]:
    wished = call.body.get("permissions")
    if wished is None:
        return dict(app.permissions)
    if not isinstance(wished, dict):
        raise wrong_type("permissions", wished, "an object")
    held = {"metadata": "read"} | app.permissions
    for name, level in wished.items():
        if level not in LEVELS or LEVELS.index(level) > LEVELS.index(held.get(name, "none")):
            raise ApiProblem(422, "The permissions requested are not granted to this installation.")
    return dict(wished)


def _installation(call: Call) -> Installation:
    app = calling_app(call)
    found = call.forge.installations.get(call.number("installation_id"))
    if found is None or found.app is not app:
        raise not_found()
    return found


ROUTES = (
    Route("GET", "/app", get_app, None),
    Route("GET", "/app/installations", list_installations, None),
    Route("GET", "/app/installations/{installation_id}", get_installation, None),
    Route("POST", "/app/installations/{installation_id}/access_tokens", create_token, None, success=201),
    Route("GET", "/repos/{owner}/{repo}/installation", get_repository_installation, None),
)
