"""Who is asking, and whether token and account allow it. Strict on purpose: an unknown token is nobody."""

import base64
import binascii
from dataclasses import dataclass

from stagewright.processes.devforge.appjwt import app_of_jwt, looks_like_jwt
from stagewright.processes.devforge.limits import ANONYMOUS
from stagewright.processes.devforge.model import ROLES, App, Repo, Token, User
from stagewright.processes.devforge.problems import ApiProblem, bad_credentials, not_found, requires_authentication
from stagewright.processes.devforge.state import Actor, Forge, covers

LEVELS = ("none", "read", "write", "admin")
HOOK_SCOPES = {"read": {"read:repo_hook", "write:repo_hook", "admin:repo_hook"}, "write": {"admin:repo_hook"}}
ROLE_REFUSED = {
    "admin": "Must have admin rights to Repository.",
    "write": "Must have push access to repository",
    "triage": "Must have triage access to repository",
}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever sent the request: nobody, an account with its token, or an App with its own JWT."""

    user: User | None = None
    token: Token | None = None
    app: App | None = None

    @property
    def bucket(self) -> str:
        """Return whose rate limit this counts against: GitHub counts per account and per installation."""
        if self.token is not None and self.token.installation is not None:
            return f"installation:{self.token.installation.id}"
        if self.user is not None:
            return f"user:{self.user.id}"
        return f"app:{self.app.id}" if self.app is not None else ANONYMOUS

    @property
    def actor(self) -> Actor:
        """Return who acts; nobody may not."""
        if self.user is None:
            raise requires_authentication()
        through = self.token.installation.app if self.token and self.token.installation else None
        return Actor(user=self.user, app=through)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a route asks for: one of ``permissions`` at ``level`` of the token, and ``role`` of the account."""

    permissions: tuple[str, ...]
    level: str = "read"
    role: str = "read"


def authenticate(forge: Forge, header: str | None) -> Caller:
    """Return the caller an ``Authorization`` header stands for; without a header it is nobody."""
    if header is None:
        return Caller()
    secret = _secret_of(header)
    if looks_like_jwt(secret):
        return Caller(app=app_of_jwt(forge.apps.values(), secret, forge.now()))
    token = forge.tokens.get(secret)
    if token is None or (token.expires_at is not None and token.expires_at <= forge.now()):
        raise bad_credentials()
    return Caller(user=token.user, token=token)


def role_of(user: User | None, repo: Repo) -> str:
    """Return the account's role on a repository; everybody may read a public one."""
    least = "none" if repo.private else "read"
    if user is None:
        return least
    if user is repo.owner:
        return "admin"
    given = repo.roles.get(user.login.lower(), "none")
    return max(given, least, key=ROLES.index)


def can_see(caller: Caller, repo: Repo) -> bool:
    """Say whether the repository exists for this caller."""
    if not repo.private:
        return True
    token = caller.token
    if token is None:
        return False
    if token.installation is not None:
        return _in_reach(token, repo)
    return role_of(token.user, repo) != "none" and _in_reach(token, repo) and _scoped(token, repo, "contents", "read")


def authorise(caller: Caller, repo: Repo, needs: Needs) -> None:
    """Let the request pass, or raise what GitHub answers."""
    if not can_see(caller, repo):
        raise not_found()
    if needs.level == "read" and needs.role == "read" and not repo.private and not _confined(caller, repo):
        return
    if caller.token is None:
        raise _not_accessible(caller) if caller.app else requires_authentication()
    if not any(token_allows(caller.token, repo, name, needs.level) for name in needs.permissions):
        raise _not_accessible(caller, needs)
    if caller.token.installation is None and not has_role(caller.token.user, repo, needs.role):
        raise ApiProblem(403, ROLE_REFUSED.get(needs.role, "Forbidden"))


def has_role(user: User | None, repo: Repo, role: str) -> bool:
    """Say whether the account's role is at least ``role``."""
    return ROLES.index(role_of(user, repo)) >= ROLES.index(role)


def may(caller: Caller, repo: Repo, needs: Needs) -> bool:
    """Say whether ``authorise`` would let this pass."""
    try:
        authorise(caller, repo, needs)
    except ApiProblem:
        return False
    return True


def token_allows(token: Token, repo: Repo, permission: str, level: str) -> bool:
    """Say whether the token's scopes or permissions cover this."""
    if token.permissions is None:
        return _scoped(token, repo, permission, level)
    if not _in_reach(token, repo):
        return level == "read" and not repo.private
    held = "read" if permission == "metadata" else token.permissions.get(permission, "none")
    return LEVELS.index(held) >= LEVELS.index(level)


def _scoped(token: Token, repo: Repo, permission: str, level: str) -> bool:
    if token.scopes is None:
        return True
    if "repo" in token.scopes or (not repo.private and "public_repo" in token.scopes):
        return True
    if permission == "repository_hooks":
        return bool(token.scopes & HOOK_SCOPES["read" if level == "read" else "write"])
    return level == "read" and not repo.private


def _in_reach(token: Token, repo: Repo) -> bool:
    if token.installation is not None and not covers(token.installation, repo):
        return False
    return token.repositories is None or repo.id in token.repositories


def _confined(caller: Caller, repo: Repo) -> bool:
    """Say whether a permission map decides even over a public repository: one the token was made for."""
    return caller.token is not None and caller.token.permissions is not None and _in_reach(caller.token, repo)


def _not_accessible(caller: Caller, needs: Needs | None = None) -> ApiProblem:
    through_app = caller.app is not None or (caller.token is not None and caller.token.installation is not None)
    headers = {}
    if needs is not None:
        headers["X-Accepted-GitHub-Permissions"] = "; ".join(f"{name}={needs.level}" for name in needs.permissions)
    kind = "integration" if through_app else "personal access token"
    return ApiProblem(403, f"Resource not accessible by {kind}", headers=headers)


def _secret_of(header: str) -> str:
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() in ("bearer", "token") and value:
        return value
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise bad_credentials() from error
        # git clients send x-access-token:TOKEN, old ones TOKEN: or TOKEN:x-oauth-basic
        return name if password in ("", "x-oauth-basic") else password
    raise bad_credentials()
