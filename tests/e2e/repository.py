"""One repository of the practice forge, bound to a project: what people do on it and what the platform made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from tests.e2e.binding import Account, Bound
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git, with_token

if TYPE_CHECKING:
    from tests.e2e.platform import Platform

TERMINAL = ("succeeded", "failed", "cancelled")
STATUS_MARK = "stagewright:run-status"
USUAL_RUN = 60.0
UNFINISHED = """
with ours as (select * from runs where repository_id = %(r)s and (%(issue)s::int is null or issue_number = %(issue)s))
select 'run' from ours where status not in ('succeeded', 'failed', 'cancelled')
union all select 'attempt' from attempts a join ours on ours.id = a.run_id where a.status <> 'ended'
union all select 'comment' from status_comments c join ours on ours.id = c.run_id
    where not c.suppressed and (c.comment_id is null or c.phase is distinct from 'finished')
union all select 'effect' from effects e where e.repository_id = %(r)s
    and e.status in ('reserved', 'submitted', 'unknown')
    and (%(issue)s::int is null or e.run_id in (select id from ours) or e.target = 'thread:' || %(issue)s::text)
union all select 'delivery' from webhook_deliveries d where d.repository_id = %(r)s and d.status = 'received'
"""


@dataclass
class Repository:
    """A bound repository. Every read asks the forge or the database anew."""

    platform: "Platform"
    full_name: str
    clone_url: str
    folder: Path
    bound: Bound
    hook_id: int = 0

    def ask(self, method: str, path: str, body: Any = None, *, by: Account | None = None) -> Any:
        """Send a REST request below the repository; the owner asks unless ``by`` says otherwise."""
        answer = self.platform.ask_forge(method, f"/repos/{self.full_name}{path}", body, by=by)
        return answer.json() if answer.content else None

    def open_issue(self, title: str = "Say hello", body: str = "Add a file that says hello.") -> int:
        """Open an issue as the owner and return its number."""
        return int(self.ask("POST", "/issues", {"title": title, "body": body})["number"])

    def label(self, issue: int, *labels: str, by: Account | None = None) -> None:
        """Put labels on a thread in one request."""
        self.ask("POST", f"/issues/{issue}/labels", {"labels": list(labels)}, by=by)

    def unlabel(self, issue: int, label: str) -> None:
        """Take a label off a thread as the owner."""
        self.ask("DELETE", f"/issues/{issue}/labels/{label}")

    def start(self, label: str = "run:dev", *, title: str = "Say hello", body: str = "Add a file.") -> int:
        """Open an issue, put the trigger label on it and return its number."""
        issue = self.open_issue(title, body)
        self.label(issue, label)
        return issue

    def review(self, pull: int, **form: str) -> None:
        """Post a review through the forge's page, as the platform's owner does in a browser."""
        web, page = self.platform.forge.url, f"/{self.full_name}/pull/{pull}"
        headers = {"origin": web, "sec-fetch-site": "same-origin"}
        with httpx.Client(base_url=web, trust_env=False, timeout=20, headers=headers) as browser:
            action = f"/{self.full_name}/threads/{pull}/reviews"
            assert f'action="{action}"' in browser.get(f"{page}/review").text
            answer = browser.post(action, data=form | {"as": self.platform.owner.login})
            assert (answer.status_code, answer.headers["location"]) == (303, page), answer.text

    def wait_for_labels(self, labels: set[str], *threads: int, within: float = 30.0) -> None:
        """Wait until each thread has just these of the labels that tell its state."""

        def look() -> bool:
            shown = [{name for name in self.labels(thread) if name.startswith("state:")} for thread in threads]
            return all(one == labels for one in shown)

        wait_until(look, f"{threads} show {labels}", within, tell=self.platform.describe)

    def labels(self, number: int) -> set[str]:
        """Return the labels on a thread now."""
        return {str(label["name"]) for label in self.ask("GET", f"/issues/{number}/labels")}

    def catalogue(self) -> set[str]:
        """Return the labels that exist in the repository."""
        return {str(label["name"]) for label in self.ask("GET", "/labels?per_page=100")}

    def comments(self, number: int) -> list[str]:
        """Return the texts of a thread's comments."""
        return [str(comment["body"]) for comment in self.ask("GET", f"/issues/{number}/comments?per_page=100")]

    def status_comments(self, number: int) -> list[str]:
        """Return the status comments of a thread."""
        return [body for body in self.comments(number) if STATUS_MARK in body]

    def diagnostics(self, number: int) -> list[str]:
        """Return the diagnostic comments of a thread."""
        return [body for body in self.comments(number) if STATUS_MARK not in body]

    def pulls(self) -> list[dict[str, Any]]:
        """Return all pull requests, open or not."""
        found: list[dict[str, Any]] = self.ask("GET", "/pulls?state=all&per_page=100")
        return found

    def pulls_of(self, issue: int) -> list[dict[str, Any]]:
        """Return the pull requests whose branch belongs to the issue."""
        return [pull for pull in self.pulls() if pull["head"]["ref"].startswith(f"stagewright/issue-{issue}/")]

    def heads(self) -> dict[str, str]:
        """Return the remote's branches and their commits, asked from git itself."""
        listing = git(self.folder, "ls-remote", "--heads", self.authorised_url).stdout
        pairs = (line.split("\t") for line in listing.splitlines())
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}

    @property
    def authorised_url(self) -> str:
        """Return the clone address with the owner's token."""
        return with_token(self.clone_url, self.platform.owner.token)

    def clone(self) -> Path:
        """Return a fresh bare clone with everything the remote shows."""
        target = self.folder / f"clone-{len(list(self.folder.iterdir()))}.git"
        git(self.folder, "clone", "--quiet", "--mirror", self.authorised_url, str(target))
        return target

    def push_files(self, branch: str, files: Mapping[str, str], message: str = "By hand") -> str:
        """Commit files on a branch as a person does and return the commit."""
        work = self.folder / f"work-{len(list(self.folder.iterdir()))}"
        git(self.folder, "clone", "--quiet", "--branch", branch, self.authorised_url, str(work))
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "-m", message)
        git(work, "push", "--quiet", "origin", f"HEAD:{branch}")
        return git(work, "rev-parse", "HEAD").stdout.strip()

    def runs(self, issue: int | None = None) -> list[dict[str, Any]]:
        """Return the rows of runs, oldest first: all of the repository or those of an issue."""
        return self.platform.rows(
            "select * from runs where repository_id = %(repository)s"
            " and (%(issue)s::int is null or issue_number = %(issue)s) order by number",
            repository=self.bound.repository_id,
            issue=issue,
        )

    def run(self, issue: int) -> dict[str, Any]:
        """Return the newest run of the issue."""
        found = self.runs(issue)
        assert found, f"issue {issue} has no run"
        return found[-1]

    def wait_for_run(self, issue: int, *statuses: str, within: float = USUAL_RUN) -> dict[str, Any]:
        """Wait until the newest run of the issue is in one of ``statuses`` (default: it ended) and return its row."""
        wanted = statuses or TERMINAL

        def look() -> dict[str, Any] | None:
            found = self.runs(issue)
            return found[-1] if found and found[-1]["status"] in wanted else None

        what = f"the run of issue {issue} is {' or '.join(wanted)}"
        return wait_until(look, what, within, tell=lambda: self.platform.describe(self.bound.repository_id))

    def wait_for_quiet(self, *, issue: int | None = None, within: float = 30.0) -> None:
        """Wait until nothing is left to be done in the repository, or of the runs of one issue."""

        def look() -> bool:
            return not self.platform.rows(UNFINISHED, r=self.bound.repository_id, issue=issue)

        wait_until(look, "nothing is left to do", within, tell=lambda: self.platform.describe(self.bound.repository_id))

    def let_five_minutes_pass_for_the_scan(self) -> None:
        """Make the next scan of this repository due."""
        self.platform.change(
            "update repositories set scanned_at = scanned_at - interval '6 minutes' where id = %(id)s",
            id=self.bound.repository_id,
        )

    def attempts(self, run_id: UUID) -> list[dict[str, Any]]:
        """Return the attempts of a run in order."""
        return self.platform.rows("select * from attempts where run_id = %(id)s order by generation", id=run_id)

    def events(self, run_id: UUID) -> list[str]:
        """Return the kinds journalled on the run's stream, in order."""
        found = self.platform.rows(
            "select kind from journal where stream = %(stream)s order by seq", stream=f"run:{run_id}"
        )
        return [str(row["kind"]) for row in found]

    def effects(self, kinds: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the effect rows in order, of ``kinds`` only when given."""
        return self.platform.rows(
            "select * from effects where repository_id = %(r)s"
            " and (cardinality(%(kinds)s::text[]) = 0 or kind = any(%(kinds)s)) order by no",
            r=self.bound.repository_id,
            kinds=list(kinds),
        )
