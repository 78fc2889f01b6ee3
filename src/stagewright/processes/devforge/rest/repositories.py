"""Repositories, their collaborators' permissions and branches."""

from stagewright.processes.devforge.access import Needs, has_role, role_of
from stagewright.processes.devforge.git import objects
from stagewright.processes.devforge.model import User
from stagewright.processes.devforge.problems import ApiProblem, not_found
from stagewright.processes.devforge.rest.call import READ_CONTENTS, READ_METADATA, Answer, Call, Route
from stagewright.processes.devforge.shapes import gitobjects, people, repos

PERMISSIONS = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
LEGACY = {"maintain": "write", "triage": "read"}  # ``permission`` knows four levels only; ``role_name`` knows all
SEE_PERMISSION = Needs(permissions=("metadata",), level="read", role="write")


async def get_repository(call: Call) -> Answer:
    """Return a repository with the caller's own permissions."""
    user = call.caller.user
    return Answer(repos.full_repository(call.forge, call.repo, _permissions(call, user) if user else None))


def _permissions(call: Call, user: User) -> dict[str, bool]:
    return {name: has_role(user, call.repo, role) for name, role in PERMISSIONS.items()}


async def get_permission(call: Call) -> Answer:
    """Return what an account may do with the repository."""
    user = call.forge.user(call.path["username"])
    role = role_of(user, call.repo)
    shown = people.simple_user(call.forge, user) | {"role_name": role, "permissions": _permissions(call, user)}
    return Answer({"permission": LEGACY.get(role, role), "role_name": role, "user": shown})


async def list_branches(call: Call) -> Answer:
    """List branches by name."""
    rows = list((await objects.branches(call.repo.path)).items())
    return call.page(rows, lambda row: gitobjects.short_branch(call.forge, call.repo, *row))


async def get_branch(call: Call) -> Answer:
    """Return a branch with its head commit."""
    name = call.path["branch"]
    sha = (await objects.branches(call.repo.path)).get(name)
    if sha is None:
        raise ApiProblem(404, "Branch not found")
    head = await objects.commit(call.repo.path, sha)
    return Answer(gitobjects.branch(call.forge, call.repo, name, head))


async def list_installation_repositories(call: Call) -> Answer:
    """List the repositories that an installation token reaches."""
    token = call.caller.token
    if token is None or token.installation is None:
        raise ApiProblem(403, "You must authenticate with an installation access token in order to list repositories")
    installation = token.installation
    found = [
        repo
        for repo in call.forge.repos.values()
        if repo.owner is installation.account
        and (installation.repositories is None or repo.id in installation.repositories)
        and (token.repositories is None or repo.id in token.repositories)
    ]
    answer = call.page(found, lambda repo: repos.repository(call.forge, repo))
    selection = "all" if installation.repositories is None else "selected"
    answer.body = {"total_count": len(found), "repository_selection": selection, "repositories": answer.body}
    return answer


async def list_user_repositories(call: Call) -> Answer:
    """List the repositories of an account that the caller may see."""
    owner = call.forge.user(call.path["username"])
    found = [repo for repo in call.forge.repos.values() if repo.owner is owner and not repo.private]
    if not found and owner.login.lower() not in call.forge.users:
        raise not_found()
    return call.page(found, lambda repo: repos.repository(call.forge, repo))


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}", get_repository, READ_METADATA),
    Route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", get_permission, SEE_PERMISSION),
    Route("GET", "/repos/{owner}/{repo}/branches", list_branches, READ_CONTENTS),
    Route("GET", "/repos/{owner}/{repo}/branches/{branch}", get_branch, READ_CONTENTS),
    Route("GET", "/installation/repositories", list_installation_repositories, None),
    Route("GET", "/users/{username}/repos", list_user_repositories, None),
)
