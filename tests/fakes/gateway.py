"""The real gateway in a test's process, over real rows: every answer is held to the OpenAPI document."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.model import LoginMethod, Origin
from stagewright.contexts.identity.ports import GitHubLogin
from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.identity.usecases.sessions import begin_session
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.kit.crypto import Keyring, hmac_sha256_header
from stagewright.kit.db import Database
from stagewright.kit.http.asgi import App
from stagewright.kit.http.browser import Browser
from stagewright.kit.ids import uuid7
from stagewright.processes.common import Platform, Purpose, open_platform
from stagewright.processes.gateway.app import Forge, make_app, make_framework
from stagewright.processes.gateway.description import describe
from stagewright.processes.settings import load
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge

PUBLIC_URL = "https://stagewright.test"
COOKIE = "__Host-sw_session"
DOCUMENT = describe(make_framework())
PARAMETER = re.compile(r"\\{\w+\\}")


@dataclass(frozen=True, slots=True)
class Person:
    """A user and the text of an API token of theirs."""

    user: identity.User
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person signed in with a browser: the cookie's text and the proof of writes."""

    user: identity.User
    session_id: UUID
    cookie: str = field(repr=False)
    csrf: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Return what a page of ours sends."""
        return {
            "Cookie": f"{COOKIE}={self.cookie}",
            "Origin": PUBLIC_URL,
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": self.csrf,
            "Content-Type": "application/json",
        }


@dataclass
class Gateway:
    """A gateway, a client for it, and what a test needs to make rows."""

    platform: Platform
    app: App
    client: httpx.AsyncClient
    forge: FakeForge
    clock: FakeClock
    checked: set[str] = field(default_factory=set)

    @property
    def db(self) -> Database:
        """Return the gateway's own database."""
        return self.platform.db

    async def call(
        self,
        method: str,
        path: str,
        who: Person | Visitor | str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send one request below ``/api/v1`` and check the answer against the OpenAPI document."""
        token = who.token if isinstance(who, Person) else who
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        if isinstance(token, Visitor):
            sent = token.headers
        place = path if path.startswith(("/schema", "/healthz", "/readyz", "/auth")) else f"/api/v1{path}"
        answer = await self.client.request(method, place, headers={**sent, **(headers or {})}, **options)
        if "/nowhere" not in path:
            self.checked.add(hold_to_document(answer))
        return answer

    async def get(self, path: str, who: Person | Visitor | str | None = None, **options: Any) -> httpx.Response:
        """Read."""
        return await self.call("GET", path, who, **options)

    async def post(
        self, path: str, who: Person | Visitor | str | None = None, body: Any = None, **options: Any
    ) -> httpx.Response:
        """Send a verb with a fresh key, unless the test brings its own."""
        headers = {"Idempotency-Key": str(uuid4()), **options.pop("headers", {})}
        return await self.call("POST", path, who, headers=headers, json={} if body is None else body, **options)

    async def webhook(self, repository: projects.Repository, payload: Any, **changes: Any) -> httpx.Response:
        """Deliver an event as GitHub does, signed with the repository's first secret."""
        async with self.db.reading() as reader:
            sealer = self.platform.sealer(Purpose.WEBHOOK_SECRETS)
            secrets = await projects.open_webhook_secrets(reader, repository.id, sealer=sealer)
        raw = json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": changes.get("event", "issues"),
            "X-GitHub-Delivery": changes.get("delivery", str(uuid4())),
            "X-Hub-Signature-256": hmac_sha256_header(secrets[changes.get("secret", 0)], raw),
        }
        answer = await self.client.post(f"/api/v1/webhooks/github/{repository.id}", content=raw, headers=headers)
        self.checked.add(hold_to_document(answer))
        return answer

    async def person(
        self,
        name: str = "ann",
        *,
        role: str = "member",
        scopes: tuple[str, ...] = ("read", "operate", "decide", "manage", "platform"),
        member_of: projects.Project | None = None,
        member_as: str = "read",
        only: projects.Project | None = None,
    ) -> Person:
        """Make a user with a token, and a member of a project."""
        now = self.clock.now()
        async with self.db.transaction() as tx:
            user = await insert_user(
                tx, user_id=uuid7(), email=f"{name}@example.test", name=name.title(), locale="en", role=role, now=now
            )
            assert user is not None
            if member_of is not None:
                await identity.set_member(tx, member_of.id, user.id, identity.ProjectRole(member_as), now=now)
            return Person(user, await self._token(tx, user, scopes, only))

    async def visitor(self, person: Person) -> Visitor:
        """Sign a person in with a browser."""
        async with self.db.transaction() as tx:
            begun = await begin_session(
                tx,
                person.user,
                method=LoginMethod.LOCAL,
                origin=Origin("192.0.2.0/24", "a browser"),
                now=self.clock.now(),
                longest=self.platform.settings.session_max,
            )
        csrf = Browser(PUBLIC_URL, self.platform.keyring).csrf_token(begun.session.id)
        return Visitor(person.user, begun.session.id, begun.text, csrf)

    async def token(
        self, person: Person, *scopes: str, only: projects.Project | None = None, life: timedelta = timedelta(days=30)
    ) -> str:
        """Make another token of a person."""
        async with self.db.transaction() as tx:
            return await self._token(tx, person.user, scopes, only, life)

    async def _token(
        self,
        tx: Any,
        user: identity.User,
        scopes: tuple[str, ...],
        only: projects.Project | None,
        life: timedelta = timedelta(days=30),
    ) -> str:
        made = await identity.create_token(
            tx,
            user,
            name="test",
            scopes=scopes,
            now=self.clock.now(),
            life=life,
            project_id=only.id if only else None,
        )
        return made.text

    async def project(self, key: str = "shop") -> projects.Project:
        """Create a project."""
        async with self.db.transaction() as tx:
            return await factories.a_project(tx, now=self.clock.now(), key=key, name=key.title())

    async def repository(self, project: projects.Project, full_name: str = "acme/shop") -> projects.Repository:
        """Bind a repository of the fake forge to ``project``."""
        found = self.forge.add_repository(full_name)
        async with self.db.transaction() as tx:
            return await factories.a_repository(tx, project, found, now=self.clock.now())

    async def run(self, repository: projects.Repository, issue: int = 1, **changes: Any) -> runs.Run:
        """Queue a run of ``repository`` on an issue."""
        correlation = changes.pop("correlation_id", f"test:{repository.id}:{issue}")
        request = factories.a_run_request(
            repository, now=self.clock.now(), issue_number=issue, correlation_id=correlation, **changes
        )
        async with self.db.transaction() as tx:
            return await runs.request_run(tx, request, clock=self.clock)

    async def scene(self, *, issue: int = 1) -> tuple[projects.Project, projects.Repository, runs.Run]:
        """Make a project with a repository and a queued run."""
        project = await self.project()
        repository = await self.repository(project)
        return project, repository, await self.run(repository, issue)


@asynccontextmanager
async def open_gateway(
    dsn: str,
    clock: FakeClock,
    folder: Path,
    *,
    embedded: bool = False,
    github: GitHubLogin | None = None,
    forge: FakeForge | None = None,
    **changes: Any,
) -> AsyncIterator[Gateway]:
    """Open a gateway on a migrated database for the block; ``changes`` are settings, ``forge`` one that is shared."""
    environ = {
        "STAGEWRIGHT_DATABASE_URL": dsn,
        "STAGEWRIGHT_DATA_DIR": str(folder),
        "STAGEWRIGHT_ROOT_KEYS": Keyring.generate(),
        "STAGEWRIGHT_PUBLIC_URL": PUBLIC_URL,
    }
    settings = replace(load("gateway", environ), keyring=factories.KEYRING, embedded=embedded, **changes)
    forge = forge or FakeForge(clock)
    async with open_platform(settings, clock=clock, max_sessions=8, own_logs=False) as platform:
        app = make_app(platform, Forge(directory=forge, threads=forge), github)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            yield Gateway(platform, app, client, forge, clock)


def hold_to_document(answer: httpx.Response) -> str:
    """Fail when the answer is not what the OpenAPI document promises; return the path it was matched to."""
    path, method = answer.request.url.path, answer.request.method.lower()
    template = path_of(path, method)
    assert template is not None, f"{method} {path} is not in the OpenAPI document"
    responses = DOCUMENT["paths"][template][method]["responses"]
    promised = responses.get(str(answer.status_code))
    if promised is None:
        assert answer.status_code >= 400, f"{method} {template} answers {answer.status_code}, which is not documented"
        promised = responses["default"]
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in promised["content"], f"{method} {template} answers {kind}: {answer.text[:500]}"
    schema = promised["content"][kind].get("schema", {})
    if "json" in kind:
        root = {**schema, "components": DOCUMENT["components"]}
        Draft202012Validator(root, format_checker=FormatChecker(["uuid"])).validate(answer.json())
    return template


def path_of(path: str, method: str) -> str | None:
    """Return the template of the OpenAPI document that ``path`` belongs to; literal parts before parameters."""
    for template in sorted(DOCUMENT["paths"], key=lambda item: (item.count("{"), item)):
        pattern = PARAMETER.sub("[^/]+?", re.escape(template))
        if method in DOCUMENT["paths"][template] and re.fullmatch(pattern, path):
            return str(template)
    return None


def unknown_id() -> UUID:
    """Return an id of nothing."""
    return uuid4()
