"""The settings of the server processes: the one list of names, their rules, and the embedded mode's own values.

Embedded mode is ``STAGEWRIGHT_DATABASE_URL`` unset. Then nothing is required: root keys are made, listeners are on
loopback, and everything but the gateway takes a free port.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from stagewright.kit.crypto import BadKeys, Keyring
from stagewright.kit.errors import FieldProblem
from stagewright.kit.http.peers import networks
from stagewright.kit.settings import (
    Listen,
    Setting,
    SettingsInvalid,
    absolute_path,
    choice,
    data_dir_default,
    duration,
    flag,
    listen,
    make_data_dir,
    origin,
    postgres_url,
    read,
    text,
    url,
    whole_number,
    words,
)

PREFIX = "STAGEWRIGHT_"
CLI_PREFIX = "STAGEWRIGHT_CLI_"
KEYS_FILE = "root.keys"
POLICY_FILE = "policy.yaml"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LOOPBACK = "127.0.0.1"


def _proxies(given: str) -> tuple[str, ...]:
    found = words(given)
    networks(found)  # malformed ones raise ValueError
    return found


CATALOGUE: Mapping[str, Setting] = {
    "DATABASE_URL": Setting(postgres_url, secret=True),
    "DATA_DIR": Setting(absolute_path),
    "ROOT_KEYS": Setting(Keyring.parse, secret=True),
    "PUBLIC_URL": Setting(origin),
    "LISTEN": Setting(listen, Listen(LOOPBACK, 8080)),
    "CONTROLPLANE_LISTEN": Setting(listen, Listen(LOOPBACK, 8081)),
    "TOOLS_LISTEN": Setting(listen, Listen(LOOPBACK, 8082)),
    "RELAY_LISTEN": Setting(listen, Listen(LOOPBACK, 8083)),
    "CONTROLPLANE_URL": Setting(url),
    "TOOLS_URL": Setting(url),
    "RELAY_URL": Setting(url),
    "TOOLS_ALLOWED_HOSTS": Setting(words, ()),
    "TOOLS_EFFECT_WAIT": Setting(duration(timedelta(seconds=1), timedelta(seconds=20)), timedelta(seconds=10)),
    "METRICS_LISTEN": Setting(listen, Listen(LOOPBACK, 9464)),
    "OWNER_EMAIL": Setting(text),
    "ALLOWED_EMAILS": Setting(words, ()),
    "GITHUB_OAUTH_CLIENT_ID": Setting(text),
    "GITHUB_OAUTH_CLIENT_SECRET": Setting(text, secret=True),
    "TRUSTED_PROXIES": Setting(_proxies, ()),
    "SESSION_IDLE": Setting(duration(MINUTE, DAY), HOUR),
    "SESSION_MAX": Setting(duration(MINUTE, 30 * DAY), 12 * HOUR),
    "CHECKPOINT_DIR": Setting(absolute_path),
    "ALLOW_AMBIENT_LOGIN": Setting(flag, False),
    "FORGE_HOSTS": Setting(words, ()),
    "CANDIDATE_DOMAIN": Setting(text),
    "DNS_RESOLVERS": Setting(words, ()),
    "INGRESS_CLASS": Setting(text),
    "INGRESS_PROFILE": Setting(text, "none"),
    "TLS_MODE": Setting(text),
    "REGISTRY": Setting(text),
    "EGRESS_PROXY": Setting(url),
    "RESERVED_NAMESPACES": Setting(words, ()),
    "ALLOW_UNENFORCED_NETWORK": Setting(flag, False),
    "MAX_LIVE_ENVIRONMENTS": Setting(whole_number(1, 10_000), 20),
    "ENVIRONMENT_MAX_AGE": Setting(duration(HOUR, 365 * DAY), 14 * DAY),
    "TELEGRAM_BOT_TOKEN": Setting(text, secret=True),
    "TELEGRAM_ADAPTER_ID": Setting(text),
    "TELEGRAM_PLATFORM_URL": Setting(url),
    "TELEGRAM_SECRETS_IN": Setting(words, (), secret=True),
    "TELEGRAM_SECRETS_OUT": Setting(words, (), secret=True),
    "TELEGRAM_ALLOWED_CHATS": Setting(words, ()),
    "TELEGRAM_MODE": Setting(choice("poll", "webhook"), "poll"),
    "TELEGRAM_WEBHOOK_SECRET": Setting(text, secret=True),
    "TELEGRAM_PUBLIC_URL": Setting(url),
    "TELEGRAM_LISTEN": Setting(listen, Listen(LOOPBACK, 8090)),
    "TELEGRAM_API_BASE": Setting(url),
    "ATTEMPT_ID": Setting(UUID),
    "GENERATION": Setting(whole_number(0, 10**9)),
    "TOKEN_DIR": Setting(absolute_path),
}
SERVER = frozenset({"ROOT_KEYS", "PUBLIC_URL"})
REQUIRED: Mapping[str, frozenset[str]] = {
    "up": frozenset({"ROOT_KEYS"}),
    "gateway": SERVER,
    "controlplane": SERVER | {"TOOLS_ALLOWED_HOSTS"},
    "worker": SERVER | {"CONTROLPLANE_URL", "TOOLS_URL", "RELAY_URL"},
}
OAUTH_CLIENT = frozenset({"GITHUB_OAUTH_CLIENT_ID", "GITHUB_OAUTH_CLIENT_SECRET"})
WORKLOAD = frozenset({"CONTROLPLANE_URL", "ATTEMPT_ID", "GENERATION", "TOKEN_DIR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server process is told. ``database_url`` is None in embedded mode: the program brings its own.

    In embedded mode ``public_url`` follows ``listen`` and the three URLs for workloads are None until the listeners
    are bound (``with_ports``).
    """

    process: str
    embedded: bool
    database_url: str | None = field(repr=False)
    data_dir: Path
    keyring: Keyring
    public_url: str
    listen: Listen
    controlplane_listen: Listen
    tools_listen: Listen
    relay_listen: Listen
    controlplane_url: str | None
    tools_url: str | None
    relay_url: str | None
    tools_allowed_hosts: tuple[str, ...]
    metrics_listen: Listen
    owner_email: str | None
    allowed_emails: tuple[str, ...]
    github_oauth_client_id: str | None
    github_oauth_client_secret: str | None = field(repr=False)
    trusted_proxies: tuple[str, ...]
    session_idle: timedelta
    session_max: timedelta
    forge_hosts: tuple[str, ...]
    candidate_domain: str | None
    registry: str | None
    ingress_class: str | None
    reserved_namespaces: tuple[str, ...]

    @property
    def policy_file(self) -> Path:
        """Return where the platform's own policy stands, if there is one."""
        return self.data_dir / POLICY_FILE

    @property
    def local_login(self) -> bool:
        """Say whether the owner signs in by a one-time link: no OAuth client, and a loopback listener."""
        return self.github_oauth_client_id is None and self.listen.loopback

    def with_ports(self, *, gateway: int, controlplane: int, tools: int, relay: int) -> "Settings":
        """Return these settings with the ports that the listeners took; addresses not set otherwise follow them."""
        listen, own_public = replace(self.listen, port=gateway), self.public_url == _address(self.listen)
        for_runs = replace(self.controlplane_listen, port=controlplane)
        for_tools = replace(self.tools_listen, port=tools)
        for_models = replace(self.relay_listen, port=relay)
        return replace(
            self,
            listen=listen,
            controlplane_listen=for_runs,
            tools_listen=for_tools,
            relay_listen=for_models,
            public_url=_address(listen) if own_public else self.public_url,
            controlplane_url=self.controlplane_url or _address(for_runs),
            tools_url=self.tools_url or _address(for_tools),
            relay_url=self.relay_url or _address(for_models),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSettings:
    """What the platform tells the runner inside a workload."""

    controlplane_url: str
    attempt_id: UUID
    generation: int
    token_dir: Path


def load(process: str, environ: Mapping[str, str]) -> Settings:
    """Read the settings of ``process``: up, gateway, controlplane or worker.

    Raise ``SettingsInvalid`` with all problems. In embedded mode the data directory and the root keys are made when
    they are missing.
    """
    embedded = not _is_set(environ, "DATABASE_URL")
    required = frozenset() if embedded else REQUIRED[process]
    if any(_is_set(environ, name) for name in OAUTH_CLIENT):
        required |= OAUTH_CLIENT
    values = _read(environ, required)
    data_dir = values["DATA_DIR"] or data_dir_default()
    if embedded:
        _embed(values, environ)
        data_dir = make_data_dir(data_dir)
        values["ROOT_KEYS"] = values["ROOT_KEYS"] or _own_keys(data_dir / KEYS_FILE)
    settings = _settings(process, embedded, data_dir, values)
    if process == "gateway":
        _refuse_plain_http(settings.public_url)
    return settings


def _refuse_plain_http(public_url: str) -> None:
    """Refuse a public address whose sessions anybody on the way could read."""
    parts = urlsplit(public_url)
    if parts.scheme == "https" or Listen(parts.hostname or "", 0).loopback:
        return
    name = f"{PREFIX}PUBLIC_URL"
    message = f"{name}: {public_url} is plain http: use https, or a loopback address such as http://127.0.0.1:8080"
    raise SettingsInvalid((FieldProblem(f"/{name}", "settings.malformed", message),))


def load_workload(environ: Mapping[str, str]) -> WorkloadSettings:
    """Read what the platform set for the runner. Raise ``SettingsInvalid`` with all problems."""
    values = _read(environ, WORKLOAD)
    return WorkloadSettings(
        controlplane_url=values["CONTROLPLANE_URL"],
        attempt_id=values["ATTEMPT_ID"],
        generation=values["GENERATION"],
        token_dir=values["TOKEN_DIR"],
    )


def _read(environ: Mapping[str, str], required: frozenset[str]) -> dict[str, Any]:
    return read(environ, CATALOGUE, prefix=PREFIX, ignored=(CLI_PREFIX,), required=required)


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return any(environ.get(f"{PREFIX}{name}{suffix}", "").strip() for suffix in ("", "_FILE"))


def _embed(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put the embedded mode's defaults: free ports beside the gateway's, and the listener as public address."""
    for name in ("CONTROLPLANE_LISTEN", "TOOLS_LISTEN", "RELAY_LISTEN", "METRICS_LISTEN"):
        if not environ.get(PREFIX + name, "").strip():
            values[name] = replace(values[name], port=0)
    values["PUBLIC_URL"] = values["PUBLIC_URL"] or _address(values["LISTEN"])


def _address(where: Listen) -> str:
    return f"http://{where}"


def _settings(process: str, embedded: bool, data_dir: Path, values: Mapping[str, Any]) -> Settings:
    return Settings(
        process=process,
        embedded=embedded,
        database_url=values["DATABASE_URL"],
        data_dir=data_dir,
        keyring=values["ROOT_KEYS"],
        public_url=values["PUBLIC_URL"] or _address(values["LISTEN"]),
        listen=values["LISTEN"],
        controlplane_listen=values["CONTROLPLANE_LISTEN"],
        tools_listen=values["TOOLS_LISTEN"],
        relay_listen=values["RELAY_LISTEN"],
        controlplane_url=values["CONTROLPLANE_URL"],
        tools_url=values["TOOLS_URL"],
        relay_url=values["RELAY_URL"],
        tools_allowed_hosts=values["TOOLS_ALLOWED_HOSTS"],
        metrics_listen=values["METRICS_LISTEN"],
        owner_email=values["OWNER_EMAIL"],
        allowed_emails=values["ALLOWED_EMAILS"],
        github_oauth_client_id=values["GITHUB_OAUTH_CLIENT_ID"],
        github_oauth_client_secret=values["GITHUB_OAUTH_CLIENT_SECRET"],
        trusted_proxies=values["TRUSTED_PROXIES"],
        session_idle=values["SESSION_IDLE"],
        session_max=values["SESSION_MAX"],
        forge_hosts=values["FORGE_HOSTS"],
        candidate_domain=values["CANDIDATE_DOMAIN"],
        registry=values["REGISTRY"],
        ingress_class=values["INGRESS_CLASS"],
        reserved_namespaces=values["RESERVED_NAMESPACES"],
    )


def _own_keys(path: Path) -> Keyring:
    """Read the embedded installation's root keys, made at the first start. Losing them loses every sealed value."""
    making = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(Keyring.generate() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(making, path)  # fails when another process was quicker: then its keys count
        except FileExistsError:
            pass
        finally:
            making.unlink()
    mode = path.stat().st_mode
    if mode & 0o077:
        raise BadKeys(f"{path} can be read by others: close it with `chmod 600 {path}`")
    return Keyring.parse(path.read_text().strip())
