"""Reviews of pull requests and comments at lines of their diff."""

from typing import Any

from stagewright.processes.devforge.acts import reviews as acts
from stagewright.processes.devforge.acts.pulls import pull_half
from stagewright.processes.devforge.model import Issue, Review, ReviewComment
from stagewright.processes.devforge.problems import invalid, not_found, wrong_type
from stagewright.processes.devforge.rest.call import READ_PULLS, REVIEW, WRITE_PULLS, Answer, Call, Route
from stagewright.processes.devforge.rest.issues import since_of
from stagewright.processes.devforge.shapes import pulls as shapes
from stagewright.processes.devforge.state import pull_of

EVENTS = tuple(acts.STATES)
SIDES = ("LEFT", "RIGHT")


async def list_reviews(call: Call) -> Answer:
    """List reviews, oldest first; pending ones are their authors' own."""
    thread = _thread(call)
    found = [one for one in pull_half(thread).reviews if one.state != "PENDING" or one.user is call.caller.user]
    return call.page(found, lambda one: shapes.review(call.forge, call.repo, thread, one))


async def create_review(call: Call) -> Answer:
    """Review a pull request, with comments at lines if there are any."""
    thread = _thread(call)
    event, body = call.one_of("event", "PullRequestReview", EVENTS), call.text("body", "PullRequestReview") or ""
    remarks = [_remark(wish) for wish in call.body.get("comments") or []]
    commit = call.text("commit_id", "PullRequestReview")
    review = await acts.post_review(
        call.forge, call.repo, thread, call.actor, event=event, body=body, commit=commit, remarks=remarks
    )
    return Answer(shapes.review(call.forge, call.repo, thread, review))


def _remark(wish: Any) -> acts.Remark:
    if not isinstance(wish, dict):
        raise wrong_type("comments", wish, "an object")
    path, body = wish.get("path"), wish.get("body")
    if not isinstance(path, str) or not isinstance(body, str):
        raise invalid("PullRequestReview", "comments", "missing_field")
    line = wish.get("line", wish.get("position"))
    if line is not None and (not isinstance(line, int) or isinstance(line, bool)):
        raise wrong_type("comments/line", line, "an integer")
    side = wish.get("side", "RIGHT")
    if side not in SIDES:
        raise invalid("PullRequestReview", "side")
    return acts.Remark(path=path, body=body, line=line, side=side)


async def get_review(call: Call) -> Answer:
    """Return a review."""
    thread, review = _review(call)
    return Answer(shapes.review(call.forge, call.repo, thread, review))


async def submit_review(call: Call) -> Answer:
    """Submit a pending review."""
    thread, review = _review(call)
    event = call.one_of("event", "PullRequestReview", EVENTS)
    if event is None:
        raise invalid("PullRequestReview", "event", "missing_field")
    body = call.text("body", "PullRequestReview")
    await acts.submit_review(call.forge, call.repo, thread, call.actor, review, event=event, body=body)
    return Answer(shapes.review(call.forge, call.repo, thread, review))


async def dismiss_review(call: Call) -> Answer:
    """Dismiss a verdict, with a reason."""
    thread, review = _review(call)
    message = call.required("message", "PullRequestReview")
    await acts.dismiss_review(call.forge, call.repo, thread, call.actor, review, message)
    return Answer(shapes.review(call.forge, call.repo, thread, review))


async def list_comments(call: Call) -> Answer:
    """List the comments at lines of a pull request."""
    thread, since = _thread(call), since_of(call)
    found = [one for one in pull_half(thread).comments if since is None or one.updated_at >= since]
    return call.page(found, lambda one: shapes.review_comment(call.forge, call.repo, thread, one))


async def list_review_comments(call: Call) -> Answer:
    """List the comments of one review."""
    thread, review = _review(call)
    found = acts.remarks_of(thread, review)
    return call.page(found, lambda one: shapes.review_comment(call.forge, call.repo, thread, one))


async def get_comment(call: Call) -> Answer:
    """Return a comment at a line."""
    thread, comment = _comment(call)
    return Answer(shapes.review_comment(call.forge, call.repo, thread, comment))


async def create_comment(call: Call) -> Answer:
    """Comment at a line, on a file, or in answer to another comment."""
    thread = _thread(call)
    shared = (call.forge, call.repo, thread, call.actor)
    body = call.required("body", "PullRequestReviewComment")
    to = call.body.get("in_reply_to")
    if isinstance(to, int):
        made = await acts.reply(*shared, _comment_of(thread, to), body)
    else:
        if call.text("path", "PullRequestReviewComment") is None:
            raise invalid("PullRequestReviewComment", "path", "missing_field")
        made = await acts.add_remark(*shared, _remark(call.body))
    return Answer(shapes.review_comment(call.forge, call.repo, thread, made), status=201)


async def reply(call: Call) -> Answer:
    """Answer a comment in its thread."""
    thread = _thread(call)
    to = _comment_of(thread, call.number("comment_id"))
    body = call.required("body", "PullRequestReviewComment")
    made = await acts.reply(call.forge, call.repo, thread, call.actor, to, body)
    return Answer(shapes.review_comment(call.forge, call.repo, thread, made), status=201)


def _comment_of(thread: Issue, comment_id: int) -> ReviewComment:
    found = next((one for one in pull_half(thread).comments if one.id == comment_id), None)
    if found is None:
        raise not_found()
    return found


def _comment(call: Call) -> tuple[Issue, ReviewComment]:
    wanted = call.number("comment_id")
    for thread in call.repo.issues.values():
        for comment in thread.pull.comments if thread.pull else []:
            if comment.id == wanted:
                return thread, comment
    raise not_found()


def _review(call: Call) -> tuple[Issue, Review]:
    thread = _thread(call)
    return thread, acts.review_of(thread, call.number("review_id"))


def _thread(call: Call) -> Issue:
    return pull_of(call.repo, call.number("pull_number"))


PULLS = "/repos/{owner}/{repo}/pulls"
PULL = f"{PULLS}/{{pull_number}}"
ROUTES = (
    Route("GET", f"{PULLS}/comments/{{comment_id}}", get_comment, READ_PULLS),
    Route("GET", f"{PULL}/reviews", list_reviews, READ_PULLS),
    Route("POST", f"{PULL}/reviews", create_review, REVIEW),
    Route("GET", f"{PULL}/reviews/{{review_id}}", get_review, READ_PULLS),
    Route("GET", f"{PULL}/reviews/{{review_id}}/comments", list_review_comments, READ_PULLS),
    Route("POST", f"{PULL}/reviews/{{review_id}}/events", submit_review, REVIEW),
    Route("PUT", f"{PULL}/reviews/{{review_id}}/dismissals", dismiss_review, WRITE_PULLS),
    Route("GET", f"{PULL}/comments", list_comments, READ_PULLS),
    Route("POST", f"{PULL}/comments", create_comment, REVIEW, success=201),
    Route("POST", f"{PULL}/comments/{{comment_id}}/replies", reply, REVIEW, success=201),
)
