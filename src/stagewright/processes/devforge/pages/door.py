"""The HTML door: pages to look at and forms to act by. Who acts is chosen in the form: this is a stage, not a bank.

Forms are plain posts answered by a redirect. Posts from pages of other sites are refused by the outer door.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from stagewright.processes.devforge.acts import pulls, reviews, talk, threads
from stagewright.processes.devforge.git import changes, objects
from stagewright.processes.devforge.git.command import EMPTY_TREE
from stagewright.processes.devforge.model import Comment, Event, Issue, Label, Repo, Review
from stagewright.processes.devforge.pages.diff import shown_files
from stagewright.processes.devforge.pages.forms import read_form, remarks_in, told, verdict_of
from stagewright.processes.devforge.pages.markdown import render
from stagewright.processes.devforge.problems import ApiProblem, not_found
from stagewright.processes.devforge.state import Actor, Forge, issue_of, pull_of

CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MOST_COMMITS = 100
MOST_BLOB = 512 * 1024
SKIPPED_EVENTS = ("renamed",)

Page = Callable[["Pages", Request], Awaitable[Response]]


class Pages:
    """All pages of one forge."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        self._templates = Environment(
            loader=PackageLoader("stagewright.processes.devforge.pages"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["markdown"] = render
        self._templates.globals["ink"] = ink

    async def index(self, _: Request) -> Response:
        """List all repositories."""
        repos = sorted(self.forge.repos.values(), key=lambda repo: repo.full_name.lower())
        return self._show("index.html", repos=repos)

    async def repository(self, request: Request) -> Response:
        """Show branches and the files of the default branch."""
        repo = self._repo(request)
        branches = await objects.branches(repo.path)
        head = branches.get(repo.default_branch)
        files = [] if head is None else await objects.tree(repo.path, head, recursive=True)
        blobs = [entry for entry in files if entry.type == "blob"]
        return self._show("repository.html", repo=repo, branches=branches, files=blobs)

    async def blob(self, request: Request) -> Response:
        """Show a file at a branch or commit."""
        repo = self._repo(request)
        sha = await objects.resolve(repo.path, request.path_params["ref"])
        path = request.path_params["path"]
        rows = [] if sha is None else await objects.tree(repo.path, sha, below=path)
        entry = next((row for row in rows if row.path == path and row.type == "blob"), None)
        if entry is None:
            raise not_found()
        data = (await objects.blob(repo.path, entry.sha))[:MOST_BLOB]
        text = "Binary file." if b"\0" in data else data.decode(errors="replace")
        return self._show("blob.html", repo=repo, path=path, ref=request.path_params["ref"], text=text)

    async def commits(self, request: Request) -> Response:
        """List the commits of a branch."""
        repo, ref = self._repo(request), request.path_params["ref"]
        sha = await objects.resolve(repo.path, ref)
        if sha is None:
            raise not_found()
        found = await objects.commits(repo.path, sha, limit=MOST_COMMITS)
        return self._show("commits.html", repo=repo, ref=ref, commits=found)

    async def commit(self, request: Request) -> Response:
        """Show a commit with its changes."""
        repo = self._repo(request)
        sha = await objects.resolve(repo.path, request.path_params["sha"])
        if sha is None:
            raise not_found()
        commit = await objects.commit(repo.path, sha)
        files = await changes.changes(repo.path, commit.parents[0] if commit.parents else EMPTY_TREE, sha)
        return self._show("commit.html", repo=repo, commit=commit, files=shown_files(files))

    async def issues(self, request: Request) -> Response:
        """List issues or pull requests, newest first."""
        repo, wants_pulls = self._repo(request), request.url.path.endswith("/pulls")
        found = [thread for thread in repo.issues.values() if (thread.pull is not None) == wants_pulls]
        return self._show("issues.html", repo=repo, threads=found[::-1], pulls=wants_pulls)

    async def new_issue(self, request: Request) -> Response:
        """Show the form for a new issue."""
        return self._show("new_issue.html", repo=self._repo(request), people=self._people(self._repo(request)))

    async def open_issue(self, request: Request) -> Response:
        """Open an issue from the form."""
        repo, form = self._repo(request), await read_form(request)
        title = form.get("title", "").strip()
        if not title:
            return self._show("message.html", status=422, title="Title missing", text="An issue needs a title.")
        body = form.get("body") or None
        async with repo.lock:
            thread = await threads.open_issue(self.forge, repo, self._actor(repo, form), title=title, body=body)
        return _back(repo, thread)

    async def issue(self, request: Request) -> Response:
        """Show an issue; a pull request has its own page."""
        repo, thread = self._repo(request), self._thread(request)
        if thread.pull is not None:
            return _back(repo, thread)
        return self._show("issue.html", **self._talk(repo, thread))

    async def pull(self, request: Request) -> Response:
        """Show a pull request with its commits and its diff."""
        repo, thread = self._repo(request), self._thread(request)
        if thread.pull is None:
            return _back(repo, thread)
        files = shown_files(await pulls.pull_files(repo, thread.pull))
        found = await objects.commits(repo.path, thread.pull.head_sha, f"^{thread.pull.base_sha}", limit=MOST_COMMITS)
        return self._show("pull.html", **self._talk(repo, thread), files=files, commits=found[::-1])

    async def pull_text(self, request: Request) -> Response:
        """Return the diff of a pull request as text."""
        repo = self._repo(request)
        pull = pulls.pull_half(self._pull(request))
        text = await changes.diff_text(repo.path, await pulls.pull_start(repo, pull), pull.head_sha)
        return PlainTextResponse(text, headers=HEADERS)

    async def change_labels(self, request: Request) -> Response:
        """Add or remove a label from the form: the act the demo begins with."""
        repo, thread, form = self._repo(request), self._thread(request), await read_form(request)
        actor = self._actor(repo, form)
        async with repo.lock:
            if name := (form.get("add") or form.get("new") or "").strip():
                await threads.add_labels(self.forge, repo, thread, actor, [name])
            label = threads.find_label(repo, form.get("remove", ""))
            if label in thread.labels and label is not None:
                await threads.remove_label(self.forge, repo, thread, actor, label)
        return _back(repo, thread)

    async def comment(self, request: Request) -> Response:
        """Comment from the form."""
        repo, thread, form = self._repo(request), self._thread(request), await read_form(request)
        body = form.get("body", "").strip()
        async with repo.lock:
            if body:
                talk.add_comment(self.forge, repo, thread, self._actor(repo, form), body)
        return _back(repo, thread)

    async def change_state(self, request: Request) -> Response:
        """Close, reopen or merge from the form."""
        repo, thread, form = self._repo(request), self._thread(request), await read_form(request)
        shared = (self.forge, repo, thread, self._actor(repo, form))
        async with repo.lock:
            if form.get("to") == "closed":
                await threads.close_thread(*shared)
            elif form.get("to") == "open":
                await (threads.reopen_thread(*shared) if thread.pull is None else pulls.reopen_pull(*shared))
            elif form.get("to") == "merged" and thread.pull is not None:
                await pulls.merge_pull(*shared, squash=False, title=None, message=None)
        return _back(repo, thread)

    async def review(self, request: Request) -> Response:
        """Show the form for a review beside the changes that it is about."""
        return await self._review_form(request, {})

    async def post_review(self, request: Request) -> Response:
        """Review a pull request from the form; one that will not do comes back with what was written."""
        repo, thread, form = self._repo(request), self._pull(request), await read_form(request)
        body = form.get("body", "").strip()
        try:
            event, remarks, actor = verdict_of(form), remarks_in(form), self._actor(repo, form)
            async with repo.lock:
                await reviews.post_review(self.forge, repo, thread, actor, event=event, body=body, remarks=remarks)
        except ApiProblem as problem:
            return await self._review_form(request, form, error=told(problem), status=problem.status)
        return _back(repo, thread)

    async def dismiss_review(self, request: Request) -> Response:
        """Dismiss a verdict from the form; it needs a reason, as over REST."""
        repo, thread, form = self._repo(request), self._pull(request), await read_form(request)
        review = reviews.review_of(thread, request.path_params["review_id"])
        message = form.get("message", "").strip()
        if not message:
            raise ApiProblem(422, "Reason: say why the review no longer counts.")
        async with repo.lock:
            await reviews.dismiss_review(self.forge, repo, thread, self._actor(repo, form), review, message)
        return _back(repo, thread)

    async def _review_form(
        self, request: Request, form: dict[str, str], *, error: str = "", status: int = 200
    ) -> Response:
        repo, thread = self._repo(request), self._pull(request)
        return self._show(
            "review.html",
            status=status,
            repo=repo,
            thread=thread,
            files=shown_files(await pulls.pull_files(repo, pulls.pull_half(thread))),
            people=self._people(repo),
            form=form,
            error=error,
        )

    def _talk(self, repo: Repo, thread: Issue) -> dict[str, Any]:
        seen = [review for review in thread.pull.reviews if review.submitted_at] if thread.pull else []
        events = [event for event in thread.events if event.event not in SKIPPED_EVENTS]
        rows: list[Event | Comment | Review] = [*events, *thread.comments, *seen]
        return {
            "repo": repo,
            "thread": thread,
            "rows": [(type(row).__name__, row) for row in sorted(rows, key=lambda row: row.id)],
            "remarks": {review.id: reviews.remarks_of(thread, review) for review in seen},
            "people": self._people(repo),
            "others": [label for label in repo.labels if label not in thread.labels],
        }

    def _people(self, repo: Repo) -> list[str]:
        """Return who may be chosen as the one who acts, the owner first."""
        logins = [user.login for user in self.forge.users.values() if user is not repo.owner]
        return [repo.owner.login, *sorted(logins)]

    def _actor(self, repo: Repo, form: dict[str, str]) -> Actor:
        login = form.get("as") or repo.owner.login
        user = self.forge.users.get(login.lower())
        if user is None:
            raise ApiProblem(422, f"As: there is no account {login!r}; choose one of the list.")
        return Actor(user=user)

    def _repo(self, request: Request) -> Repo:
        return self.forge.repo(request.path_params["owner"], request.path_params["repository"])

    def _thread(self, request: Request) -> Issue:
        return issue_of(self._repo(request), request.path_params["number"])

    def _pull(self, request: Request) -> Issue:
        return pull_of(self._repo(request), request.path_params["number"])

    def _show(self, template: str, *, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(template).render(**values)
        return HTMLResponse(text, status_code=status, headers=HEADERS)

    def refused(self, problem: ApiProblem) -> Response:
        """Show why something did not work."""
        return self._show("message.html", status=problem.status, title=str(problem.status), text=told(problem))


TABLE: tuple[tuple[str, str, Page], ...] = (
    ("GET", "", Pages.repository),
    ("GET", "/blob/{ref}/{path:path}", Pages.blob),
    ("GET", "/commits/{ref:path}", Pages.commits),
    ("GET", "/commit/{sha}", Pages.commit),
    ("GET", "/issues", Pages.issues),
    ("POST", "/issues", Pages.open_issue),
    ("GET", "/issues/new", Pages.new_issue),
    ("GET", "/issues/{number:int}", Pages.issue),
    ("GET", "/pulls", Pages.issues),
    ("GET", "/pull/{number:int}", Pages.pull),
    ("GET", "/pull/{number:int}.diff", Pages.pull_text),
    ("GET", "/pull/{number:int}/review", Pages.review),
    ("POST", "/threads/{number:int}/reviews", Pages.post_review),
    ("POST", "/threads/{number:int}/reviews/{review_id:int}/dismissal", Pages.dismiss_review),
    ("POST", "/threads/{number:int}/labels", Pages.change_labels),
    ("POST", "/threads/{number:int}/comments", Pages.comment),
    ("POST", "/threads/{number:int}/state", Pages.change_state),
)


def page_routes(forge: Forge) -> list[Route]:
    """Return the routes of all pages."""
    pages = Pages(forge)
    rows = [
        Route(f"/{{owner}}/{{repository}}{path}", _endpoint(pages, page), methods=[method])
        for method, path, page in TABLE
    ]
    return [Route("/", _endpoint(pages, Pages.index), methods=["GET"]), *rows]


def _endpoint(pages: Pages, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return await page(pages, request)
        except ApiProblem as problem:
            return pages.refused(problem)

    return serve


def _back(repo: Repo, thread: Issue) -> Response:
    kind = "issues" if thread.pull is None else "pull"
    return RedirectResponse(f"/{quote(repo.full_name)}/{kind}/{thread.number}", status_code=303, headers=HEADERS)


def ink(label: Label) -> str:
    """Return black or white, whichever reads better on a label's colour."""
    red, green, blue = (int(label.color[start : start + 2], 16) for start in (0, 2, 4))
    return "#000" if red * 299 + green * 587 + blue * 114 > 140_000 else "#fff"
