"""Issues, their comments, reactions, events and timeline as JSON."""

from collections.abc import Sequence
from typing import Any

from stagewright.processes.devforge.model import REACTIONS, Comment, Event, Issue, Reaction, Repo, User
from stagewright.processes.devforge.shapes.people import maybe_app, maybe_user, simple_user
from stagewright.processes.devforge.shapes.repos import label, repo_url
from stagewright.processes.devforge.state import Forge, maybe_stamp, node_id, stamp


def issue(forge: Forge, repo: Repo, shown: Issue) -> dict[str, Any]:
    """Return a thread as the issues endpoints do; a pull request has the key ``pull_request``."""
    url = f"{repo_url(forge, repo)}/issues/{shown.number}"
    made: dict[str, Any] = {
        "id": shown.id,
        "node_id": node_id("Issue", shown.id),
        "url": url,
        "repository_url": repo_url(forge, repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": thread_page(forge, repo, shown),
        "number": shown.number,
        "state": shown.state,
        "state_reason": shown.state_reason,
        "title": shown.title,
        "body": shown.body,
        "user": simple_user(forge, shown.user),
        "labels": [label(forge, repo, one) for one in shown.labels],
        "assignee": maybe_user(forge, shown.assignees[0] if shown.assignees else None),
        "assignees": [simple_user(forge, user) for user in shown.assignees],
        "milestone": None,
        "locked": False,
        "active_lock_reason": None,
        "comments": len(shown.comments),
        "closed_at": maybe_stamp(shown.closed_at),
        "closed_by": maybe_user(forge, shown.closed_by),
        "created_at": stamp(shown.created_at),
        "updated_at": stamp(shown.updated_at),
        "author_association": association(repo, shown.user),
        "reactions": rollup(f"{url}/reactions", shown.reactions),
        "performed_via_github_app": maybe_app(forge, shown.app),
    }
    if shown.pull is not None:
        made["draft"] = shown.pull.draft
        made["pull_request"] = pull_links(forge, repo, shown) | {"merged_at": maybe_stamp(shown.pull.merged_at)}
    return made


def comment(forge: Forge, repo: Repo, thread: Issue, shown: Comment) -> dict[str, Any]:
    """Return a comment of a thread."""
    url = f"{repo_url(forge, repo)}/issues/comments/{shown.id}"
    return {
        "id": shown.id,
        "node_id": node_id("IssueComment", shown.id),
        "url": url,
        "html_url": f"{thread_page(forge, repo, thread)}#issuecomment-{shown.id}",
        "issue_url": f"{repo_url(forge, repo)}/issues/{thread.number}",
        "user": simple_user(forge, shown.user),
        "body": shown.body,
        "created_at": stamp(shown.created_at),
        "updated_at": stamp(shown.updated_at),
        "author_association": association(repo, shown.user),
        "reactions": rollup(f"{url}/reactions", shown.reactions),
        "performed_via_github_app": maybe_app(forge, shown.app),
    }


def event(forge: Forge, repo: Repo, shown: Event) -> dict[str, Any]:
    """Return an event of a thread, with the fields that only its kind has."""
    commit = shown.commit_id
    return {
        "id": shown.id,
        "node_id": node_id("Event", shown.id),
        "url": f"{repo_url(forge, repo)}/issues/events/{shown.id}",
        "actor": simple_user(forge, shown.actor),
        "event": shown.event,
        "commit_id": commit,
        "commit_url": f"{repo_url(forge, repo)}/commits/{commit}" if commit else None,
        "created_at": stamp(shown.created_at),
        "performed_via_github_app": maybe_app(forge, shown.app),
    } | {name: _detail(forge, value) for name, value in shown.details.items()}


def _detail(forge: Forge, value: Any) -> Any:
    return simple_user(forge, value) if isinstance(value, User) else value


def commented(forge: Forge, repo: Repo, thread: Issue, shown: Comment) -> dict[str, Any]:
    """Return a comment as the timeline shows it."""
    return comment(forge, repo, thread, shown) | {"event": "commented", "actor": simple_user(forge, shown.user)}


def reaction(forge: Forge, shown: Reaction) -> dict[str, Any]:
    """Return a reaction."""
    return {
        "id": shown.id,
        "node_id": node_id("Reaction", shown.id),
        "user": simple_user(forge, shown.user),
        "content": shown.content,
        "created_at": stamp(shown.created_at),
    }


def rollup(url: str, reactions: Sequence[Reaction]) -> dict[str, Any]:
    """Count reactions by content."""
    counts = {content: sum(one.content == content for one in reactions) for content in REACTIONS}
    return {"url": url, "total_count": len(reactions)} | counts


def association(repo: Repo, user: User) -> str:
    """Return how an author stands to the repository."""
    if user is repo.owner:
        return "OWNER"
    return "COLLABORATOR" if repo.roles.get(user.login.lower(), "none") != "none" else "NONE"


def thread_page(forge: Forge, repo: Repo, thread: Issue) -> str:
    """Return the address of a thread's page."""
    kind = "issues" if thread.pull is None else "pull"
    return f"{forge.web_url}/{repo.full_name}/{kind}/{thread.number}"


def pull_links(forge: Forge, repo: Repo, thread: Issue) -> dict[str, Any]:
    """Return the addresses of a pull request that its issue form names."""
    page = f"{forge.web_url}/{repo.full_name}/pull/{thread.number}"
    return {
        "url": f"{repo_url(forge, repo)}/pulls/{thread.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
    }
