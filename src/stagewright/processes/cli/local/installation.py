"""A running Stagewright on this machine: from settings to ready processes, and back. What `up` and `demo` share."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from stagewright.kit.errors import StagewrightError
from stagewright.kit.settings import Listen, make_data_dir
from stagewright.processes.cli import contexts
from stagewright.processes.cli.exits import FAILED, INTERRUPTED, Ended, Failure
from stagewright.processes.cli.local import place
from stagewright.processes.cli.local.child import ChildSpec, server_environ
from stagewright.processes.cli.local.place import LOOPBACK, Ports
from stagewright.processes.cli.local.prepare import GivenDatabase, OwnDatabase, Prepared, host_of, prepare_now
from stagewright.processes.cli.local.tree import ProcessTree
from stagewright.processes.platform_policy import read_platform_policy
from stagewright.processes.settings import PREFIX, Settings, load

PROCESSES = ("controlplane", "gateway", "worker")
ANY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - compared with, never bound here

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for. ``port`` None keeps the setting; ``context`` names the CLI context to write."""

    environ: Mapping[str, str]
    data: Path | None
    port: int | None
    context: str
    github_login: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started installation."""

    settings: Settings
    url: str
    data: Path
    ports: Ports
    prepared: Prepared
    tree: ProcessTree

    @property
    def sign_in_link(self) -> str | None:
        """Return the link that signs the owner in once, or None where people sign in with GitHub.

        A public address that was set is where the console takes writes from, so the link leads there.
        """
        code = self.prepared.sign_in_code
        own = self.settings.public_url == f"http://{self.settings.listen}"
        return f"{self.url if own else self.settings.public_url}/login#{code}" if code else None


def read_settings(wish: Wish) -> Settings:
    """Read the settings with what the command line says; raise ``SettingsInvalid`` with all mistakes."""
    environ = server_environ(wish.environ)
    if wish.data is not None:
        environ[f"{PREFIX}DATA_DIR"] = str(wish.data.expanduser().absolute())
    if wish.port is not None:
        host = environ.get(f"{PREFIX}LISTEN", "").strip().rpartition(":")[0] or LOOPBACK
        environ[f"{PREFIX}LISTEN"] = f"{host}:{wish.port}"
    return load("up", environ)


@contextmanager
def installed(
    wish: Wish, *, say: Say, stopping: Event, show: Say | None = None, tick: Callable[[], None] | None = None
) -> Iterator[Running]:
    """Start everything, yield when all processes are ready, and stop everything at the end of the block."""
    if shutil.which("git", path=wish.environ.get("PATH")) is None:
        raise Failure(FAILED, "git is not on PATH, and nothing works without it", hint="install git 2.31 or newer")
    settings = read_settings(wish)
    data = make_data_dir(settings.data_dir)
    read_platform_policy(settings.policy_file)  # its mistakes are told here, not in the logs of three processes
    with place.only_one(data), _ending_on_purpose(stopping):
        ports = place.choose_ports(settings.listen.port, host_of(settings.listen.host), place.read_endpoints(data))
        database = _database(settings, say)
        tree = ProcessTree(data / "logs", say, stopping=stopping, guard=database.guard, show=show, tick=tick)
        try:
            prepared = prepare_now(database.dsn, owner_email=settings.owner_email, local_login=settings.local_login)
            say(f"database ready at schema {prepared.schema}")
            url = _address(settings, ports)
            place.write_endpoints(data, gateway=url, ports=ports)
            _keep_context(wish, url, prepared)
            for spec in child_specs(settings, wish.environ, ports):
                tree.start(spec)
            say(f"starting {', '.join(PROCESSES)}")
            if not tree.wait_ready():
                raise Ended(INTERRUPTED)
            yield Running(settings=settings, url=url, data=data, ports=ports, prepared=prepared, tree=tree)
        finally:
            tree.stop()
            database.stop()


@contextmanager
def _ending_on_purpose(stopping: Event) -> Iterator[None]:
    """Take a failure after Ctrl-C for what it is: Ctrl-C reaches the programs that we start in the foreground, too."""
    try:
        yield
    except StagewrightError as error:
        if stopping.is_set():
            raise Ended(INTERRUPTED) from error
        raise


def _database(settings: Settings, say: Say) -> OwnDatabase | GivenDatabase:
    if settings.database_url is not None:
        return GivenDatabase(settings.database_url)
    say(f"data in {settings.data_dir}")
    database = OwnDatabase(settings.data_dir, say)
    if database.adopted:
        say("the database still ran and is used on")
    return database


def _address(settings: Settings, ports: Ports) -> str:
    """Return where this machine reaches the gateway; the public address may be another."""
    host = ANY_ADDRESS.get(settings.listen.host, settings.listen.host)
    return f"http://{Listen(host, ports.gateway)}"


def _keep_context(wish: Wish, url: str, prepared: Prepared) -> None:
    fields = {
        "host": url,
        "project": prepared.project,
        "token": prepared.token,
        "token_expires_at": prepared.token_expires_at.isoformat(),
    }
    if wish.github_login is not None:
        fields["github_login"] = wish.github_login
    contexts.keep(contexts.config_dir(wish.environ), wish.context, fields)


def child_specs(settings: Settings, environ: Mapping[str, str], ports: Ports) -> list[ChildSpec]:
    """Return the three server processes with the environment each of them needs."""
    common = server_environ(environ) | _addresses(settings, environ, ports)
    metrics = {
        "gateway": ports.gateway_metrics,
        "controlplane": ports.controlplane_metrics,
        "worker": ports.worker_metrics,
    }
    return [
        ChildSpec(
            name=name,
            arguments=(sys.executable, "-m", f"stagewright.processes.{name}"),
            environ=common | {f"{PREFIX}METRICS_LISTEN": f"{LOOPBACK}:{metrics[name]}"},
            ready_url=f"http://{LOOPBACK}:{metrics[name]}/readyz",
        )
        for name in PROCESSES
    ]


def _addresses(settings: Settings, environ: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """Return the listeners, which are ours to choose, and the addresses, unless the person set them."""
    url = _address(settings, ports)
    listeners = {
        "DATA_DIR": str(settings.data_dir),
        "LISTEN": str(Listen(settings.listen.host, ports.gateway)),
        "CONTROLPLANE_LISTEN": f"{LOOPBACK}:{ports.controlplane}",
        "TOOLS_LISTEN": f"{LOOPBACK}:{ports.tools}",
        "RELAY_LISTEN": f"{LOOPBACK}:{ports.relay}",
    }
    followers = {
        "PUBLIC_URL": url,
        "CONTROLPLANE_URL": f"http://{LOOPBACK}:{ports.controlplane}",
        "TOOLS_URL": f"http://{LOOPBACK}:{ports.tools}",
        "RELAY_URL": f"http://{LOOPBACK}:{ports.relay}",
        "TOOLS_ALLOWED_HOSTS": f"{LOOPBACK}:{ports.tools}",
    }
    chosen = listeners | {
        name: value for name, value in followers.items() if not environ.get(PREFIX + name, "").strip()
    }
    return {PREFIX + name: value for name, value in chosen.items()}
