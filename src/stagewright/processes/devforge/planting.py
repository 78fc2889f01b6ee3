"""Filling a forge from JSON: a whole document (``--seed``), or one thing at a time through the control door."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from stagewright.kit.errors import Invalid, NotFound
from stagewright.processes.devforge.acts import founding, threads
from stagewright.processes.devforge.model import Hook, Repo, User
from stagewright.processes.devforge.shapes import people, repos
from stagewright.processes.devforge.state import Actor, Forge
from stagewright.processes.devforge.wishes import Wish

KEY_BITS = 2048


async def plant(forge: Forge, document: Any) -> dict[str, Any]:
    """Make everything a seed names, in order: users with tokens, Apps, repositories with issues."""
    seed = Wish(document, "seed")
    made: dict[str, Any] = {"users": [plant_user(forge, one) for one in seed.each("users")]}
    made["tokens"] = [plant_token(forge, one) for one in seed.each("tokens")]
    made["repositories"] = [await plant_repo(forge, one) for one in seed.each("repositories")]
    made["apps"] = [plant_app(forge, one) for one in seed.each("apps")]
    seed.done()
    return made


def plant_user(forge: Forge, wish: Wish) -> dict[str, Any]:
    """Make an account; with ``token`` it gets a classic token of that value."""
    user = founding.make_user(
        forge,
        wish.text("login"),
        kind=wish.maybe_text("type") or "User",
        name=wish.maybe_text("name"),
        email=wish.maybe_text("email"),
    )
    value, scopes = wish.maybe_text("token"), wish.texts("scopes")
    wish.done()
    if value is not None:
        founding.make_token(forge, user, value=value, scopes=scopes)
    return people.simple_user(forge, user) | {"token": value}


def plant_token(forge: Forge, wish: Wish) -> dict[str, Any]:
    """Make a token of an account."""
    user = founding.known_user(forge, wish.text("user"))
    names = wish.texts("repositories")
    chosen = None if names is None else [named_repo(forge, name) for name in names]
    value, scopes, permissions = wish.maybe_text("token"), wish.texts("scopes"), wish.mapping("permissions")
    lifetime = wish.whole("expires_in")
    wish.done()
    made = founding.make_token(
        forge,
        user,
        value=value,
        scopes=scopes,
        permissions=permissions,
        repositories=chosen,
        expires_in=lifetime,
    )
    return {"token": made.value, "user": user.login}


async def plant_repo(forge: Forge, wish: Wish) -> dict[str, Any]:
    """Make a repository with files, collaborators, labels, hooks and issues."""
    owner = founding.known_user(forge, wish.text("owner"), "owner")
    roles = wish.mapping("collaborators") or {}
    labels, issues, hooks = wish.each("labels"), wish.each("issues"), wish.each("hooks")
    made: dict[str, Any] = {
        "name": wish.text("name"),
        "private": wish.flag("private"),
        "description": wish.maybe_text("description"),
        "default_branch": wish.maybe_text("default_branch") or "main",
        "files": wish.mapping("files"),
        "message": wish.maybe_text("message") or "Initial commit",
    }
    wish.done()
    repo = await founding.make_repo(forge, owner, **made)
    for login, role in roles.items():
        founding.set_role(repo, founding.known_user(forge, login, "collaborators"), role)
    for one in hooks:
        _plant_hook(forge, repo, one)
    for one in labels:
        _plant_label(forge, repo, owner, one)
    numbers = [await _plant_issue(forge, repo, owner, one) for one in issues]
    return repos.repository(forge, repo) | {"issues": numbers}


def _plant_hook(forge: Forge, repo: Repo, wish: Wish) -> None:
    now = forge.now()
    hook = Hook(
        id=forge.next_id(),
        url=wish.text("url"),
        secret=wish.maybe_text("secret") or "",
        events=wish.texts("events") or ["*"],
        active=True,
        content_type="json",
        insecure_ssl="0",
        created_at=now,
        updated_at=now,
    )
    wish.done()
    repo.hooks.append(hook)


def _plant_label(forge: Forge, repo: Repo, owner: User, wish: Wish) -> None:
    name, color = wish.text("name"), wish.maybe_text("color") or threads.NEW_LABEL_COLOR
    description = wish.maybe_text("description")
    wish.done()
    threads.make_label(forge, repo, Actor(user=owner), name, color, description)


async def _plant_issue(forge: Forge, repo: Repo, owner: User, wish: Wish) -> int:
    login = wish.maybe_text("user")
    author = owner if login is None else founding.known_user(forge, login)
    title, body, labels = wish.text("title"), wish.maybe_text("body"), wish.texts("labels") or []
    wish.done()
    thread = await threads.open_issue(forge, repo, Actor(user=author), title=title, body=body, labels=labels)
    return thread.number


def plant_app(forge: Forge, wish: Wish) -> dict[str, Any]:
    """Make a GitHub App; without ``public_key`` a key pair is made and its private half returned once."""
    owner = founding.known_user(forge, wish.text("owner"), "owner")
    private_key, public_key = None, wish.maybe_text("public_key")
    if public_key is None:
        private_key, public_key = _key_pair()
    slug, permissions, events = wish.text("slug"), wish.mapping("permissions") or {}, wish.texts("events") or []
    url, secret = wish.maybe_text("hook_url"), wish.maybe_text("hook_secret") or ""
    wish.done()
    app = founding.make_app(
        forge,
        owner,
        slug,
        public_key.encode(),
        permissions=permissions,
        events=events,
        hook_url=url,
        hook_secret=secret,
    )
    return people.app(forge, app) | {"private_key": private_key}


def _key_pair() -> tuple[str, str]:
    key = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def plant_installation(forge: Forge, app_id: int, wish: Wish) -> dict[str, Any]:
    """Install an App on an account, on all of its repositories or the ones named."""
    app = forge.apps.get(app_id)
    if app is None:
        raise NotFound(f"app: there is no App {app_id}")
    account, names = founding.known_user(forge, wish.text("account"), "account"), wish.texts("repositories")
    wish.done()
    chosen = None if names is None else [named_repo(forge, name) for name in names]
    made = founding.install_app(forge, app, account, chosen)
    return people.installation(forge, made)


def named_repo(forge: Forge, full_name: str) -> Repo:
    """Return a repository that a control request names as ``owner/name``."""
    owner, slash, name = full_name.lower().partition("/")
    repo = forge.repos.get((owner, name))
    if not slash:
        raise Invalid(f"repository: {full_name!r} must be written owner/name")
    if repo is None:
        raise NotFound(f"repository: there is no {full_name!r}; create it first")
    return repo
