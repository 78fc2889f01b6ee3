"""Issues: list, read, open, edit, and what happened to them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stagewright.processes.devforge.access import may
from stagewright.processes.devforge.acts import threads
from stagewright.processes.devforge.model import Comment, Event, Issue, Review, User
from stagewright.processes.devforge.problems import ApiProblem, invalid
from stagewright.processes.devforge.rest.call import READ_THREADS, TALK, TRIAGE, Answer, Call, Route
from stagewright.processes.devforge.shapes import pulls as pull_shapes
from stagewright.processes.devforge.shapes import threads as shapes
from stagewright.processes.devforge.state import issue_of

REASONS = ("completed", "not_planned", "reopened", "duplicate")
SORTS: dict[str, Callable[[Issue], Any]] = {
    "created": lambda thread: (thread.created_at, thread.number),
    "updated": lambda thread: (thread.updated_at, thread.number),
    "comments": lambda thread: (len(thread.comments), thread.number),
}


async def list_issues(call: Call) -> Answer:
    """List issues and pull requests, filtered as asked; newest first unless told otherwise."""
    state = _choice(call, "state", ("open", "closed", "all"))
    since = since_of(call)
    found = [thread for thread in call.repo.issues.values() if state in ("all", thread.state)]
    if since is not None:
        found = [thread for thread in found if thread.updated_at >= since]
    for wanted in filter(None, (name.strip().lower() for name in call.query.get("labels", "").split(","))):
        found = [thread for thread in found if wanted in {label.name.lower() for label in thread.labels}]
    for field, user_of in (("creator", lambda thread: [thread.user]), ("assignee", lambda thread: thread.assignees)):
        login = call.query.get(field)
        if login is not None:
            found = [thread for thread in found if login.lower() in {user.login.lower() for user in user_of(thread)}]
    key = SORTS[_choice(call, "sort", tuple(SORTS))]
    found.sort(key=key, reverse=_choice(call, "direction", ("desc", "asc")) == "desc")
    return call.page(found, lambda thread: shapes.issue(call.forge, call.repo, thread))


async def get_issue(call: Call) -> Answer:
    """Return a thread."""
    return Answer(shapes.issue(call.forge, call.repo, _thread(call)))


async def create_issue(call: Call) -> Answer:
    """Open an issue; labels and assignees of people who may not set them are dropped silently, as on GitHub."""
    title = call.required("title", "Issue")
    labels, assignees = call.texts("labels") or [], _assignees(call) or []
    if not may(call.caller, call.repo, TRIAGE):
        labels, assignees = [], []
    thread = await threads.open_issue(
        call.forge,
        call.repo,
        call.actor,
        title=title,
        body=call.text("body", "Issue"),
        labels=labels,
        assignees=assignees,
    )
    return Answer(shapes.issue(call.forge, call.repo, thread), status=201)


async def update_issue(call: Call) -> Answer:
    """Edit a thread: its author may, and whoever may triage."""
    thread = _thread(call)
    triage = may(call.caller, call.repo, TRIAGE)
    if not triage and call.caller.user is not thread.user:
        raise ApiProblem(403, "Must have admin rights to Repository.")
    title = call.text("title", "Issue", required="title" in call.body)
    state, reason = call.one_of("state", "Issue", ("open", "closed")), call.one_of("state_reason", "Issue", REASONS)
    labels, assignees = call.texts("labels"), _assignees(call)
    shared = (call.forge, call.repo, thread, call.actor)
    await threads.edit_thread(*shared, title=title, body=call.text("body", "Issue"), keep_body="body" not in call.body)
    if labels is not None and triage:
        await threads.set_labels(*shared, labels)
    if assignees is not None and triage:
        await threads.set_assignees(*shared, assignees)
    if state == "closed":
        await threads.close_thread(*shared, reason=reason or "completed")
    elif state == "open":
        await threads.reopen_thread(*shared)
    return Answer(shapes.issue(call.forge, call.repo, thread))


async def list_events(call: Call) -> Answer:
    """List the events of a thread, oldest first."""
    return call.page(_thread(call).events, lambda event: shapes.event(call.forge, call.repo, event))


async def list_repository_events(call: Call) -> Answer:
    """List the events of all threads, newest first, each with its issue."""
    rows = [(event, thread) for thread in call.repo.issues.values() for event in thread.events]
    rows.sort(key=lambda row: row[0].id, reverse=True)

    def show(row: tuple[Event, Issue]) -> dict[str, Any]:
        event, thread = row
        return shapes.event(call.forge, call.repo, event) | {"issue": shapes.issue(call.forge, call.repo, thread)}

    return call.page(rows, show)


async def list_timeline(call: Call) -> Answer:
    """List events, comments and reviews of a thread in the order they happened."""
    thread = _thread(call)
    reviews = [review for review in thread.pull.reviews if review.submitted_at] if thread.pull else []
    rows: list[Event | Comment | Review] = [*thread.events, *thread.comments, *reviews]
    rows.sort(key=lambda row: row.id)

    def show(row: Event | Comment | Review) -> dict[str, Any]:
        if isinstance(row, Comment):
            return shapes.commented(call.forge, call.repo, thread, row)
        if isinstance(row, Review):
            shown = pull_shapes.review(call.forge, call.repo, thread, row)
            return shown | {"event": "reviewed", "state": row.state.lower()}
        return shapes.event(call.forge, call.repo, row)

    return call.page(rows, show)


def since_of(call: Call) -> datetime | None:
    """Return the ``since`` of the query as a time; a bad one is a 422."""
    text = call.query.get("since")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid("Issue", "since") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _choice(call: Call, name: str, values: tuple[str, ...]) -> str:
    """Return a query value; the first of ``values`` stands for an absent one."""
    value = call.query.get(name, values[0])
    if value not in values:
        raise invalid("Issue", name)
    return value


def _assignees(call: Call) -> list[User] | None:
    names = call.texts("assignees")
    return None if names is None else [call.forge.user(name) for name in names if name.lower() in call.forge.users]


def _thread(call: Call) -> Issue:
    return issue_of(call.repo, call.number("issue_number"))


ISSUES = "/repos/{owner}/{repo}/issues"
ISSUE = f"{ISSUES}/{{issue_number}}"
ROUTES = (
    Route("GET", ISSUES, list_issues, READ_THREADS),
    Route("POST", ISSUES, create_issue, TALK, success=201),
    Route("GET", f"{ISSUES}/events", list_repository_events, READ_THREADS),
    Route("GET", ISSUE, get_issue, READ_THREADS),
    Route("PATCH", ISSUE, update_issue, TALK),
    Route("GET", f"{ISSUE}/events", list_events, READ_THREADS),
    Route("GET", f"{ISSUE}/timeline", list_timeline, READ_THREADS),
)
