"""Pull requests: list, read (also as a diff), open, edit, merge, files, commits, requested reviewers."""

from stagewright.processes.devforge.access import has_role, may
from stagewright.processes.devforge.acts import pulls, threads
from stagewright.processes.devforge.acts.announce import full_pull
from stagewright.processes.devforge.git import changes, objects
from stagewright.processes.devforge.model import Issue, User
from stagewright.processes.devforge.problems import ApiProblem, invalid
from stagewright.processes.devforge.rest.call import (
    READ_PULLS,
    REVIEW,
    WRITE_CONTENTS,
    WRITE_PULLS,
    Answer,
    Call,
    Route,
)
from stagewright.processes.devforge.shapes import gitobjects
from stagewright.processes.devforge.shapes import people as people_shapes
from stagewright.processes.devforge.shapes import pulls as shapes
from stagewright.processes.devforge.state import pull_of

METHODS = ("merge", "squash", "rebase")


async def list_pulls(call: Call) -> Answer:
    """List pull requests, filtered by state, base, and head as ``owner:branch``."""
    state = call.query.get("state", "open")
    if state not in ("open", "closed", "all"):
        raise invalid("PullRequest", "state")
    found = [thread for thread in call.repo.issues.values() if thread.pull and state in ("all", thread.state)]
    base, head = call.query.get("base"), call.query.get("head")
    if base is not None:
        found = [thread for thread in found if thread.pull and thread.pull.base_ref == base]
    if head is not None and ":" in head:  # GitHub ignores a head without an owner
        found = [thread for thread in found if thread.pull and _label(call, thread.pull.head_ref) == _fold(head)]
    by_update = call.query.get("sort") == "updated"
    downwards = call.query.get("direction", "asc" if "sort" in call.query and not by_update else "desc") == "desc"
    found.sort(key=lambda thread: (thread.updated_at if by_update else thread.created_at, thread.number))
    return call.page(found[::-1] if downwards else found, lambda one: shapes.simple_pull(call.forge, call.repo, one))


def _label(call: Call, ref: str) -> str:
    return f"{call.repo.owner.login.lower()}:{ref}"


def _fold(head: str) -> str:
    owner, _, branch = head.partition(":")
    return f"{owner.lower()}:{branch}"


async def get_pull(call: Call) -> Answer:
    """Return a pull request; as text when the caller accepts GitHub's diff or patch media type."""
    thread = _thread(call)
    pull = pulls.pull_half(thread)
    start = await pulls.pull_start(call.repo, pull)
    if "diff" in call.accept:
        text = await changes.diff_text(call.repo.path, start, pull.head_sha)
        return Answer(text=text, media="application/vnd.github.diff; charset=utf-8")
    if "patch" in call.accept:
        text = await changes.patch_text(call.repo.path, start, pull.head_sha)
        return Answer(text=text, media="application/vnd.github.patch; charset=utf-8")
    return Answer(await full_pull(call.forge, call.repo, thread))


async def create_pull(call: Call) -> Answer:
    """Open a pull request between two branches of the repository."""
    head, base = call.required("head", "PullRequest"), call.required("base", "PullRequest")
    owner, colon, branch = head.partition(":")
    if colon and owner.lower() != call.repo.owner.login.lower():
        raise invalid("PullRequest", "head")  # there are no forks here
    thread = await pulls.open_pull(
        call.forge,
        call.repo,
        call.actor,
        title=call.required("title", "PullRequest"),
        body=call.text("body", "PullRequest"),
        head=branch if colon else head,
        base=base,
        draft=call.flag("draft"),
    )
    return Answer(await full_pull(call.forge, call.repo, thread), status=201)


async def update_pull(call: Call) -> Answer:
    """Edit title, body, state or base: the author may, and whoever may write."""
    thread = _thread(call)
    if call.actor.user is not thread.user and not may(call.caller, call.repo, WRITE_PULLS):
        raise ApiProblem(403, "Must have admin rights to Repository.")
    title = call.text("title", "PullRequest", required="title" in call.body)
    state, base = call.one_of("state", "PullRequest", ("open", "closed")), call.text("base", "PullRequest")
    shared = (call.forge, call.repo, thread, call.actor)
    body = call.text("body", "PullRequest")
    await threads.edit_thread(*shared, title=title, body=body, keep_body="body" not in call.body)
    if base is not None:
        await pulls.change_base(*shared, base)
    if state == "closed":
        await threads.close_thread(*shared)
    elif state == "open":
        await pulls.reopen_pull(*shared)
    return Answer(await full_pull(call.forge, call.repo, thread))


async def merge_pull(call: Call) -> Answer:
    """Merge a pull request into its base."""
    thread = _thread(call)
    method = call.one_of("merge_method", "PullRequest", METHODS) or "merge"
    if method == "rebase":
        raise ApiProblem(405, "Rebase merges are not allowed on this repository.")
    expected = call.text("sha", "PullRequest")
    if expected is not None and expected != pulls.pull_half(thread).head_sha:
        raise ApiProblem(409, "Head branch was modified. Review and try the merge again.")
    sha = await pulls.merge_pull(
        call.forge,
        call.repo,
        thread,
        call.actor,
        squash=method == "squash",
        title=call.text("commit_title", "PullRequest"),
        message=call.text("commit_message", "PullRequest"),
    )
    return Answer({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


async def is_merged(call: Call) -> Answer:
    """Say by the status whether a pull request was merged."""
    if pulls.pull_half(_thread(call)).merged_at is None:
        raise ApiProblem(404, "Not Found")
    return Answer(status=204)


async def list_files(call: Call) -> Answer:
    """List changed files with their patches."""
    pull = pulls.pull_half(_thread(call))
    files = await pulls.pull_files(call.repo, pull)
    return call.page(files, lambda one: gitobjects.changed_file(call.forge, call.repo, one, pull.head_sha))


async def list_commits(call: Call) -> Answer:
    """List the commits of a pull request, oldest first."""
    pull = pulls.pull_half(_thread(call))
    found = await objects.commits(call.repo.path, pull.head_sha, f"^{pull.base_sha}", limit=250)
    return call.page(found[::-1], lambda one: gitobjects.commit(call.forge, call.repo, one))


async def list_requested_reviewers(call: Call) -> Answer:
    """List who was asked for a review and has not given one."""
    users = pulls.pull_half(_thread(call)).reviewers
    return Answer({"users": [people_shapes.simple_user(call.forge, user) for user in users], "teams": []})


async def request_reviewers(call: Call) -> Answer:
    """Ask people for a review."""
    thread = _thread(call)
    await pulls.request_reviewers(call.forge, call.repo, thread, call.actor, _reviewers(call))
    return Answer(shapes.simple_pull(call.forge, call.repo, thread), status=201)


async def withdraw_reviewers(call: Call) -> Answer:
    """Take back requests for a review."""
    thread = _thread(call)
    await pulls.withdraw_reviewers(call.forge, call.repo, thread, call.actor, _reviewers(call))
    return Answer(shapes.simple_pull(call.forge, call.repo, thread))


def _reviewers(call: Call) -> list[User]:
    users = []
    for name in call.texts("reviewers") or []:
        user = call.forge.users.get(name.lower())
        if user is None or not has_role(user, call.repo, "triage"):
            told = "Reviews may only be requested from collaborators. One or more of the users is not a collaborator."
            raise ApiProblem(422, told)
        users.append(user)
    return users


def _thread(call: Call) -> Issue:
    return pull_of(call.repo, call.number("pull_number"))


PULLS = "/repos/{owner}/{repo}/pulls"
PULL = f"{PULLS}/{{pull_number}}"
ROUTES = (
    Route("GET", PULLS, list_pulls, READ_PULLS),
    Route("POST", PULLS, create_pull, WRITE_PULLS, success=201),
    Route("GET", PULL, get_pull, READ_PULLS),
    Route("PATCH", PULL, update_pull, REVIEW),
    Route("GET", f"{PULL}/files", list_files, READ_PULLS),
    Route("GET", f"{PULL}/commits", list_commits, READ_PULLS),
    Route("GET", f"{PULL}/merge", is_merged, READ_PULLS, success=204),
    Route("PUT", f"{PULL}/merge", merge_pull, WRITE_CONTENTS),
    Route("GET", f"{PULL}/requested_reviewers", list_requested_reviewers, READ_PULLS),
    Route("POST", f"{PULL}/requested_reviewers", request_reviewers, WRITE_PULLS, success=201),
    Route("DELETE", f"{PULL}/requested_reviewers", withdraw_reviewers, WRITE_PULLS),
)
