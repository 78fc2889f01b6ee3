"""The two peers of the contract: our adapter against the practice forge over HTTP, and the fake in memory."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import httpx
from tests.fakes.clock import FakeClock
from tests.fakes.devforge import RunningForge
from tests.fakes.forge import FakeForge

from stagewright.adapters.github import (
    Access,
    Client,
    GitHubDirectory,
    GitHubForge,
    GitHubThreads,
    Rates,
    Retries,
    Wire,
)
from stagewright.contexts.intake.ports import ForgeThreads
from stagewright.contexts.projects.model import Binding, ProjectId, Repository, RepositoryId, RepositoryState
from stagewright.contexts.projects.ports import ForgeDirectory
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.ports import Forge
from stagewright.contexts.vault.model import (
    Credential,
    CredentialId,
    CredentialKind,
    CredentialScope,
    ResolvedCredential,
)
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.errors import LimitReached
from stagewright.kit.ids import uuid7
from stagewright.processes.devforge.seed import Planted

QUICK = Retries(tries=3, first_wait=timedelta(milliseconds=1), longest_wait=timedelta(milliseconds=5))


class Peer(Protocol):
    """A forge under test with its back door: what people do there, and what goes wrong."""

    repository: Repository
    token: str
    bot: str

    @property
    def forge(self) -> Forge: ...
    @property
    def threads(self) -> ForgeThreads: ...
    @property
    def directory(self) -> ForgeDirectory: ...
    async def open_issue(self, title: str = "A task", body: str = "text", labels: tuple[str, ...] = ()) -> int: ...
    async def person_comments(self, number: int, body: str) -> None: ...
    async def person_labels(self, number: int, label: str) -> None: ...
    async def person_unlabels(self, number: int, label: str) -> None: ...
    async def close(self, number: int) -> None: ...
    async def merge(self, number: int) -> None: ...
    async def review(self, number: int, state: str) -> None: ...
    async def remark(self, number: int, path: str, line: int, body: str) -> None: ...
    async def know_the_diff(self, number: int, path: str, *lines: int) -> None: ...
    async def make_branch(self, branch: str) -> str: ...
    async def set_role(self, login: str, role: str) -> None: ...
    async def lose_answer(self, act: str) -> None: ...
    async def limit(self, act: str, *, secondary: bool, seconds: int) -> None: ...
    async def go_down(self) -> None: ...
    async def let_time_pass(self, seconds: int) -> None: ...
    async def through_app(self) -> "Installed": ...


@dataclass(frozen=True, slots=True)
class Installed:
    """A forge reached through a GitHub App: two repositories of one installation, and one of another."""

    forge: Forge
    first: Repository
    second: Repository
    elsewhere: Repository


def a_credential(kind: CredentialKind = CredentialKind.TOKEN, **changes: Any) -> Credential:
    """Return a stored credential."""
    values: dict[str, Any] = {
        "id": CredentialId(uuid7()),
        "scope": CredentialScope.REPOSITORY,
        "project_id": None,
        "repository_id": None,
        "purpose": "bot",
        "kind": kind,
        "app_id": None,
        "installation_id": None,
        "base_url": None,
        "login": None,
        "login_id": None,
        "commit_name": None,
        "commit_email": None,
        "state": "valid",
        "permissions": {},
        "expires_at": None,
        "checked_at": None,
        "version": 1,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Credential(**(values | changes))


def a_repository(full_name: str, number: int, api_url: str = "http://forge.test/api", web: str = "") -> Repository:
    """Return a bound repository."""
    web_url = web or f"http://forge.test/{full_name}"
    return Repository(
        id=RepositoryId(uuid7()),
        project_id=ProjectId(uuid7()),
        api_url=api_url,
        web_url=web_url,
        clone_url=f"{web_url}.git",
        full_name=full_name,
        forge_repository_id=number,
        default_branch="main",
        binding=Binding.TOKEN,
        state=RepositoryState.ENABLED,
        health="ok",
        bound_at=datetime(2026, 1, 1, tzinfo=UTC),
        scan_cursor=None,
        scan_etag=None,
        scanned_at=None,
        fully_scanned_at=None,
        version=1,
    )


@dataclass
class Vault:
    """Resolves to what a test put in; remembers the purposes it was asked for."""

    resolved: ResolvedCredential
    purposes: list[str]

    async def resolve(self, repository_id: UUID, project_id: UUID, purpose: str) -> ResolvedCredential:
        """Return the credential."""
        self.purposes.append(purpose)
        return self.resolved


class Adapter:
    """Our adapter, put together as a process does it."""

    def __init__(self, http: httpx.AsyncClient, vault: Vault, clock: Clock | None = None) -> None:
        self.vault = vault
        self.readings: list[tuple[Any, ...]] = []
        clock = clock or SystemClock()
        self.wire = Wire(http, Rates(lambda *reading: self.readings.append(reading)), clock)
        self.access = Access(self.wire, vault.resolve, clock)
        self.client = Client(self.wire, self.access, clock, retries=QUICK)
        self.forge = GitHubForge(self.wire, self.client)
        self.threads = GitHubThreads(self.client)
        self.directory = GitHubDirectory(self.wire)


# Which request of the practice forge an act of the port is.
REQUESTS = {
    "post_review": ("POST", r"/pulls/\d+/reviews$"),
    "create_comment": ("POST", r"/issues/\d+/comments$"),
    "issue": ("GET", r"/issues/\d+$"),
    "open_pull_request": ("POST", r"/pulls$"),
    "add_label": ("POST", r"/issues/\d+/labels$"),
}


class PracticePeer:
    """The adapter and the practice forge."""

    def __init__(self, http: httpx.AsyncClient, running: RunningForge) -> None:
        self.running, self.http = running, http
        planted: Planted = running.plant()
        self.planted = planted
        self.token, self.bot = planted.bot_token, planted.bot
        self.api = httpx.Client(base_url=running.api_url, headers={"authorization": f"token {planted.owner_token}"})
        shown = self.api.get(f"/repos/{planted.full_name}").json()
        self.repository = a_repository(planted.full_name, shown["id"], running.api_url, shown["html_url"])
        self.adapter = Adapter(http, Vault(ResolvedCredential(a_credential(), self.token), []))
        self.forge, self.threads = self.adapter.forge, self.adapter.threads
        self.directory = self.adapter.directory

    def ask(self, method: str, path: str, data: object = None) -> Any:
        """Do something as the owner."""
        answer = self.api.request(method, f"/repos/{self.planted.full_name}{path}", json=data)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def open_issue(self, title: str = "A task", body: str = "text", labels: tuple[str, ...] = ()) -> int:
        """Open an issue as the owner."""
        return int(self.ask("POST", "/issues", {"title": title, "body": body, "labels": list(labels)})["number"])

    async def person_comments(self, number: int, body: str) -> None:
        """Write a comment as the owner."""
        self.ask("POST", f"/issues/{number}/comments", {"body": body})

    async def person_labels(self, number: int, label: str) -> None:
        """Put a label on a thread as the owner."""
        self.ask("POST", f"/issues/{number}/labels", {"labels": [label]})

    async def person_unlabels(self, number: int, label: str) -> None:
        """Take a label off a thread as the owner."""
        self.ask("DELETE", f"/issues/{number}/labels/{label}")

    async def close(self, number: int) -> None:
        """Close a thread as the owner."""
        self.ask("PATCH", f"/issues/{number}", {"state": "closed"})

    async def merge(self, number: int) -> None:
        """Merge a pull request as the owner."""
        self.ask("PUT", f"/pulls/{number}/merge")

    async def review(self, number: int, state: str) -> None:
        """Review a pull request as the owner, or take all its reviews back."""
        if state == "dismissed":
            for one in self.ask("GET", f"/pulls/{number}/reviews"):
                self.ask("PUT", f"/pulls/{number}/reviews/{one['id']}/dismissals", {"message": "no more"})
            return
        event = {"approved": "APPROVE", "changes_requested": "REQUEST_CHANGES"}[state]
        self.ask("POST", f"/pulls/{number}/reviews", {"event": event, "body": "text"})

    async def remark(self, number: int, path: str, line: int, body: str) -> None:
        """Ask for changes as the owner, with a remark at a line."""
        at_line = {"path": path, "line": line, "side": "RIGHT", "body": body}
        review = {"event": "REQUEST_CHANGES", "body": "See the remark.", "comments": [at_line]}
        self.ask("POST", f"/pulls/{number}/reviews", review)

    async def know_the_diff(self, number: int, path: str, *lines: int) -> None:
        """The practice forge knows its diffs."""

    async def make_branch(self, branch: str) -> str:
        """Make a branch one commit ahead of main."""
        head = self.ask("GET", "/git/ref/heads/main")["object"]["sha"]
        self.ask("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": head})
        text = {"message": "work", "content": "eA==", "branch": branch}
        return str(self.ask("PUT", "/contents/work.txt", text)["commit"]["sha"])

    async def set_role(self, login: str, role: str) -> None:
        """Give a new account a role."""
        self.running.control.ask("POST", "/users", {"login": login})
        path = f"/repositories/{self.planted.full_name}/collaborators/{login}"
        self.running.control.ask("PUT", path, {"role": role})

    async def lose_answer(self, act: str) -> None:
        """Let the next such request happen and its answer be lost."""
        method, path = self._request(act)
        self.running.control.fault(method=method, path=path, drop_after=True)

    async def limit(self, act: str, *, secondary: bool, seconds: int) -> None:
        """Refuse the next such request for a limit."""
        method, path = self._request(act)
        told: dict[str, Any] = {"kind": "secondary" if secondary else "primary"}
        if secondary:
            told["retry_after"] = seconds
        else:
            told["reset"] = int(datetime.now(UTC).timestamp()) + seconds
        self.running.control.fault(method=method, path=path, rate_limit=told)

    async def go_down(self) -> None:
        """Refuse connections: the adapter looks for the forge where nobody listens."""
        self.repository = replace(self.repository, api_url="http://127.0.0.1:9/api")

    async def let_time_pass(self, seconds: int) -> None:
        """Move the forge's clock."""
        self.running.control.advance(seconds)

    async def through_app(self) -> Installed:
        """Install an App for two owners; its credential does not say which installation a repository has."""
        control, other = self.running.control, self.running.plant()
        owner = self.planted.owner
        rights = {"issues": "write", "pull_requests": "write", "contents": "write", "metadata": "read"}
        app = control.ask("POST", "/apps", {"owner": owner, "slug": f"shared-{owner}", "permissions": rights})
        for account in (owner, other.owner):
            control.ask("POST", f"/apps/{app['id']}/installations", {"account": account})
        control.ask("POST", "/repositories", {"owner": owner, "name": "second"})
        credential = a_credential(CredentialKind.GITHUB_APP, app_id=app["id"])
        adapter = Adapter(self.http, Vault(ResolvedCredential(credential, app["private_key"]), []))
        second, elsewhere = (self._named(name) for name in (f"{owner}/second", other.full_name))
        return Installed(adapter.forge, self.repository, second, elsewhere)

    def _named(self, full_name: str) -> Repository:
        shown = self.api.get(f"/repos/{full_name}").json()
        return a_repository(full_name, shown["id"], self.running.api_url, shown["html_url"])

    def _request(self, act: str) -> tuple[str, str]:
        method, path = REQUESTS[act]
        return method, re.escape(self.planted.full_name) + path


class FakePeer:
    """The fake in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeForge(self.clock)
        info = self.fake.add_repository()
        self.id = info.id
        self.repository = a_repository(info.full_name, info.id)
        self.forge, self.threads, self.directory = self.fake, self.fake, self.fake
        self.token, self.bot = "bot-token", self.fake.bot_account.login

    async def open_issue(self, title: str = "A task", body: str = "text", labels: tuple[str, ...] = ()) -> int:
        """Open an issue as a person."""
        return self.fake.open_issue(self.id, title, body, labels=labels)

    async def person_comments(self, number: int, body: str) -> None:
        """Write a comment as a person."""
        self.fake.person_comments(self.id, number, body)

    async def person_labels(self, number: int, label: str) -> None:
        """Put a label on a thread as a person."""
        self.fake.person_labels(self.id, number, label)

    async def person_unlabels(self, number: int, label: str) -> None:
        """Take a label off a thread as a person."""
        self.fake.person_unlabels(self.id, number, label)

    async def close(self, number: int) -> None:
        """Close a thread as a person."""
        self.fake.close(self.id, number)

    async def merge(self, number: int) -> None:
        """Merge a pull request as a person."""
        self.fake.close(self.id, number, merged=True)

    async def review(self, number: int, state: str) -> None:
        """Review a pull request as a person, or take the reviews back."""
        self.fake.review(self.id, number, state, body="" if state == "dismissed" else "text")

    async def know_the_diff(self, number: int, path: str, *lines: int) -> None:
        """Tell the fake which lines of the pull request's diff there are."""
        pull = self.fake.repositories[self.id].threads[number].pull
        assert pull is not None
        pull.shown = {path: set(lines)}

    async def remark(self, number: int, path: str, line: int, body: str) -> None:
        """Ask for changes as a person, with a remark at a line."""
        self.fake.review(self.id, number, "changes_requested", body="See the remark.", at_line=(path, line, body))

    async def make_branch(self, branch: str) -> str:
        """Make a branch."""
        self.fake.repositories[self.id].branches[branch] = "ab" * 20
        return "ab" * 20

    async def set_role(self, login: str, role: str) -> None:
        """Give a new account a role."""
        self.fake.set_role(self.id, login, role)

    async def lose_answer(self, act: str) -> None:
        """Let the next such call happen and its answer be lost."""
        self.fake.fail(act, OutcomeUnknown("lost"), after=True)

    async def limit(self, act: str, *, secondary: bool, seconds: int) -> None:
        """Refuse the next such call for a limit."""
        code = "forge.secondary_limit" if secondary else "forge.rate_limited"
        margin = 15 if secondary else 5
        self.fake.fail(act, LimitReached("limit", retry_after=timedelta(seconds=seconds + margin), code=code))

    async def go_down(self) -> None:
        """Refuse the next call."""
        self.fake.fail("create_comment", NotSent("down"))

    async def let_time_pass(self, seconds: int) -> None:
        """Move the clock."""
        self.clock.advance(timedelta(seconds=seconds))

    async def through_app(self) -> Installed:
        """Install an App twice."""
        first = a_repository("acme/first", self.fake.add_repository("acme/first").id)
        second = a_repository("acme/second", self.fake.add_repository("acme/second").id)
        elsewhere = a_repository("other/third", self.fake.add_repository("other/third").id)
        for one, installation in ((first, "app:1"), (second, "app:1"), (elsewhere, "app:2")):
            self.fake.install(one.forge_repository_id, installation)
        return Installed(self.fake, first, second, elsewhere)
