"""Deliveries as large as the forge's own: a repository with all its addresses, people with theirs, a body of text."""

import json
from dataclasses import dataclass
from typing import Any

REPOSITORY = 1296269
API, WEB = "https://api.github.com", "https://github.com"
SLUG = "acme/online-shop"
AT = "2026-05-04T11:59:30Z"
BODY = "The discount is taken twice when a voucher is entered after the cart was restored.\r\n\r\n" * 12
OF_PERSON = (
    "followers following{/other_user} gists{/gist_id} starred{/owner}{/repo} subscriptions orgs repos events{/privacy}"
    " received_events"
)
OF_REPOSITORY = (
    "forks keys{/key_id} collaborators{/collaborator} teams hooks issues/events{/number} events assignees{/user}"
    " branches{/branch} tags git/blobs{/sha} git/tags{/sha} git/refs{/sha} git/trees{/sha} statuses/{sha} languages"
    " stargazers contributors subscribers subscription commits{/sha} git/commits{/sha} comments{/number}"
    " issues/comments{/number} contents/{+path} compare/{base}...{head} merges {archive_format}{/ref} downloads"
    " issues{/number} pulls{/number} milestones{/number} notifications{?since,all,participating} labels{/name}"
    " releases{/id} deployments"
)
SWITCHES = (
    "private fork has_issues has_projects has_downloads has_wiki has_pages has_discussions archived disabled"
    " is_template allow_forking web_commit_signoff_required"
)
REACTIONS = "+1 -1 laugh hooray confused heart rocket eyes"
COUNTS = "size stargazers_count watchers_count forks_count open_issues_count forks open_issues watchers"


@dataclass(frozen=True)
class Payload:
    """One delivery; ``labels`` are on its issue."""

    name: str
    event: str
    raw: bytes
    labels: tuple[str, ...] = ()


def person(login: str, number: int) -> dict[str, Any]:
    """Return a person with every address the forge tells of them."""
    urls = {f"{word.split('{')[0]}_url": f"{API}/users/{login}/{word}" for word in OF_PERSON.split()}
    return {
        "login": login,
        "id": number,
        "node_id": f"MDQ6VXNlcj{number}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": f"{API}/users/{login}",
        "html_url": f"{WEB}/{login}",
        **urls,
        "type": "User",
        "site_admin": False,
    }


def repository() -> dict[str, Any]:
    """Return a repository with every address the forge tells of it."""
    words = OF_REPOSITORY.split()
    urls = {f"{word.split('{')[0].replace('/', '_')}_url": f"{API}/repos/{SLUG}/{word}" for word in words}
    return {
        "id": REPOSITORY,
        "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5",
        "name": "online-shop",
        "full_name": SLUG,
        "owner": person("acme", 6811672),
        "html_url": f"{WEB}/{SLUG}",
        "description": "Where the shop of the benches is built",
        "url": f"{API}/repos/{SLUG}",
        **urls,
        "created_at": "2024-01-02T03:04:05Z",
        "updated_at": AT,
        "pushed_at": AT,
        "clone_url": f"{WEB}/{SLUG}.git",
        "language": "Python",
        "license": None,
        "topics": ["shop", "python"],
        "visibility": "private",
        "default_branch": "main",
        **dict.fromkeys(SWITCHES.split(), False),
        **dict.fromkeys(COUNTS.split(), 7),
    }


def label(name: str, number: int) -> dict[str, Any]:
    """Return a label as it stands on a thread."""
    url = f"{API}/repos/{SLUG}/labels/{name}"
    known = {"id": number, "node_id": f"LA_{number}", "url": url, "name": name}
    return {**known, "color": "1f6feb", "default": False, "description": "What it is there for"}


def thread(number: int, part: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what issues and pull requests have in common."""
    url = f"{API}/repos/{SLUG}/{part}/{number}"
    more = {f"{word}_url": f"{url}/{word}" for word in ("labels", "comments", "events", "timeline", "commits")}
    return {
        "url": url,
        "html_url": f"{WEB}/{SLUG}/{part}/{number}",
        **more,
        "id": 73464126 + number,
        "node_id": f"I_{number}",
        "number": number,
        "title": "The discount is taken twice",
        "user": person("ann", 11),
        "labels": [label(name, index) for index, name in enumerate(labels)],
        "state": "open",
        "locked": False,
        "assignee": person("bob", 12),
        "assignees": [person("bob", 12)],
        "milestone": None,
        "created_at": "2026-05-03T10:00:00Z",
        "updated_at": AT,
        "closed_at": None,
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "performed_via_github_app": None,
        "state_reason": None,
        "reactions": {"url": f"{url}/reactions", "total_count": 3, **dict.fromkeys(REACTIONS.split(), 0)},
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
        "body": BODY,
    }


def pull() -> dict[str, Any]:
    """Return a pull request; each of its two ends holds the whole repository again."""
    ends = {"head": ("stagewright/issue-12/dev", "c0ffee"), "base": ("main", "badcafe")}
    sides = {
        side: {"label": f"acme:{ref}", "ref": ref, "sha": sha * 6, "user": person("acme", 9), "repo": repository()}
        for side, (ref, sha) in ends.items()
    }
    return {**thread(40, "pull", ("state:in-review",)), **sides, "merged_at": None, "draft": False, "merged": False}


def delivery(name: str, event: str, labels: tuple[str, ...] = (), **parts: Any) -> Payload:
    """Return the delivery with who did it and where."""
    installation = {"id": 77, "node_id": "MDIzOkludGVncmF0aW9uNzc="}
    body = {**parts, "repository": repository(), "sender": person("ann", 11), "installation": installation}
    return Payload(name, event, json.dumps(body).encode(), labels)


def labeled(*labels: str) -> dict[str, Any]:
    """Return the parts of an issue's delivery whose last label was put on just now."""
    return {"action": "labeled", "issue": thread(12, "issues", labels), "label": label(labels[-1], 0)}


REVIEW = {
    "id": 1,
    "user": person("ann", 11),
    "body": BODY,
    "state": "changes_requested",
    "submitted_at": AT,
    "html_url": f"{WEB}/{SLUG}/pull/40#pullrequestreview-1",
}
PAYLOADS = (
    delivery("issues labeled, a start", "issues", ("bug", "run:plan"), **labeled("bug", "run:plan")),
    delivery("issues labeled, no trigger", "issues", ("bug",), **labeled("bug")),
    delivery("pull_request synchronize", "pull_request", action="synchronize", number=40, pull_request=pull()),
    delivery("pull_request closed", "pull_request", action="closed", number=40, pull_request=pull()),
    delivery(
        "pull_request_review, a revise", "pull_request_review", action="submitted", review=REVIEW, pull_request=pull()
    ),
)
