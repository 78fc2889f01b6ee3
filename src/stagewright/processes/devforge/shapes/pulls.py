"""Pull requests, reviews and review comments as JSON."""

from typing import Any

from stagewright.processes.devforge.model import Issue, Pull, Repo, Review, ReviewComment
from stagewright.processes.devforge.shapes.people import maybe_user, simple_user
from stagewright.processes.devforge.shapes.repos import label, repo_url, repository
from stagewright.processes.devforge.shapes.threads import association, pull_links, rollup
from stagewright.processes.devforge.state import Forge, maybe_stamp, node_id, stamp


def simple_pull(forge: Forge, repo: Repo, thread: Issue) -> dict[str, Any]:
    """Return a pull request as it stands in lists."""
    pull = _pull(thread)
    url, issue_url = f"{repo_url(forge, repo)}/pulls/{thread.number}", f"{repo_url(forge, repo)}/issues/{thread.number}"
    shown: dict[str, Any] = pull_links(forge, repo, thread) | {
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "issue_url": issue_url,
        "number": thread.number,
        "state": thread.state,
        "locked": False,
        "active_lock_reason": None,
        "title": thread.title,
        "user": simple_user(forge, thread.user),
        "body": thread.body,
        "created_at": stamp(thread.created_at),
        "updated_at": stamp(thread.updated_at),
        "closed_at": maybe_stamp(thread.closed_at),
        "merged_at": maybe_stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": maybe_user(forge, thread.assignees[0] if thread.assignees else None),
        "assignees": [simple_user(forge, user) for user in thread.assignees],
        "requested_reviewers": [simple_user(forge, user) for user in pull.reviewers],
        "requested_teams": [],
        "labels": [label(forge, repo, one) for one in thread.labels],
        "milestone": None,
        "draft": pull.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{repo_url(forge, repo)}/pulls/comments{{/number}}",
        "comments_url": f"{issue_url}/comments",
        "statuses_url": f"{repo_url(forge, repo)}/statuses/{pull.head_sha}",
        "head": _side(forge, repo, pull.head_ref, pull.head_sha),
        "base": _side(forge, repo, pull.base_ref, pull.base_sha),
        "author_association": association(repo, thread.user),
        "auto_merge": None,
    }
    return shown | {"_links": _links(shown)}


def full_pull(forge: Forge, repo: Repo, thread: Issue, *, numbers: dict[str, int], mergeable: bool) -> dict[str, Any]:
    """Return a pull request with what git had to be asked for: ``numbers`` are commits, additions, deletions, files."""
    pull = _pull(thread)
    merged = pull.merged_at is not None
    return simple_pull(forge, repo, thread) | {
        "merged": merged,
        "mergeable": None if thread.state == "closed" else mergeable,
        "rebaseable": False,
        "mergeable_state": "unknown" if thread.state == "closed" else "clean" if mergeable else "dirty",
        "merged_by": maybe_user(forge, pull.merged_by),
        "comments": len(thread.comments),
        "review_comments": len(pull.comments),
        "maintainer_can_modify": False,
        "commits": numbers["commits"],
        "additions": numbers["additions"],
        "deletions": numbers["deletions"],
        "changed_files": numbers["changed_files"],
    }


def review(forge: Forge, repo: Repo, thread: Issue, shown: Review) -> dict[str, Any]:
    """Return a review; a pending one has no time yet."""
    links = pull_links(forge, repo, thread)
    page = f"{links['html_url']}#pullrequestreview-{shown.id}"
    made = {
        "id": shown.id,
        "node_id": node_id("PullRequestReview", shown.id),
        "user": simple_user(forge, shown.user),
        "body": shown.body,
        "state": shown.state,
        "html_url": page,
        "pull_request_url": links["url"],
        "author_association": association(repo, shown.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": links["url"]}},
        "commit_id": shown.commit_id,
    }
    return made if shown.submitted_at is None else made | {"submitted_at": stamp(shown.submitted_at)}


def review_comment(forge: Forge, repo: Repo, thread: Issue, shown: ReviewComment) -> dict[str, Any]:
    """Return a comment at a line of the diff."""
    links = pull_links(forge, repo, thread)
    url = f"{repo_url(forge, repo)}/pulls/comments/{shown.id}"
    page = f"{links['html_url']}#discussion_r{shown.id}"
    made: dict[str, Any] = {
        "url": url,
        "pull_request_review_id": shown.review_id,
        "id": shown.id,
        "node_id": node_id("PullRequestReviewComment", shown.id),
        "diff_hunk": shown.diff_hunk,
        "path": shown.path,
        "commit_id": shown.commit_id,
        "original_commit_id": shown.commit_id,
        "user": simple_user(forge, shown.user),
        "body": shown.body,
        "created_at": stamp(shown.created_at),
        "updated_at": stamp(shown.updated_at),
        "html_url": page,
        "pull_request_url": links["url"],
        "author_association": association(repo, shown.user),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": links["url"]}},
        "reactions": rollup(f"{url}/reactions", shown.reactions),
        "start_line": None,
        "original_start_line": None,
        "start_side": None,
        "side": shown.side,
        "subject_type": "line" if shown.line else "file",
        "position": shown.position,
        "original_position": shown.position,
    }
    if shown.line is not None:
        made |= {"line": shown.line, "original_line": shown.line}
    if shown.in_reply_to_id is not None:
        made["in_reply_to_id"] = shown.in_reply_to_id
    return made


def _pull(thread: Issue) -> Pull:
    assert thread.pull is not None, "the caller has looked the pull request up"
    return thread.pull


def _side(forge: Forge, repo: Repo, ref: str, sha: str) -> dict[str, Any]:
    return {
        "label": f"{repo.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(forge, repo.owner),
        "repo": repository(forge, repo),
    }


def _links(shown: dict[str, Any]) -> dict[str, Any]:
    named = {
        "self": shown["url"],
        "html": shown["html_url"],
        "issue": shown["issue_url"],
        "comments": shown["comments_url"],
        "review_comments": shown["review_comments_url"],
        "review_comment": shown["review_comment_url"],
        "commits": shown["commits_url"],
        "statuses": shown["statuses_url"],
    }
    return {name: {"href": href} for name, href in named.items()}
