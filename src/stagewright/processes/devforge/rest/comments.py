"""Comments on threads, and reactions to threads and comments."""

from stagewright.processes.devforge.access import may
from stagewright.processes.devforge.acts import talk
from stagewright.processes.devforge.model import REACTIONS, Comment, Issue, Reaction
from stagewright.processes.devforge.problems import ApiProblem, invalid, not_found
from stagewright.processes.devforge.rest.call import EDIT, READ_THREADS, TALK, Answer, Call, Route
from stagewright.processes.devforge.rest.issues import since_of
from stagewright.processes.devforge.shapes import threads as shapes
from stagewright.processes.devforge.state import issue_of

LONGEST = 65_536


async def list_comments(call: Call) -> Answer:
    """List the comments of a thread, oldest first."""
    thread, since = _thread(call), since_of(call)
    found = [comment for comment in thread.comments if since is None or comment.updated_at >= since]
    return call.page(found, lambda comment: shapes.comment(call.forge, call.repo, thread, comment))


async def list_all_comments(call: Call) -> Answer:
    """List the comments of all threads."""
    since = since_of(call)
    rows = [(thread, comment) for thread in call.repo.issues.values() for comment in thread.comments]
    rows = [row for row in rows if since is None or row[1].updated_at >= since]
    by_update = call.query.get("sort", "created") == "updated"
    downwards = call.query.get("direction", "asc") == "desc"
    rows.sort(key=lambda row: (row[1].updated_at if by_update else row[1].created_at, row[1].id), reverse=downwards)
    return call.page(rows, lambda row: shapes.comment(call.forge, call.repo, *row))


async def create_comment(call: Call) -> Answer:
    """Comment on a thread."""
    thread = _thread(call)
    comment = talk.add_comment(call.forge, call.repo, thread, call.actor, _body(call))
    return Answer(shapes.comment(call.forge, call.repo, thread, comment), status=201)


async def get_comment(call: Call) -> Answer:
    """Return a comment."""
    thread, comment = _comment(call)
    return Answer(shapes.comment(call.forge, call.repo, thread, comment))


async def update_comment(call: Call) -> Answer:
    """Change a comment: its author may, and whoever may write to the repository."""
    thread, comment = _own_comment(call)
    talk.edit_comment(call.forge, call.repo, thread, call.actor, comment, _body(call))
    return Answer(shapes.comment(call.forge, call.repo, thread, comment))


async def delete_comment(call: Call) -> Answer:
    """Delete a comment."""
    thread, comment = _own_comment(call)
    talk.delete_comment(call.forge, call.repo, thread, call.actor, comment)
    return Answer(status=204)


async def list_reactions(call: Call) -> Answer:
    """List the reactions to a thread or a comment."""
    wanted = call.query.get("content")
    found = [one for one in _reactions(call) if wanted in (None, one.content)]
    return call.page(found, lambda reaction: shapes.reaction(call.forge, reaction))


async def create_reaction(call: Call) -> Answer:
    """React: 201 when it is new, 200 when this person had it already."""
    reactions = _reactions(call)
    content = call.required("content", "Reaction")
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    reaction, new = talk.react(call.forge, call.actor, reactions, content)
    return Answer(shapes.reaction(call.forge, reaction), status=201 if new else 200)


async def delete_reaction(call: Call) -> Answer:
    """Take a reaction back; only one's own."""
    reactions = _reactions(call)
    reaction = next((one for one in reactions if one.id == call.number("reaction_id")), None)
    if reaction is None or reaction.user is not call.actor.user:
        raise not_found()
    reactions.remove(reaction)
    return Answer(status=204)


def _reactions(call: Call) -> list[Reaction]:
    return _comment(call)[1].reactions if "comment_id" in call.path else _thread(call).reactions


def _body(call: Call) -> str:
    body = call.required("body", "IssueComment")
    if len(body) > LONGEST:
        told = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid("IssueComment", "body", "unprocessable", told)
    return body


def _comment(call: Call) -> tuple[Issue, Comment]:
    wanted = call.number("comment_id")
    for thread in call.repo.issues.values():
        for comment in thread.comments:
            if comment.id == wanted:
                return thread, comment
    raise not_found()


def _own_comment(call: Call) -> tuple[Issue, Comment]:
    thread, comment = _comment(call)
    if call.actor.user is not comment.user and not may(call.caller, call.repo, EDIT):
        raise ApiProblem(403, "Must have admin rights to Repository.")
    return thread, comment


def _thread(call: Call) -> Issue:
    return issue_of(call.repo, call.number("issue_number"))


COMMENTS = "/repos/{owner}/{repo}/issues/comments"
COMMENT = f"{COMMENTS}/{{comment_id}}"
THREAD = "/repos/{owner}/{repo}/issues/{issue_number}"
ROUTES = (
    Route("GET", COMMENTS, list_all_comments, READ_THREADS),
    Route("GET", COMMENT, get_comment, READ_THREADS),
    Route("PATCH", COMMENT, update_comment, TALK),
    Route("DELETE", COMMENT, delete_comment, TALK, success=204),
    Route("GET", f"{THREAD}/comments", list_comments, READ_THREADS),
    Route("POST", f"{THREAD}/comments", create_comment, TALK, success=201),
    Route("GET", f"{THREAD}/reactions", list_reactions, READ_THREADS),
    Route("POST", f"{THREAD}/reactions", create_reaction, TALK, success=201),
    Route("DELETE", f"{THREAD}/reactions/{{reaction_id}}", delete_reaction, TALK, success=204),
    Route("GET", f"{COMMENT}/reactions", list_reactions, READ_THREADS),
    Route("POST", f"{COMMENT}/reactions", create_reaction, TALK, success=201),
    Route("DELETE", f"{COMMENT}/reactions/{{reaction_id}}", delete_reaction, TALK, success=204),
)
