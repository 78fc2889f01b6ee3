"""Which server, token and project a call is about: flag, then variable, then context."""

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from stagewright.processes.cli import contexts
from stagewright.processes.cli.exits import SIGN_IN, USAGE, Failure

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

VARIABLES = "STAGEWRIGHT_CLI_"


class Target(NamedTuple):
    """Where requests go, and as whom. The token is a secret: it is never printed."""

    host: str
    token: str | None
    project: str | None
    context: str | None
    ca_file: str | None
    github_login: str | None


def variable(environ: Mapping[str, str], name: str) -> str | None:
    """Return one of the client's own variables; empty counts as unset."""
    return environ.get(VARIABLES + name, "").strip() or None


def find_target(call: "Call") -> Target:
    """Put flags, variables and the context together. Raise ``Failure`` when no server is known."""
    name, entry = chosen_context(call)
    given = call.host or variable(call.environ, "HOST")
    host = given or entry.get("host")
    if not host:
        raise Failure(
            SIGN_IN,
            "no server is known",
            hint="`stagewright up` starts one here; `stagewright login --host URL --with-token` uses another",
        )
    own = given is None or _same(given, entry.get("host"))  # a context's token goes to the context's host only
    return Target(
        host=checked_host(host, insecure=bool(own and entry.get("insecure"))),
        token=variable(call.environ, "TOKEN") or (entry.get("token") if own else None),
        project=call.project or variable(call.environ, "PROJECT") or entry.get("project"),
        context=name,
        ca_file=entry.get("ca_file") if own else None,
        github_login=entry.get("github_login") if own else None,
    )


def chosen_context(call: "Call") -> tuple[str | None, Mapping[str, Any]]:
    """Return the context's name and fields; an unknown name is a ``Failure``, no context at all is not."""
    document = contexts.read(contexts.config_dir(call.environ))
    name = call.context or variable(call.environ, "CONTEXT")
    if name is not None and name not in document["contexts"]:
        raise contexts.unknown_context(name, document)
    name = name or document["current"]
    return name, document["contexts"].get(name, {})


def checked_host(text: str, *, insecure: bool) -> str:
    """Return the origin of a server. Raise ``Failure`` for what is none, and for plain HTTP beyond this machine."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise Failure(USAGE, f"--host: {text!r} is no address of a server; write https://host[:port]")
    if parts.username or parts.password:
        raise Failure(USAGE, "--host: an address holds no credentials; use `stagewright login --with-token`")
    if parts.scheme == "http" and not _is_loopback(parts.hostname) and not insecure:
        raise Failure(
            USAGE,
            f"{text} is plain HTTP: the token would be readable on the way",
            hint="use https://, or `stagewright context set NAME --insecure` if you know the network",
        )
    return f"{parts.scheme}://{parts.netloc}"


def _same(one: str, other: Any) -> bool:
    return isinstance(other, str) and one.rstrip("/") == other.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
