"""Reviews of pull requests and comments at the lines of their diff."""

from collections.abc import Sequence
from dataclasses import dataclass

from stagewright.processes.devforge.acts.announce import announce
from stagewright.processes.devforge.acts.lines import Place, first_hunk, place_of
from stagewright.processes.devforge.acts.pulls import pull_files, pull_half
from stagewright.processes.devforge.acts.threads import record, touch
from stagewright.processes.devforge.model import Issue, Pull, Repo, Review, ReviewComment
from stagewright.processes.devforge.problems import ApiProblem, invalid, not_found
from stagewright.processes.devforge.shapes import pulls
from stagewright.processes.devforge.state import Actor, Forge

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What somebody says about a line of the new file (RIGHT) or the old one (LEFT), or about a file without a line."""

    path: str
    body: str
    line: int | None = None
    side: str = "RIGHT"


async def post_review(
    forge: Forge,
    repo: Repo,
    thread: Issue,
    actor: Actor,
    *,
    event: str | None,
    body: str,
    commit: str | None = None,
    remarks: Sequence[Remark] = (),
) -> Review:
    """Review a pull request with remarks, all of it or nothing; without an event it stays pending, nobody is told."""
    if event in ("REQUEST_CHANGES", "COMMENT") and not body and not remarks:
        raise ApiProblem(422, "Unprocessable Entity", errors=["Body can't be blank"])
    pull = pull_half(thread)
    places = [await _place(repo, pull, remark) for remark in remarks]
    review = _new_review(forge, thread, actor, event=event, body=body, commit=commit)
    for remark, place in zip(remarks, places, strict=True):
        pull.comments.append(_new_comment(forge, pull, review, remark, place))
    if event:
        await announce_review(forge, repo, thread, actor, "submitted", review)
    return review


def _new_review(
    forge: Forge, thread: Issue, actor: Actor, *, event: str | None, body: str = "", commit: str | None = None
) -> Review:
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
    """Send ``pull_request_review``, where the state is in small letters; a submitted one's remarks follow it."""
    if review.user in pull_half(thread).reviewers:
        pull_half(thread).reviewers.remove(review.user)
    touch(forge, thread)
    shown = pulls.review(forge, repo, thread, review)
    shown |= {"state": shown["state"].lower(), "updated_at": shown.get("submitted_at")}
    pull = pulls.simple_pull(forge, repo, thread)
    announce(forge, repo, actor, "pull_request_review", action, review=shown, pull_request=pull)
    for made in remarks_of(thread, review) if action == "submitted" else []:
        comment = pulls.review_comment(forge, repo, thread, made)
        announce(forge, repo, actor, "pull_request_review_comment", "created", comment=comment, pull_request=pull)


def remarks_of(thread: Issue, review: Review) -> list[ReviewComment]:
    """Return the comments at lines that belong to a review."""
    return [one for one in pull_half(thread).comments if one.review_id == review.id]


def review_of(thread: Issue, review_id: int) -> Review:
    """Return a review of a pull request by its id."""
    found = next((one for one in pull_half(thread).reviews if one.id == review_id), None)
    if found is None:
        raise not_found()
    return found


async def add_remark(forge: Forge, repo: Repo, thread: Issue, actor: Actor, remark: Remark) -> ReviewComment:
    """Say one thing about the diff: a review of nothing but it."""
    review = await post_review(forge, repo, thread, actor, event="COMMENT", body="", remarks=[remark])
    [made] = remarks_of(thread, review)
    return made


async def reply(forge: Forge, repo: Repo, thread: Issue, actor: Actor, to: ReviewComment, body: str) -> ReviewComment:
    """Answer a review comment in its thread; answers to answers join the first comment."""
    review = _new_review(forge, thread, actor, event="COMMENT")
    remark = Remark(path=to.path, body=body, line=to.line, side=to.side)
    made = _new_comment(forge, pull_half(thread), review, remark, Place(to.diff_hunk, to.position))
    made.commit_id, made.in_reply_to_id = to.commit_id, to.in_reply_to_id or to.id
    pull_half(thread).comments.append(made)
    await announce_review(forge, repo, thread, actor, "submitted", review)
    return made


def _new_comment(forge: Forge, pull: Pull, review: Review, remark: Remark, place: Place) -> ReviewComment:
    return ReviewComment(
        id=forge.next_id(),
        review_id=review.id,
        user=review.user,
        body=remark.body,
        path=remark.path,
        commit_id=pull.head_sha,
        line=remark.line,
        side=remark.side,
        diff_hunk=place.hunk,
        position=place.position,
        created_at=forge.now(),
        updated_at=forge.now(),
    )


async def _place(repo: Repo, pull: Pull, remark: Remark) -> Place:
    """Return where a comment stands; a file or line outside the diff is refused."""
    change = next((one for one in await pull_files(repo, pull) if one.path == remark.path), None)
    if change is None:
        told = "pull_request_review_thread.path must be a file of the diff"
        raise invalid("PullRequestReviewComment", "path", "invalid", told)
    patch = change.patch or ""
    found = first_hunk(patch) if remark.line is None else place_of(patch, remark.line, remark.side)
    if found is None:
        told = "pull_request_review_thread.line must be part of the diff"
        raise invalid("PullRequestReviewComment", "line", "custom", told)
    return found
