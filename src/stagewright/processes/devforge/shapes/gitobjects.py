"""Commits, branches, refs, trees, files and comparisons as JSON."""

import base64
from typing import Any
from urllib.parse import quote

from stagewright.processes.devforge.git.changes import Change
from stagewright.processes.devforge.git.objects import Commit, Entry, Signature
from stagewright.processes.devforge.model import Repo, User
from stagewright.processes.devforge.shapes.people import maybe_user
from stagewright.processes.devforge.shapes.repos import repo_url
from stagewright.processes.devforge.state import Forge, node_id

UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
CONTENT_TYPES = {"blob": "file", "tree": "dir", "commit": "submodule"}
SYMLINK = "120000"


def commit(forge: Forge, repo: Repo, shown: Commit) -> dict[str, Any]:
    """Return a commit as the commits endpoints do."""
    url = f"{repo_url(forge, repo)}/commits/{shown.sha}"
    return {
        "sha": shown.sha,
        "node_id": sha_node("Commit", shown.sha),
        "url": url,
        "html_url": commit_page(forge, repo, shown.sha),
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{repo_url(forge, repo)}/git/commits/{shown.sha}",
            "author": _signature(shown.author),
            "committer": _signature(shown.committer),
            "message": shown.message,
            "comment_count": 0,
            "tree": _tree_link(forge, repo, shown.tree),
            "verification": UNSIGNED,
        },
        "author": maybe_user(forge, _account(forge, shown.author)),
        "committer": maybe_user(forge, _account(forge, shown.committer)),
        "parents": [_parent(forge, repo, sha, "commits") for sha in shown.parents],
    }


def git_commit(forge: Forge, repo: Repo, shown: Commit) -> dict[str, Any]:
    """Return a commit as the git database endpoints do."""
    return {
        "sha": shown.sha,
        "node_id": sha_node("Commit", shown.sha),
        "url": f"{repo_url(forge, repo)}/git/commits/{shown.sha}",
        "html_url": commit_page(forge, repo, shown.sha),
        "author": _signature(shown.author),
        "committer": _signature(shown.committer),
        "tree": _tree_link(forge, repo, shown.tree),
        "message": shown.message,
        "parents": [_parent(forge, repo, sha, "git/commits") for sha in shown.parents],
        "verification": UNSIGNED,
    }


def pushed_commit(forge: Forge, repo: Repo, shown: Commit, files: list[Change]) -> dict[str, Any]:
    """Return a commit as a push webhook names it."""
    people = {
        "author": {"name": shown.author.name, "email": shown.author.email, "date": shown.author.date},
        "committer": {"name": shown.committer.name, "email": shown.committer.email, "date": shown.committer.date},
    }
    added = [change.path for change in files if change.status in ("added", "renamed", "copied")]
    removed = [change.path for change in files if change.status == "removed"]
    removed += [change.previous for change in files if change.previous and change.status == "renamed"]
    return people | {
        "id": shown.sha,
        "tree_id": shown.tree,
        "distinct": True,
        "message": shown.message,
        "timestamp": shown.committer.date,
        "url": commit_page(forge, repo, shown.sha),
        "added": added,
        "removed": removed,
        "modified": [change.path for change in files if change.status in ("modified", "changed")],
    }


def changed_file(forge: Forge, repo: Repo, shown: Change, ref: str) -> dict[str, Any]:
    """Return a changed file of a commit, a comparison or a pull request."""
    web, name = f"{forge.web_url}/{repo.full_name}", quote(shown.path)
    made = {
        "sha": shown.sha,
        "filename": shown.path,
        "status": shown.status,
        "additions": shown.additions,
        "deletions": shown.deletions,
        "changes": shown.additions + shown.deletions,
        "blob_url": f"{web}/blob/{ref}/{name}",
        "raw_url": f"{web}/raw/{ref}/{name}",
        "contents_url": f"{repo_url(forge, repo)}/contents/{name}?ref={ref}",
    }
    if shown.patch is not None:
        made["patch"] = shown.patch
    return made if shown.previous is None else made | {"previous_filename": shown.previous}


def short_branch(forge: Forge, repo: Repo, name: str, sha: str) -> dict[str, Any]:
    """Return a branch as it stands in a list."""
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{repo_url(forge, repo)}/commits/{sha}"},
        "protected": False,
    }


def branch(forge: Forge, repo: Repo, name: str, head: Commit) -> dict[str, Any]:
    """Return a branch with its head commit."""
    url = f"{repo_url(forge, repo)}/branches/{quote(name)}"
    return {
        "name": name,
        "commit": commit(forge, repo, head),
        "_links": {"self": url, "html": f"{forge.web_url}/{repo.full_name}/tree/{quote(name)}"},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }


def ref(forge: Forge, repo: Repo, name: str, sha: str, kind: str = "commit") -> dict[str, Any]:
    """Return a ref; ``name`` is the full one."""
    return {
        "ref": name,
        "node_id": node_id("Ref", repo.id),
        "url": f"{repo_url(forge, repo)}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{repo_url(forge, repo)}/git/{kind}s/{sha}"},
    }


def tree_entry(forge: Forge, repo: Repo, shown: Entry) -> dict[str, Any]:
    """Return a row of a tree."""
    made: dict[str, Any] = {"path": shown.path, "mode": shown.mode, "type": shown.type, "sha": shown.sha}
    if shown.size is not None:
        made["size"] = shown.size
    return made | {"url": f"{repo_url(forge, repo)}/git/{shown.type}s/{shown.sha}"}


def content(forge: Forge, repo: Repo, shown: Entry, at: str) -> dict[str, Any]:
    """Return a file or folder of the contents endpoints, without what is in it; ``at`` is the ref it was read at."""
    name, web = quote(shown.path), f"{forge.web_url}/{repo.full_name}"
    kind = "symlink" if shown.mode == SYMLINK else CONTENT_TYPES[shown.type]
    url = f"{repo_url(forge, repo)}/contents/{name}?ref={quote(at)}"
    git = f"{repo_url(forge, repo)}/git/{'trees' if kind == 'dir' else 'blobs'}/{shown.sha}"
    page = f"{web}/{'tree' if kind == 'dir' else 'blob'}/{quote(at)}/{name}"
    return {
        "name": shown.path.rpartition("/")[2],
        "path": shown.path,
        "sha": shown.sha,
        "size": shown.size or 0,
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": f"{web}/raw/{quote(at)}/{name}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": url, "git": git, "html": page},
    }


def encoded(data: bytes) -> dict[str, str]:
    """Return file contents as GitHub does: base64 in lines of 60 characters."""
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 60] + "\n" for start in range(0, len(text), 60)]
    return {"content": "".join(lines), "encoding": "base64"}


def sha_node(kind: str, sha: str) -> str:
    """Make the opaque global id of an object that has a SHA and no number."""
    return node_id(kind, int(sha[:12], 16))


def commit_page(forge: Forge, repo: Repo, sha: str) -> str:
    """Return the address of a commit's page."""
    return f"{forge.web_url}/{repo.full_name}/commit/{sha}"


def _signature(shown: Signature) -> dict[str, str]:
    return {"name": shown.name, "email": shown.email, "date": shown.date}


def _tree_link(forge: Forge, repo: Repo, sha: str) -> dict[str, str]:
    return {"sha": sha, "url": f"{repo_url(forge, repo)}/git/trees/{sha}"}


def _parent(forge: Forge, repo: Repo, sha: str, where: str) -> dict[str, str]:
    url = f"{repo_url(forge, repo)}/{where}/{sha}"
    return {"sha": sha, "url": url, "html_url": commit_page(forge, repo, sha)}


def _account(forge: Forge, signature: Signature) -> User | None:
    address = signature.email.lower()
    return next((user for user in forge.users.values() if address in (user.email, noreply(user))), None)


def noreply(user: User) -> str:
    """Return the address GitHub gives to commits of people who hide theirs."""
    return f"{user.id}+{user.login}@users.noreply.github.com".lower()
