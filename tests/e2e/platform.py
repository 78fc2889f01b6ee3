"""A whole Stagewright as processes: database, gateway, control plane, workers and the practice forge."""

import asyncio
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg.rows import dict_row
from tests.conftest import FAST
from tests.e2e.binding import Account, Binder, Bound
from tests.e2e.repository import Repository
from tests.e2e.servers import Server
from tests.fakes.devforge import RunningForge, forge_as_process

from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.kit.ids import short_id
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.processes.cli.local import place
from stagewright.processes.cli.local.installation import child_specs
from stagewright.processes.cli.local.prepare import prepare_now
from stagewright.processes.settings import KEYS_FILE, PREFIX, load

POLICY = """
defaults: {{model: rehearsal, locale: {locale}}}
stages: {{dev: {{model: rehearsal}}}}
roles: {{dev: {{limits: {{code-only: {limit}}}}}, pm: {{limits: {{code-only: {limit}}}}}}}
limits: {{project: {{total: 10, code-only: 8}}}}
"""
REHEARSALS = ".stagewright/rehearsals"
EVENTS = ("issues", "issue_comment", "pull_request", "pull_request_review", "push", "label")
DATABASE = "postgres"
LOOKS = 10


class Platform:
    """The processes and what tests do with them. Everything started here is ended by its own process id."""

    def __init__(
        self,
        data: Path,
        forge: RunningForge,
        *,
        workers: int,
        options: Mapping[str, str],
        bot_token: str | None,
        programs: Path | None,
    ) -> None:
        self.data = data
        self.programs = programs
        self.forge = forge
        self.options = options
        self.numbers = itertools.count(1)
        self.settings = load("up", self._environ())
        self.servers = self._describe_servers(workers)
        self.owner = self._account("ann")
        self.bot = self._account("stagewright-bot", token=bot_token)
        self.stranger = self._account("eve")
        self.robot = self._account("helper-robot", kind="Bot")
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._connecting = Lock()
        self._bugs_seen = 0
        self.token = ""

    def _environ(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        if self.programs is not None:
            clean["PATH"] = f"{self.programs}{os.pathsep}{clean['PATH']}"
        return clean | {f"{PREFIX}DATA_DIR": str(self.data), "HOME": str(self.data), f"{PREFIX}LISTEN": "127.0.0.1:0"}

    def _describe_servers(self, workers: int) -> dict[str, Server]:
        ports, more = place.choose_ports(0, place.LOOPBACK, {}), place.choose_ports(0, place.LOOPBACK, {})
        specs = {spec.name: spec for spec in child_specs(self.settings, self._environ(), ports)}
        servers = {
            name: Server(name, tuple(spec.arguments), dict(spec.environ), spec.ready_url, self.data / f"{name}.log")
            for name, spec in specs.items()
        }
        for number in range(2, workers + 1):
            listen = f"{place.LOOPBACK}:{more.worker_metrics + number}"
            environ = servers["worker"].environ | {f"{PREFIX}METRICS_LISTEN": listen}
            name = f"worker-{number}"
            arguments, log = servers["worker"].arguments, self.data / f"{name}.log"
            servers[name] = Server(name, arguments, environ, f"http://{listen}/readyz", log)
        return servers

    def _account(self, login: str, kind: str = "User", token: str | None = None) -> Account:
        made = self.forge.control.ask("POST", "/users", {"login": login, "type": kind})
        wish = {} if token is None else {"token": token}
        return Account(int(made["id"]), login, self.forge.control.token(login, **wish))

    @property
    def gateway_url(self) -> str:
        """Return where the gateway listens."""
        return f"http://{self.servers['gateway'].environ[f'{PREFIX}LISTEN']}"

    @property
    def controlplane_target(self) -> str:
        """Return host and port of the gRPC listener."""
        return self.servers["controlplane"].environ[f"{PREFIX}CONTROLPLANE_LISTEN"]

    def start_database(self) -> EmbeddedPostgres:
        """Start the database unless it runs."""
        return EmbeddedPostgres.start_or_adopt(self.data, options=self.options)

    def start(self) -> None:
        """Start every process and wait until all are ready."""
        for server in self.servers.values():
            server.start()
        for server in self.servers.values():
            server.wait_ready()

    def kill(self, name: str) -> None:
        """Kill a process without a last word: a server's name, or the database."""
        if name == DATABASE:
            os.kill(self.start_database().pid, 9)
        else:
            self.servers[name].kill()

    def restart(self, name: str, *, wait: bool = True) -> None:
        """Start a killed process again."""
        if name == DATABASE:
            self.start_database()
            return
        self.servers[name].start()
        if wait:
            self.servers[name].wait_ready()

    def stop(self) -> None:
        """End every process."""
        if self._connection is not None:
            self._connection.close()
        for server in self.servers.values():
            server.stop()

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Read rows."""
        with self._connecting:
            connection = self._connection
            if connection is None or connection.closed:
                dsn = self.start_database().dsn
                connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row, connect_timeout=5)
                self._connection = connection
        try:
            return connection.execute(sql, params).fetchall()
        except psycopg.OperationalError:
            with suppress(psycopg.Error):
                connection.close()
            raise

    def value(self, sql: str, **params: Any) -> Any:
        """Read one value."""
        [row] = self.rows(sql, **params)
        [found] = row.values()
        return found

    def change(self, sql: str, **params: Any) -> None:
        """Change rows behind the platform's back: only to let time pass for them."""
        self.rows(sql + " returning 1", **params)

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> httpx.Response:
        """Send a REST request to the gateway as the owner; every write has a key of its own."""
        headers = {"authorization": f"Bearer {token or self.token}", "idempotency-key": str(uuid4())}
        url = f"{self.gateway_url}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=headers, trust_env=False, timeout=20)

    def ask_forge(self, method: str, path: str, body: Any = None, *, by: Account | None = None) -> httpx.Response:
        """Send a REST request to the forge."""
        token = (by or self.owner).token
        headers = {"authorization": f"Bearer {token}"}
        url = f"{self.forge.api_url}{path}"
        answer = httpx.request(method, url, json=body, headers=headers, trust_env=False, timeout=20)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    @staticmethod
    def policy(*, locale: str = "en", limit: int = 6) -> str:
        """Return a policy that rehearses every stage; ``limit`` runs of a role at a time."""
        return POLICY.format(locale=locale, limit=limit)

    def repository(
        self,
        *,
        policy: str | None = None,
        files: Mapping[str, str] | None = None,
        rehearsals: Mapping[str, str] | None = None,
        locale: str = "en",
        by_rest: bool = False,
    ) -> Repository:
        """Plant a repository with a project, a policy and rehearsal scenarios of its own, bound, with a webhook.

        ``by_rest`` binds through the gateway, as `repo add` does, which also asks for the labels of the catalogue.
        """
        name = f"shop-{next(self.numbers)}"
        scenarios = {f"{REHEARSALS}/{stage}.yaml": text for stage, text in (rehearsals or {}).items()}
        content = {
            "README.md": f"# {name}\n",
            ".stagewright/policy.yaml": policy or self.policy(),
            **scenarios,
            **(files or {}),
        }
        wish = {
            "owner": self.owner.login,
            "name": name,
            "files": content,
            "collaborators": {self.bot.login: "admin", self.stranger.login: "write", self.robot.login: "write"},
        }
        found = self.forge.control.ask("POST", "/repositories", wish)
        bound = self._bind_by_rest(found, locale) if by_rest else self._binder().bind(found, locale=locale)
        folder = self.data / "people" / name
        folder.mkdir(parents=True)
        made = Repository(self, found["full_name"], found["clone_url"], folder, bound)
        config = {
            "url": f"{self.gateway_url}/api/v1/webhooks/github/{bound.repository_id}",
            "secret": bound.webhook_secret,
            "content_type": "json",
        }
        made.hook_id = made.ask("POST", "/hooks", {"config": config, "events": list(EVENTS)})["id"]
        return made

    def _binder(self) -> Binder:
        return Binder(self.start_database().dsn, self.settings.keyring, self.forge.api_url, self.owner, self.bot)

    def _bind_by_rest(self, found: Mapping[str, Any], locale: str) -> Bound:
        project = self.ask("POST", "/projects", {"key": found["name"], "name": found["name"], "locale": locale})
        assert project.status_code == 201, project.text
        wish = {
            "full_name": found["full_name"],
            "api_url": self.forge.api_url,
            "token": self.bot.token,
            "owner_login": self.owner.login,
        }
        project_id = UUID(project.json()["id"])
        answer = self.ask("POST", f"/projects/{project_id}/repositories", wish)
        assert answer.status_code == 201, answer.text
        bound = answer.json()
        assert bound["webhook_url"] == f"{self.gateway_url}/api/v1/webhooks/github/{bound['id']}"
        return Bound(project_id, UUID(bound["id"]), bound["webhook_secret"])

    def bare_repository(self, full_name: str) -> Path:
        """Return the forge's own bare repository."""
        return self.forge.data / "repositories" / f"{full_name.lower()}.git"

    def workloads(self) -> list[Path]:
        """Return the folders of all workloads that exist."""
        root = self.data / "workloads"
        return sorted(path for path in root.iterdir() if (path / "spec.json").is_file()) if root.is_dir() else []

    def workload(self, attempt: Mapping[str, Any]) -> Path:
        """Return the folder of an attempt's workload."""
        return self.data / "workloads" / str(attempt["workload_name"])

    def log_of(self, attempt_id: UUID, stream: str = "engine") -> bytes:
        """Return all stored bytes of a log stream."""
        found = self.rows(
            "select chunk from run_logs where attempt_id = %(id)s and stream = %(stream)s order by stream_seq",
            id=attempt_id,
            stream=stream,
        )
        return b"".join(bytes(row["chunk"]) for row in found)

    def cancel(self, run_id: UUID | str) -> tuple[int, dict[str, Any]]:
        """Ask for the end of a run as the owner; return the status and the body of the answer.

        A run that moves between preview and confirmation is looked at again, as a person would.
        """
        path = f"/runs/{run_id}:cancel"
        for _ in range(LOOKS):
            shown = self.ask("POST", path + "?preview=true")
            if shown.status_code != 200:
                return shown.status_code, shown.json()
            answer = self.ask("POST", path, {"confirm_token": shown.json()["confirm_token"]})
            if answer.json().get("code") != "confirm.outdated":
                break
        return answer.status_code, answer.json()

    def run_dir(self, run_id: UUID) -> Path:
        """Return the work directory of a run."""
        return self.data / "runs" / short_id(run_id)

    def describe(self, repository_id: UUID | None = None) -> str:
        """Tell what is known: rows, incidents and the ends of the logs. For the text of a failure."""
        parts = [
            _table("runs", self.rows(RUNS, repository=repository_id)),
            _table("attempts", self.rows(ATTEMPTS, repository=repository_id)),
            _table("effects", self.rows(EFFECTS, repository=repository_id)),
            _table("waits", self.rows(WAITS, repository=repository_id)),
            _table("deliveries", self.rows(DELIVERIES, repository=repository_id)),
            _table("incidents", self.rows("select code, message, count, left(stack, 1500) as stack from incidents")),
            *(server.last_words() for server in self.servers.values()),
        ]
        return "\n".join(parts)

    def new_bugs(self) -> list[dict[str, Any]]:
        """Return the unforeseen errors reported since the last call."""
        found = self.rows("select message, source, count, stack from incidents where code = 'internal'")
        total = sum(row["count"] for row in found)
        fresh, self._bugs_seen = total > self._bugs_seen, total
        return found if fresh else []


RUNS = """
select issue_number, kind, status, code, detail, finish_step, admission_reason, generation, pr_number, claimed_until,
    not_before
from runs where %(repository)s::uuid is null or repository_id = %(repository)s order by number
"""
ATTEMPTS = """
select r.issue_number, a.generation, a.status, a.outcome, a.code, a.detail, a.reserved_at, a.ended_at
from attempts a join runs r on r.id = a.run_id
where %(repository)s::uuid is null or r.repository_id = %(repository)s order by a.reserved_at
"""
EFFECTS = """
select kind, target, status, tries, code, detail, not_before, leased_until from effects
where %(repository)s::uuid is null or repository_id = %(repository)s order by no
"""
WAITS = """
select w.kind, w.target_id, w.status, w.resume_at from waits w join runs r on r.id = w.run_id
where %(repository)s::uuid is null or r.repository_id = %(repository)s order by w.opened_at
"""
DELIVERIES = """
select event, action, thread, status, verdict, reason, tries from webhook_deliveries
where %(repository)s::uuid is null or repository_id = %(repository)s order by received_at
"""


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [json.dumps({key: value for key, value in row.items() if value is not None}, default=str) for row in rows]
    return f"{name}:\n  " + "\n  ".join(lines)


def end_workloads(data: Path) -> None:
    """Kill what workloads are left."""

    async def end() -> None:
        workloads = LocalWorkloads(data)
        for name in await workloads.list_names():
            await workloads.delete(name)

    asyncio.run(end())


@contextmanager
def running_platform(
    *,
    workers: int = 1,
    durable: bool = False,
    bot_token: str | None = None,
    root_keys: str | None = None,
    programs: Path | None = None,
) -> Iterator[Platform]:
    """Run everything for the block. ``durable`` keeps the database's own settings, for tests that kill it.

    ``bot_token`` and ``root_keys`` are secrets a test wants to know; else they are made. ``programs`` comes first where
    runners look for the engines' programs.
    """
    data = Path(tempfile.mkdtemp(prefix="sw-e2e-"))
    data.chmod(0o711)  # the database's user must be able to pass
    if root_keys is not None:
        (data / KEYS_FILE).touch(0o600)
        (data / KEYS_FILE).write_text(root_keys + "\n")
    database: EmbeddedPostgres | None = None
    try:
        with forge_as_process(data / "forge") as (forge, _):
            options = {} if durable else FAST
            platform = Platform(data, forge, workers=workers, options=options, bot_token=bot_token, programs=programs)
            database = platform.start_database()
            platform.token = prepare_now(database.dsn, owner_email=None).token
            try:
                platform.start()
                yield platform
            finally:
                platform.stop()
                end_workloads(data)
    finally:
        if database is not None:
            EmbeddedPostgres.start_or_adopt(data).stop()
        shutil.rmtree(data, ignore_errors=True)
