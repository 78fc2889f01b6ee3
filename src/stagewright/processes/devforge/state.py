"""The forge's memory: everything it knows, its ids, its time and the few look-ups that all doors share."""

import base64
import itertools
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stagewright.kit.clock import Clock
from stagewright.processes.devforge.faults import Faults
from stagewright.processes.devforge.limits import Limits
from stagewright.processes.devforge.model import App, Hook, Installation, Issue, Repo, Token, User
from stagewright.processes.devforge.problems import gone, not_found
from stagewright.processes.devforge.webhooks import Courier

KEPT = 20_000  # journal entries and effects; older ones are forgotten


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something: an account, and the App it does it through."""

    user: User
    app: App | None = None


class Forge:
    """The whole state of one practice forge. It lives on one event loop."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self.data = data
        self.web_url = "http://127.0.0.1"
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.limits = Limits()
        self.faults = Faults()
        self.courier = Courier(self.now, self.next_id)
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.effects: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.pull_numbers: dict[tuple[str, str, str], dict[str, int]] = {}
        self._clock = clock
        self._ahead = timedelta()
        self._ids = itertools.count(1001)

    @property
    def api_url(self) -> str:
        """Return the base address of the REST API."""
        return f"{self.web_url}/api"

    def now(self) -> datetime:
        """Return the forge's time in whole seconds, as GitHub tells it."""
        return (self._clock.now() + self._ahead).replace(microsecond=0)

    def advance(self, by: timedelta) -> None:
        """Let time pass: tokens expire, windows reset."""
        self._ahead += by

    def next_id(self) -> int:
        """Make a database id, unique over all kinds."""
        return next(self._ids)

    def user(self, login: str) -> User:
        """Return an account by its login in any case."""
        found = self.users.get(login.lower())
        if found is None:
            raise not_found()
        return found

    def repo(self, owner: str, name: str) -> Repo:
        """Return a repository by its names in any case."""
        found = self.repos.get((owner.lower(), name.lower()))
        if found is None:
            raise not_found()
        return found

    def repo_by_id(self, repository_id: int) -> Repo:
        """Return a repository by its id."""
        for repo in self.repos.values():
            if repo.id == repository_id:
                return repo
        raise not_found()

    def installation_for(self, app: App, repo: Repo) -> Installation | None:
        """Return the App's installation that covers a repository."""
        for installation in self.installations.values():
            if installation.app is app and covers(installation, repo):
                return installation
        return None

    def app_hooks(self, repo: Repo) -> list[tuple[Hook, Installation]]:
        """Return the hooks of all Apps installed on a repository."""
        found = []
        for app in self.apps.values():
            installation = self.installation_for(app, repo)
            if app.hook is not None and installation is not None:
                found.append((app.hook, installation))
        return found


def covers(installation: Installation, repo: Repo) -> bool:
    """Say whether an installation reaches a repository."""
    if installation.account is not repo.owner:
        return False
    return installation.repositories is None or repo.id in installation.repositories


def issue_of(repo: Repo, number: int) -> Issue:
    """Return a thread by its number, be it an issue or a pull request."""
    found = repo.issues.get(number)
    if number in repo.deleted:
        raise gone()
    if found is None:
        raise not_found()
    return found


def pull_of(repo: Repo, number: int) -> Issue:
    """Return a thread that is a pull request."""
    found = issue_of(repo, number)
    if found.pull is None:
        raise not_found()
    return found


def stamp(moment: datetime) -> str:
    """Write a time as GitHub does: UTC, whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_stamp(moment: datetime | None) -> str | None:
    """Write a time that may be absent."""
    return None if moment is None else stamp(moment)


def node_id(kind: str, number: int) -> str:
    """Make the opaque global id of an object."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")
