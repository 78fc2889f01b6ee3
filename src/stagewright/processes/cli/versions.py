"""Whether client and server fit together: the same major is needed, another minor is worth a word."""

from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import build
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.contexts import config_dir, read
from stagewright.processes.cli.exits import FAILED, Failure
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.target import chosen_context, variable

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (Column("client"), Column("server"), Column("host"))


def show(call: "Call", *, offline: bool) -> None:
    """Print both versions; a server of another major is a failure that names what to install."""
    server = None if offline or not _knows_a_server(call) else server_version(call)
    host = call.target.host if server else None
    call.output().one({"client": build.VERSION, "server": server, "host": host}, COLUMNS)
    if server is not None:
        compare(build.VERSION, server)


def server_version(call: "Call") -> str:
    """Ask the server for its version."""
    found: dict[str, Any] = call.client().get("/meta")
    return str(found["version"])


def compare(client: str, server: str) -> None:
    """Warn about another minor; raise ``Failure`` for another major."""
    ours, theirs = _numbers(client), _numbers(server)
    if ours[:1] != theirs[:1]:
        message = f"this client is {client}, the server {server}: they do not understand each other"
        raise Failure(FAILED, message, hint=f"pip install 'stagewright=={server}'")
    if ours[:2] != theirs[:2]:
        tell(f"warning: this client is {client}, the server {server}; some commands may be unknown to one of them")


def _numbers(text: str) -> list[str]:
    return text.split(".")


def _knows_a_server(call: "Call") -> bool:
    if call.host or variable(call.environ, "HOST"):
        return True
    if not read(config_dir(call.environ))["contexts"]:
        return False
    return bool(chosen_context(call)[1].get("host"))
