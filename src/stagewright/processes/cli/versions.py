"""Whether client and server fit together: the same major is needed, another minor is worth a word."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import build, cache
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.contexts import config_dir, read
from stagewright.processes.cli.exits import FAILED, Failure, Problem
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.target import chosen_context, variable

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

NO_SUCH_PATH = 404
COLUMNS = (Column("client"), Column("server"), Column("host"))


def show(call: "Call", *, offline: bool) -> None:
    """Print both versions; a server of another major is a failure that names what to install."""
    meta: dict[str, Any] = {} if offline or not _knows_a_server(call) else call.client().get("/meta")
    difference(meta)
    host = call.target.host if meta else None
    call.output().one({"client": build.VERSION, "server": meta.get("version"), "host": host}, COLUMNS)


def look(call: "Call") -> None:
    """Compare with the server once a day: warn of another minor, refuse another major.

    Only an answer counts as a look; what a server says that is away or refuses is for the command itself to meet.
    """
    try:
        meta = call.client().get("/meta")
    except Problem as problem:
        if problem.status != NO_SUCH_PATH:
            return
        meta = {}
    except Failure:
        return
    if warning := difference(meta):
        tell(f"warning: {warning}")
    cache.note_look(call.environ, call.target.host)


def difference(meta: Mapping[str, Any]) -> str:
    """Say how the server's API differs by a minor version; raise ``Failure`` for another major."""
    if not isinstance(meta.get("api_version"), str):
        return ""
    ours, theirs = build.API_VERSION.split("."), str(meta["api_version"]).split(".")
    versions = f"this client is {build.VERSION} (API {build.API_VERSION}), the server {meta['version']}"
    versions += f" (API {meta['api_version']})"
    if ours[0] != theirs[0]:
        hint = f"pip install 'stagewright=={meta['version']}'"
        raise Failure(FAILED, f"{versions}: they do not understand each other", hint=hint)
    return "" if ours == theirs else f"{versions}; some commands may be unknown to one of them"


def _knows_a_server(call: "Call") -> bool:
    if call.host or variable(call.environ, "HOST"):
        return True
    if not read(config_dir(call.environ))["contexts"]:
        return False
    return bool(chosen_context(call)[1].get("host"))
