"""What `doctor` looks at. Each check says pass, warn or fail, and what to do; one failure does not hide the others."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagewright.kit.errors import StagewrightError
from stagewright.processes.cli import build, versions
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.exits import FAILED, FORBIDDEN, NOT_FOUND, SIGN_IN, Ended, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.adapters.engines.pins import Pin
    from stagewright.processes.cli.call import Call

PASS, WARN, FAIL = "pass", "warn", "fail"
SYMBOLS = {PASS: "✓", WARN: "!", FAIL: "✗"}
MOST_SKEW = 30.0  # seconds
LEAST_GIT = (2, 31)
NUMBERS = re.compile(r"\d+\.\d+\.\d+[0-9A-Za-z.+-]*")
COLUMNS = (
    Column("result", of=lambda item: f"{SYMBOLS[item['result']]} {item['result']}"),
    Column("check", kind="whole"),
    Column("found"),
    Column("remedy"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    result: str
    found: str
    remedy: str = ""


def examine(call: "Call") -> None:
    """Run all checks and print them; end with 1 when one fails."""
    findings = list(_all(call))
    call.output().items([asdict(item) for item in findings], COLUMNS)
    if any(item.result == FAIL for item in findings):
        raise Ended(FAILED)


def _all(call: "Call") -> Iterator[Finding]:
    yield from _server(call)
    yield _git()
    yield from examine_engines()
    yield _data()


def _server(call: "Call") -> Iterator[Finding]:
    try:
        client, target = call.client(), call.target
        answer = client.request("GET", "/meta")
    except Failure as failure:
        yield Finding("token" if failure.code == SIGN_IN else "server", FAIL, failure.message, failure.hint)
        return
    yield Finding("server", PASS, f"{target.host} answers" + (" over TLS" if target.host.startswith("https") else ""))
    yield _clock(answer.headers.get("date", ""))
    yield _version(answer.json())
    yield from _token(client)
    yield from _system(client)
    yield from _feed(client)


def _clock(date: str) -> Finding:
    try:
        skew = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return Finding("clock", WARN, "the server does not tell its time")
    if skew > MOST_SKEW:
        return Finding("clock", WARN, f"this clock and the server's are {skew:.0f} s apart", "set both by NTP")
    return Finding("clock", PASS, f"within {max(1, round(skew))} s of the server's")


def _version(meta: Mapping[str, Any]) -> Finding:
    try:
        warning = versions.difference(meta)
    except Failure as failure:
        return Finding("version", FAIL, failure.message, failure.hint)
    return Finding("version", WARN if warning else PASS, warning or f"client and server speak API {build.API_VERSION}")


def _token(client: Client) -> Iterator[Finding]:
    me: Mapping[str, Any] = client.get("/me")
    scopes = ", ".join(me.get("scopes") or ())
    yield Finding("token", PASS, f"{me['email']}, {me['role']}; scopes {scopes}")
    if me["role"] == "owner" and not me.get("github_user_id"):
        remedy = "`stagewright up --github-login NAME`, then `stagewright repo add`"
        yield Finding("forge account", WARN, "nobody knows your forge account: your labels start nothing", remedy)


def _system(client: Client) -> Iterator[Finding]:
    """Ask the server how it is, where we may know."""
    try:
        found: Mapping[str, Any] = client.get("/system")
    except Failure as failure:
        if failure.code not in (FORBIDDEN, NOT_FOUND):
            yield Finding("system", WARN, failure.message)
        return
    alive = sorted({item["kind"] for item in found["processes"] if not item["missed_at"]})
    if "worker" in alive:
        yield Finding("processes", PASS, ", ".join(alive))
    else:
        yield Finding("processes", FAIL, "no worker runs: nothing moves", "start one: `stagewright serve worker`")
    schema = found["db_schema"]
    same = schema["database"] == schema["program"]
    words = f"database at {schema['database']}, program at {schema['program']}"
    yield Finding("schema", PASS, words) if same else Finding("schema", FAIL, words, "`stagewright db migrate`")
    deliveries = found["deliveries"]
    last = f"last webhook {deliveries['last_received_at'] or 'never'}, {deliveries['pending']} waiting"
    yield Finding("webhooks", PASS, last)
    for limit in found["forge_limits"]:
        if limit["blocked_until"]:
            yield Finding(
                "forge limit", WARN, f"{limit['bucket']} until {limit['blocked_until']}", "it opens by itself"
            )
    if opened := sum(found["incidents_open"].values()):
        yield Finding("incidents", WARN, f"{opened} open", "`stagewright incident list --all-projects`")


def _feed(client: Client) -> Iterator[Finding]:
    try:
        client.poll({"last_event_id": None, "topics": ["runs"], "logs": {}})
    except Failure as failure:
        yield Finding("feed", FAIL, failure.message, failure.hint)
    else:
        yield Finding("feed", PASS, "polling works")


def _git() -> Finding:
    said = _said("git", "--version")
    if said is None:
        return Finding("git", FAIL, "git is not on PATH", "install git 2.31 or newer")
    numbers = tuple(int(part) for part in said.split()[2].split(".")[:2] if part.isdigit())
    if numbers < LEAST_GIT:
        return Finding("git", FAIL, said, "install git 2.31 or newer")
    return Finding("git", PASS, said)


def examine_engines() -> Iterator[Finding]:
    """Compare each agent CLI of this machine with the version that runs insist on."""
    pins: Mapping[str, Pin] = load("stagewright.adapters.engines.pins:PINS")
    for pin in pins.values():
        check, said = f"engine {pin.name}", _said(pin.name, "--version")
        found = NUMBERS.search(said or "")
        if found is None:
            remedy = f"only needed where runs use it on this machine: `{pin.install()}`"
            yield Finding(check, WARN, "tells no version" if said else "not on PATH", remedy)
        elif found[0] != pin.version:
            yield Finding(check, WARN, f"{found[0]}; runs here insist on {pin.version}", f"`{pin.install()}`")
        else:
            yield Finding(check, PASS, pin.version)


def _said(program: str, *arguments: str) -> str | None:
    found = shutil.which(program)
    if found is None:
        return None
    try:
        done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=15, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout.strip() or done.stderr.strip()).splitlines()[0] if done.returncode == 0 else None


def _data() -> Finding:
    """Look at the embedded database's folder without starting anything."""
    if os.environ.get("STAGEWRIGHT_DATABASE_URL", "").strip():
        return Finding("database", PASS, "STAGEWRIGHT_DATABASE_URL names a server")
    default: Callable[[], Path] = load("stagewright.kit.settings:data_dir_default")
    given = os.environ.get("STAGEWRIGHT_DATA_DIR", "").strip()
    folder = Path(given) if given else default()
    if os.geteuid() != 0:  # as root the database gets a system user of its own, made when it is needed
        try:
            load("stagewright.kit.postgres.account:find_account")()
        except StagewrightError as error:
            return Finding("database", FAIL, error.message, "or set STAGEWRIGHT_DATABASE_URL")
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        return Finding("database", FAIL, f"{parent} cannot be written", "set STAGEWRIGHT_DATA_DIR")
    free = shutil.disk_usage(parent).free // 2**20
    if free < 1024:
        return Finding("database", WARN, f"{folder}: {free} MiB left on the disk", "make room")
    return Finding("database", PASS, f"embedded, in {folder}")
