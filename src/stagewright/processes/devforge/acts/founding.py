"""Making users, tokens, Apps and repositories: what control routes and seeds need."""

import re
from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any

from stagewright.kit.errors import Conflict, Invalid, NotFound
from stagewright.processes.devforge.acts.announce import wants
from stagewright.processes.devforge.git import writing
from stagewright.processes.devforge.git.command import ZERO
from stagewright.processes.devforge.model import ROLES, App, Hook, Installation, Repo, Token, User
from stagewright.processes.devforge.shapes import people
from stagewright.processes.devforge.shapes.gitobjects import noreply
from stagewright.processes.devforge.state import Forge, covers

LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?")
REPOSITORY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
RESERVED = {"api", "_control", "avatars", "apps", "settings", "favicon.ico"}
TYPES = ("User", "Bot", "Organization")
LEVELS = ("read", "write", "admin")


def make_user(
    forge: Forge, login: str, *, kind: str = "User", name: str | None = None, email: str | None = None
) -> User:
    """Make an account."""
    if not LOGIN.fullmatch(login) or login.lower() in RESERVED:
        raise Invalid(f"login: {login!r} is no login; letters, digits and inner hyphens, at most 39")
    if kind not in TYPES:
        raise Invalid(f"type: {kind!r} is none of {', '.join(TYPES)}")
    if login.lower() in forge.users:
        raise Conflict(f"login: {login!r} exists already")
    user = User(id=forge.next_id(), login=login, type=kind, name=name, email=email, created_at=forge.now())
    forge.users[login.lower()] = user
    return user


def known_user(forge: Forge, login: object, field: str = "user") -> User:
    """Return an account that a control request names."""
    user = forge.users.get(str(login).lower())
    if user is None:
        raise NotFound(f"{field}: there is no user {login!r}; create it first")
    return user


def make_token(
    forge: Forge,
    user: User,
    *,
    value: str | None = None,
    scopes: list[str] | None = None,
    permissions: Mapping[str, str] | None = None,
    repositories: list[Repo] | None = None,
    expires_in: int | None = None,
) -> Token:
    """Make a classic token (``scopes``, by default ``repo``) or a fine-grained one (``permissions``)."""
    if scopes is not None and permissions is not None:
        raise Invalid("token: give scopes (classic) or permissions (fine-grained), not both")
    check_permissions(permissions or {})
    classic = permissions is None
    made = Token(
        value=value or ("ghp_" if classic else "github_pat_") + token_hex(20),
        user=user,
        scopes=frozenset(["repo"] if scopes is None else scopes) if classic else None,
        permissions=None if permissions is None else dict(permissions),
        repositories=None if repositories is None else frozenset(repo.id for repo in repositories),
        expires_at=None if expires_in is None else forge.now() + timedelta(seconds=expires_in),
    )
    if made.value in forge.tokens:
        raise Conflict("token: this value exists already")
    forge.tokens[made.value] = made
    return made


def check_permissions(permissions: Mapping[str, Any]) -> None:
    """Refuse levels that do not exist."""
    for name, level in permissions.items():
        if level not in LEVELS:
            raise Invalid(f"permissions.{name}: {level!r} is none of {', '.join(LEVELS)}")


async def make_repo(
    forge: Forge,
    owner: User,
    name: str,
    *,
    private: bool = False,
    description: str | None = None,
    default_branch: str = "main",
    files: Mapping[str, str] | None = None,
    message: str = "Initial commit",
) -> Repo:
    """Make a repository with a real first commit of ``files`` (by default a README)."""
    if not REPOSITORY.fullmatch(name) or name.endswith(".git"):
        raise Invalid(f"name: {name!r} is no repository name; letters, digits, '.', '_' and '-'")
    if (owner.login.lower(), name.lower()) in forge.repos:
        raise Conflict(f"name: {owner.login}/{name} exists already")
    path = forge.data / "repositories" / owner.login.lower() / f"{name.lower()}.git"
    now = forge.now()
    repo = Repo(
        id=forge.next_id(),
        owner=owner,
        name=name,
        path=path,
        private=private,
        description=description,
        default_branch=default_branch,
        created_at=now,
        updated_at=now,
        pushed_at=now,
    )
    await writing.create(path, default_branch)
    written = {"README.md": f"# {name}\n"} if files is None else files
    tree = await writing.tree_with(path, None, {name: text.encode() for name, text in written.items()})
    person = writing.Person(owner.name or owner.login, owner.email or noreply(owner))
    first = await writing.commit_tree(path, tree, (), message, author=person, committer=person, at=now)
    await writing.move_ref(path, f"refs/heads/{default_branch}", first, ZERO)
    forge.repos[(owner.login.lower(), name.lower())] = repo
    return repo


def set_role(repo: Repo, user: User, role: str) -> None:
    """Give an account a role on a repository; ``none`` takes it away."""
    if role not in ROLES:
        raise Invalid(f"role: {role!r} is none of {', '.join(ROLES)}")
    repo.roles[user.login.lower()] = role


def make_app(
    forge: Forge,
    owner: User,
    slug: str,
    public_key: bytes,
    *,
    permissions: Mapping[str, str],
    events: list[str],
    hook_url: str | None = None,
    hook_secret: str = "",
) -> App:
    """Make a GitHub App with its bot account."""
    check_permissions(permissions)
    bot = make_user(forge, f"{slug}[bot]", kind="Bot")
    now = forge.now()
    app = App(
        id=forge.next_id(),
        slug=slug,
        name=slug,
        owner=owner,
        bot=bot,
        public_key=public_key,
        permissions=dict(permissions),
        events=list(events),
        created_at=now,
    )
    if hook_url is not None:
        app.hook = Hook(
            id=forge.next_id(),
            url=hook_url,
            secret=hook_secret,
            events=[*events, "installation", "installation_repositories"],
            active=True,
            content_type="json",
            insecure_ssl="0",
            created_at=now,
            updated_at=now,
            app=app,
        )
    forge.apps[app.id] = app
    return app


def install_app(forge: Forge, app: App, account: User, repositories: list[Repo] | None) -> Installation:
    """Install an App on an account: on all its repositories, or on some."""
    chosen = None if repositories is None else {repo.id for repo in repositories}
    made = Installation(id=forge.next_id(), app=app, account=account, repositories=chosen, created_at=forge.now())
    forge.installations[made.id] = made
    if app.hook is not None and wants(app.hook, "installation"):
        listed = [
            {
                "id": repo.id,
                "node_id": "",
                "name": repo.name,
                "full_name": repo.full_name,
                "private": repo.private,
            }
            for repo in forge.repos.values()
            if covers(made, repo)
        ]
        payload = {
            "action": "created",
            "installation": people.installation(forge, made),
            "repositories": listed,
            "requester": None,
            "sender": people.simple_user(forge, account),
        }
        forge.courier.send(app.hook, "installation", payload, installation_id=made.id)
    return made


def make_installation_token(
    forge: Forge, installation: Installation, *, permissions: Mapping[str, str], repositories: frozenset[int] | None
) -> Token:
    """Make a token of an installation, good for an hour."""
    made = Token(
        value=f"ghs_{token_hex(20)}",
        user=installation.app.bot,
        permissions=dict(permissions),
        repositories=repositories,
        expires_at=forge.now() + timedelta(hours=1),
        installation=installation,
    )
    forge.tokens[made.value] = made
    return made
