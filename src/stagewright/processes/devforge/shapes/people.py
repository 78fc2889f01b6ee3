"""Accounts, Apps and installations as JSON."""

from typing import Any

from stagewright.processes.devforge.model import App, Hook, Installation, Repo, Token, User
from stagewright.processes.devforge.state import Forge, node_id, stamp

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def simple_user(forge: Forge, user: User) -> dict[str, Any]:
    """Return the short form that stands in other objects."""
    url = f"{forge.api_url}/users/{user.login}"
    shown = {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": f"{forge.web_url}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{forge.web_url}/{user.login}",
        "type": user.type,
        "user_view_type": "public",
        "site_admin": user.site_admin,
    }
    return shown | {name: url + end for name, end in USER_LINKS.items()}


def maybe_user(forge: Forge, user: User | None) -> dict[str, Any] | None:
    """Return the short form of an account that may be absent."""
    return None if user is None else simple_user(forge, user)


def public_user(forge: Forge, user: User) -> dict[str, Any]:
    """Return what ``GET /users/{login}`` tells."""
    owned = [repo for repo in forge.repos.values() if repo.owner is user]
    return simple_user(forge, user) | {
        "name": user.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": user.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": sum(not repo.private for repo in owned),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.created_at),
    }


def private_user(forge: Forge, user: User) -> dict[str, Any]:
    """Return what ``GET /user`` tells the account itself."""
    private = sum(repo.private for repo in forge.repos.values() if repo.owner is user)
    return public_user(forge, user) | {
        "private_gists": 0,
        "total_private_repos": private,
        "owned_private_repos": private,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
        "plan": {"name": "free", "space": 0, "collaborators": 0, "private_repos": 10_000},
    }


def app(forge: Forge, shown: App) -> dict[str, Any]:
    """Return a GitHub App."""
    return {
        "id": shown.id,
        "client_id": f"Iv1.{shown.id:016x}",
        "slug": shown.slug,
        "node_id": node_id("App", shown.id),
        "owner": simple_user(forge, shown.owner),
        "name": shown.name,
        "description": None,
        "external_url": f"{forge.web_url}/apps/{shown.slug}",
        "html_url": f"{forge.web_url}/apps/{shown.slug}",
        "created_at": stamp(shown.created_at),
        "updated_at": stamp(shown.created_at),
        "permissions": {"metadata": "read"} | shown.permissions,
        "events": shown.events,
    }


def maybe_app(forge: Forge, shown: App | None) -> dict[str, Any] | None:
    """Return the App something was done through, if any."""
    return None if shown is None else app(forge, shown)


def installation(forge: Forge, shown: Installation) -> dict[str, Any]:
    """Return an installation of an App."""
    url = f"{forge.api_url}/app/installations/{shown.id}"
    return {
        "id": shown.id,
        "client_id": f"Iv1.{shown.app.id:016x}",
        "account": simple_user(forge, shown.account),
        "repository_selection": "all" if shown.repositories is None else "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{forge.api_url}/installation/repositories",
        "html_url": f"{forge.web_url}/settings/installations/{shown.id}",
        "app_id": shown.app.id,
        "app_slug": shown.app.slug,
        "target_id": shown.account.id,
        "target_type": shown.account.type,
        "permissions": {"metadata": "read"} | shown.app.permissions,
        "events": shown.app.events,
        "created_at": stamp(shown.created_at),
        "updated_at": stamp(shown.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }


def installation_token(token: Token, repositories: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return a fresh installation token; the repositories are listed only when the caller narrowed them."""
    assert token.expires_at is not None
    shown: dict[str, Any] = {
        "token": token.value,
        "expires_at": stamp(token.expires_at),
        "permissions": {"metadata": "read"} | (token.permissions or {}),
        "repository_selection": "all" if token.repositories is None else "selected",
    }
    return shown if repositories is None else shown | {"repositories": repositories}


def hook_config(hook: Hook) -> dict[str, Any]:
    """Return where and how a hook delivers; the secret is only hinted at."""
    config = {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": hook.insecure_ssl}
    return config | ({"secret": "********"} if hook.secret else {})


def hook(forge: Forge, repo: Repo, shown: Hook) -> dict[str, Any]:
    """Return a repository's hook."""
    url = f"{forge.api_url}/repos/{repo.full_name}/hooks/{shown.id}"
    done = [delivery for delivery in shown.deliveries if delivery.delivered_at is not None]
    last: dict[str, Any] = {"code": None, "status": "unused", "message": None}
    if done:
        status = "active" if done[-1].status == "OK" else "failed"
        last = {"code": done[-1].status_code, "status": status, "message": done[-1].status}
    return {
        "type": "Repository",
        "id": shown.id,
        "name": "web",
        "active": shown.active,
        "events": shown.events,
        "config": hook_config(shown),
        "updated_at": stamp(shown.updated_at),
        "created_at": stamp(shown.created_at),
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": last,
    }
