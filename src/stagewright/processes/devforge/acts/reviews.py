"""Reviews of pull requests and comments at the lines of their diff."""

from stagewright.processes.devforge.acts.announce import announce
from stagewright.processes.devforge.acts.lines import Place, first_hunk, place_of
from stagewright.processes.devforge.acts.pulls import pull_files, pull_half
from stagewright.processes.devforge.acts.threads import record, touch
from stagewright.processes.devforge.model import Issue, Pull, Repo, Review, ReviewComment
from stagewright.processes.devforge.problems import ApiProblem, invalid
from stagewright.processes.devforge.shapes import pulls
from stagewright.processes.devforge.state import Actor, Forge

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


async def add_review(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, *, event: str | None, body: str, commit: str | None
) -> Review:
    """Review a pull request; without an event the review stays pending and nobody is told."""
    pull = pull_half(thread)
    if actor.user is thread.user and event in ("APPROVE", "REQUEST_CHANGES"):
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise ApiProblem(422, "Unprocessable Entity", errors=[f"Can not {verb} your own pull request"])
    review = Review(
        id=forge.next_id(),
        user=actor.user,
        body=body,
        state=STATES[event] if event else "PENDING",
        commit_id=commit or pull.head_sha,
        submitted_at=forge.now() if event else None,
    )
    pull.reviews.append(review)
    if event:
        await announce_review(forge, repo, thread, actor, "submitted", review)
    return review


async def submit_review(
    forge: Forge, repo: Repo, thread: Issue, actor: Actor, review: Review, *, event: str, body: str | None
) -> None:
    """Submit a pending review."""
    if review.state != "PENDING":
        raise ApiProblem(422, "Unprocessable Entity", errors=["Can not submit a review that is not pending"])
    review.state, review.submitted_at = STATES[event], forge.now()
    review.body = body if body is not None else review.body
    await announce_review(forge, repo, thread, actor, "submitted", review)


async def dismiss_review(forge: Forge, repo: Repo, thread: Issue, actor: Actor, review: Review, message: str) -> None:
    """Dismiss an approval or a request for changes."""
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise ApiProblem(422, "Unprocessable Entity", errors=["Can not dismiss a review that is no verdict"])
    details = {"review_id": review.id, "state": review.state.lower(), "dismissal_message": message}
    review.state = "DISMISSED"
    record(forge, thread, actor, "review_dismissed", dismissed_review=details)
    await announce_review(forge, repo, thread, actor, "dismissed", review)


async def announce_review(forge: Forge, repo: Repo, thread: Issue, actor: Actor, action: str, review: Review) -> None:
    """Send ``pull_request_review``; there the state is in small letters."""
    if review.user in pull_half(thread).reviewers:
        pull_half(thread).reviewers.remove(review.user)
    touch(forge, thread)
    shown = pulls.review(forge, repo, thread, review)
    shown |= {"state": shown["state"].lower(), "updated_at": shown.get("submitted_at")}
    pull = pulls.simple_pull(forge, repo, thread)
    announce(forge, repo, actor, "pull_request_review", action, review=shown, pull_request=pull)


async def add_review_comment(
    forge: Forge,
    repo: Repo,
    thread: Issue,
    actor: Actor,
    *,
    body: str,
    path: str,
    line: int | None,
    side: str = "RIGHT",
    review: Review | None = None,
) -> ReviewComment:
    """Comment on a line of the diff, or on a whole file without ``line``."""
    pull = pull_half(thread)
    place = await _place(repo, pull, path, line, side)
    review = review or await add_review(forge, repo, thread, actor, event="COMMENT", body="", commit=None)
    made = ReviewComment(
        id=forge.next_id(),
        review_id=review.id,
        user=actor.user,
        body=body,
        path=path,
        commit_id=pull.head_sha,
        line=line,
        side=side,
        diff_hunk=place.hunk,
        position=place.position,
        created_at=forge.now(),
        updated_at=forge.now(),
    )
    return _keep_review_comment(forge, repo, thread, actor, made)


async def reply(forge: Forge, repo: Repo, thread: Issue, actor: Actor, to: ReviewComment, body: str) -> ReviewComment:
    """Answer a review comment in its thread; answers to answers join the first comment."""
    review = await add_review(forge, repo, thread, actor, event="COMMENT", body="", commit=None)
    made = ReviewComment(
        id=forge.next_id(),
        review_id=review.id,
        user=actor.user,
        body=body,
        path=to.path,
        commit_id=to.commit_id,
        line=to.line,
        side=to.side,
        diff_hunk=to.diff_hunk,
        position=to.position,
        created_at=forge.now(),
        updated_at=forge.now(),
        in_reply_to_id=to.in_reply_to_id or to.id,
    )
    return _keep_review_comment(forge, repo, thread, actor, made)


def _keep_review_comment(forge: Forge, repo: Repo, thread: Issue, actor: Actor, made: ReviewComment) -> ReviewComment:
    pull_half(thread).comments.append(made)
    touch(forge, thread)
    comment = pulls.review_comment(forge, repo, thread, made)
    pull = pulls.simple_pull(forge, repo, thread)
    announce(forge, repo, actor, "pull_request_review_comment", "created", comment=comment, pull_request=pull)
    return made


async def _place(repo: Repo, pull: Pull, path: str, line: int | None, side: str) -> Place:
    """Return where a comment stands; a file or line outside the diff is refused."""
    change = next((one for one in await pull_files(repo, pull) if one.path == path), None)
    if change is None:
        raise invalid("PullRequestReviewComment", "path")
    patch = change.patch or ""
    found = first_hunk(patch) if line is None else place_of(patch, line, side)
    if found is None:
        told = "pull_request_review_thread.line must be part of the diff"
        raise invalid("PullRequestReviewComment", "line", "custom", told)
    return found
