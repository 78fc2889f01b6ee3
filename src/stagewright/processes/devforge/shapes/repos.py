"""Repositories and labels as JSON."""

from typing import Any

from stagewright.processes.devforge.model import Label, Repo
from stagewright.processes.devforge.shapes.people import simple_user
from stagewright.processes.devforge.state import Forge, node_id, stamp

LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
ZEROES = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")
HAS = {"has_issues": True, "has_projects": False, "has_downloads": False, "has_wiki": False, "has_pages": False}
MERGING = {
    "allow_merge_commit": True,
    "allow_squash_merge": True,
    "allow_rebase_merge": False,
    "allow_auto_merge": False,
    "delete_branch_on_merge": False,
    "allow_update_branch": False,
}


def repository(forge: Forge, repo: Repo) -> dict[str, Any]:
    """Return a repository as it stands in lists, pull requests and webhooks."""
    url, web = repo_url(forge, repo), f"{forge.web_url}/{repo.full_name}"
    still_open = sum(issue.state == "open" for issue in repo.issues.values())
    shown: dict[str, Any] = {
        "id": repo.id,
        "node_id": node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": simple_user(forge, repo.owner),
        "html_url": web,
        "description": repo.description,
        "fork": False,
        "url": url,
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.updated_at),
        "pushed_at": stamp(repo.pushed_at),
        "git_url": f"git:{web.partition(':')[2]}.git",
        "ssh_url": f"git@127.0.0.1:{repo.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "homepage": None,
        "language": None,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues": still_open,
        "open_issues_count": still_open,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
        "has_discussions": False,
    }
    return shown | HAS | dict.fromkeys(ZEROES, 0) | {name: url + end for name, end in LINKS.items()}


def full_repository(forge: Forge, repo: Repo, permissions: dict[str, bool] | None) -> dict[str, Any]:
    """Return what ``GET /repos/{owner}/{repo}`` tells; ``permissions`` are the caller's own."""
    shown = repository(forge, repo) | MERGING | {"network_count": 0, "subscribers_count": 0, "temp_clone_token": None}
    return shown if permissions is None else shown | {"permissions": permissions}


def label(forge: Forge, repo: Repo, shown: Label) -> dict[str, Any]:
    """Return a label."""
    return {
        "id": shown.id,
        "node_id": node_id("Label", shown.id),
        "url": f"{repo_url(forge, repo)}/labels/{shown.name}",
        "name": shown.name,
        "color": shown.color,
        "default": False,
        "description": shown.description,
    }


def repo_url(forge: Forge, repo: Repo) -> str:
    """Return the repository's address in the REST API."""
    return f"{forge.api_url}/repos/{repo.full_name}"
