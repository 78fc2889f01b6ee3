"""What `doctor` looks at. Each check says pass, warn or fail, and what to do; one failure does not hide the others."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import build, versions
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.exits import FAILED, FORBIDDEN, NOT_FOUND, Ended, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

PASS, WARN, FAIL = "pass", "warn", "fail"
SYMBOLS = {PASS: "✓", WARN: "!", FAIL: "✗"}
MOST_SKEW = 30.0  # seconds
LEAST_GIT = (2, 31)
ENGINES = ("codex", "claude")
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
    yield from _engines()
    yield _data()


def _server(call: "Call") -> Iterator[Finding]:
    try:
        target = call.target
    except Failure as failure:
        yield Finding("server", FAIL, failure.message, failure.hint)
        return
    client = Client(target, debug=call.debug)
    try:
        answer = client.request("GET", "/meta")
    except Failure as failure:
        kind = "token" if getattr(failure, "status", None) else "server"
        yield Finding(kind, FAIL, f"{target.host}: {failure.message}", failure.hint)
        return
    yield Finding("server", PASS, f"{target.host} answers" + (" over TLS" if target.host.startswith("https") else ""))
    yield _clock(answer.headers.get("date", ""))
    yield _version(str(answer.json().get("version", "")))
    yield from _token(client)
    yield from _processes(client)
    yield from _feed(client)


def _clock(date: str) -> Finding:
    try:
        skew = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return Finding("clock", WARN, "the server does not tell its time")
    if skew > MOST_SKEW:
        return Finding("clock", WARN, f"this clock and the server's are {skew:.0f} s apart", "set both by NTP")
    return Finding("clock", PASS, f"within {max(1, round(skew))} s of the server's")


def _version(server: str) -> Finding:
    try:
        versions.compare(build.VERSION, server)
    except Failure as failure:
        return Finding("version", FAIL, failure.message, failure.hint)
    same = server == build.VERSION
    return Finding("version", PASS if same else WARN, f"client {build.VERSION}, server {server}")


def _token(client: Client) -> Iterator[Finding]:
    me: Mapping[str, Any] = client.get("/me")
    scopes = ", ".join(me.get("scopes") or ())
    yield Finding("token", PASS, f"{me['email']}, {me['role']}; scopes {scopes}")
    if me["role"] == "owner" and not me.get("github_user_id"):
        remedy = "`stagewright up --github-login NAME`, then `stagewright repo add`"
        yield Finding("forge account", WARN, "nobody knows your forge account: your labels start nothing", remedy)


def _processes(client: Client) -> Iterator[Finding]:
    """Ask the server about its own processes, where it tells and we may know."""
    try:
        found = client.get("/system")
    except Failure as failure:
        if failure.code not in (FORBIDDEN, NOT_FOUND):
            yield Finding("processes", WARN, failure.message)
        return
    for item in found.get("processes") or ():
        name = str(item.get("process") or item.get("name") or "process")
        alive = item.get("alive", True)
        yield Finding(
            name, PASS if alive else FAIL, "runs" if alive else "does not run", "" if alive else "see its log"
        )


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


def _engines() -> Iterator[Finding]:
    for name in ENGINES:
        said = _said(name, "--version")
        if said is None:
            yield Finding(f"engine {name}", WARN, "not on PATH", "only needed where runs use it on this machine")
        else:
            yield Finding(f"engine {name}", PASS, said)


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
    try:
        load("stagewright.kit.postgres.account:find_account")()
    except Exception as error:  # whatever the wheel says is the finding
        return Finding("database", FAIL, str(error), "or set STAGEWRIGHT_DATABASE_URL")
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        return Finding("database", FAIL, f"{parent} cannot be written", "set STAGEWRIGHT_DATA_DIR")
    free = shutil.disk_usage(parent).free // 2**20
    if free < 1024:
        return Finding("database", WARN, f"{folder}: {free} MiB left on the disk", "make room")
    return Finding("database", PASS, f"embedded, in {folder}")
