"""Planting a practice repository over the control door: what ``stagewright demo``, rehearsals and tests begin with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from stagewright.kit.errors import Invalid, Unavailable

TIMEOUT = 20.0  # seconds; the forge makes real commits
README = "# {name}\n\nA practice repository. Label an issue and watch a stage run.\n"
POLICY = ".stagewright/policy.yaml"


@dataclass(frozen=True, kw_only=True)
class Planting:
    """What to plant: an owner, a bot, and a repository with a first issue."""

    owner: str = "practice-owner"
    owner_name: str | None = "Practice Owner"
    bot: str = "stagewright-bot"
    bot_type: str = "User"
    repository: str = "practice"
    private: bool = False
    policy: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    issue_title: str = "Say hello"
    issue_body: str = "Add a file `hello.txt` that says hello."


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Where the planted things are. The tokens are secrets of a throw-away forge."""

    api_url: str
    full_name: str
    clone_url: str
    web_url: str
    issue_number: int
    issue_url: str
    owner: str
    owner_token: str
    bot: str
    bot_token: str


class ForgeControl:
    """The control door of a running forge, for programs: one method per thing a test or the demo wants done."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=f"{self.url}/_control", timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> "ForgeControl":
        """Enter a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._client.close()

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """Send one control request; a refusal is raised in the forge's own words."""
        try:
            answer = self._client.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise Unavailable(f"the practice forge at {self.url} does not answer: {error}") from error
        if answer.is_error:
            raise Invalid(f"the practice forge refused {method} {path}: {answer.text}")
        return answer.json()

    def token(self, user: str, **wish: Any) -> str:
        """Make a token; ``scopes``, or ``permissions`` with ``repositories``, or ``expires_in`` narrow it."""
        return str(self.ask("POST", "/tokens", {"user": user} | wish)["token"])

    def fault(self, **wish: Any) -> None:
        """Order a fault: method, path, times and one of status, drop_before, drop_after, delay_ms, rate_limit."""
        self.ask("POST", "/faults", wish)

    def requests(self, method: str | None = None, path: str = "") -> list[dict[str, Any]]:
        """Return the journalled requests that match."""
        query = {"path": path} | ({} if method is None else {"method": method})
        found: list[dict[str, Any]] = self.ask("GET", "/requests", query=query)
        return found

    def effects(self) -> list[dict[str, Any]]:
        """Return what was done on the forge, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", "/effects")
        return found

    def webhooks(self, **wish: int) -> None:
        """Drop or duplicate the next webhooks: ``drop=1``, ``duplicate=2``."""
        self.ask("POST", "/webhooks", wish)

    def idle(self, timeout: float = 10.0) -> bool:
        """Wait until all webhooks were handed over."""
        return bool(self.ask("GET", "/webhooks/idle", query={"timeout": timeout})["idle"])

    def advance(self, seconds: int) -> None:
        """Let time pass on the forge."""
        self.ask("POST", "/clock", {"advance_seconds": seconds})


def plant_practice(url: str, planting: Planting | None = None) -> Planted:
    """Plant an owner, a bot that may write, a repository and an issue on the forge at ``url``."""
    wish = planting or Planting()
    with ForgeControl(url) as control:
        made = control.ask("POST", "/seed", _document(wish))
        owner_token, bot_token = control.token(wish.owner), control.token(wish.bot)
    [repository] = made["repositories"]
    [number] = repository["issues"]
    return Planted(
        api_url=f"{control.url}/api",
        full_name=repository["full_name"],
        clone_url=repository["clone_url"],
        web_url=repository["html_url"],
        issue_number=number,
        issue_url=f"{repository['html_url']}/issues/{number}",
        owner=wish.owner,
        owner_token=owner_token,
        bot=wish.bot,
        bot_token=bot_token,
    )


def _document(wish: Planting) -> dict[str, Any]:
    files = {"README.md": README.format(name=wish.repository)} | dict(wish.files)
    if wish.policy is not None:
        files[POLICY] = wish.policy
    users = [{"login": wish.owner, "name": wish.owner_name}, {"login": wish.bot, "type": wish.bot_type}]
    repository = {
        "owner": wish.owner,
        "name": wish.repository,
        "private": wish.private,
        "files": files,
        "collaborators": {wish.bot: "admin"},
        "issues": [{"title": wish.issue_title, "body": wish.issue_body}],
    }
    return {"users": users, "repositories": [repository]}
