"""What the commands `context`, `login`, `logout` and `auth` do: contexts, and the tokens in them."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import contexts
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.confirm import confirmed
from stagewright.processes.cli.exits import NOT_FOUND, SIGN_IN, USAGE, Failure, Problem
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.target import Target, checked_host, chosen_context, variable

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

CONTEXTS = (
    Column("current", title=" "),
    Column("name"),
    Column("host"),
    Column("project"),
    Column("signed_in", title="signed in"),
    Column("token_expires_at", kind="time", title="until", drop=1),
)
STATUS = (
    Column("host"),
    Column("context"),
    Column("email"),
    Column("role"),
    Column("github_login"),
    Column("scopes"),
    Column("token"),
    Column("token_expires_at", kind="time"),
    Column("fresh"),
)
TOKENS = (
    Column("id", kind="id"),
    Column("name"),
    Column("scopes"),
    Column("created_at", kind="time", drop=2),
    Column("expires_at", kind="time"),
    Column("revoked_at", kind="time", drop=1),
    Column("last_used_at", kind="time", drop=3),
)


def list_contexts(call: "Call") -> None:
    """List the contexts without their tokens."""
    document = contexts.read(contexts.config_dir(call.environ))
    rows = [
        {
            "current": "*" if name == document["current"] else "",
            "name": name,
            "host": entry.get("host"),
            "project": entry.get("project"),
            "signed_in": "token" in entry,
            "token_expires_at": entry.get("token_expires_at"),
        }
        for name, entry in sorted(document["contexts"].items())
    ]
    call.output().items(rows, CONTEXTS, empty="no context yet: `stagewright up` or `stagewright login` makes one")


def print_current(call: "Call") -> None:
    """Print which context is used."""
    name, _ = chosen_context(call)
    if name is None:
        raise Failure(NOT_FOUND, "no context is in use", hint="stagewright context list")
    print(name)


def set_context(
    call: "Call", name: str, *, host: str | None, project: str | None, ca_file: str | None, insecure: bool | None
) -> None:
    """Make or change a context; a new host loses the token of the old one."""
    folder = contexts.config_dir(call.environ)
    entry = contexts.read(folder)["contexts"].get(name, {})
    allowed = insecure if insecure is not None else bool(entry.get("insecure"))
    fields: dict[str, Any] = {}
    if host is not None:
        fields["host"] = checked_host(host, insecure=allowed)
        if fields["host"] != entry.get("host"):
            fields |= {"token": None, "token_expires_at": None}
    elif not entry:
        raise Failure(USAGE, f"there is no context {name!r} yet: a new one needs --host URL")
    given = {"project": project, "ca_file": ca_file, "insecure": insecure}
    fields |= {key: value for key, value in given.items() if value is not None}
    contexts.keep(folder, name, fields)


def login(call: "Call", *, host: str | None, name: str | None) -> None:
    """Keep a token from stdin after the server has said whose it is."""
    token = sys.stdin.readline().strip()
    if not token:
        raise Failure(USAGE, "--with-token: nothing on stdin", hint="stagewright login --with-token < token.txt")
    chosen, entry = chosen_context(call)
    where = host or call.host or variable(call.environ, "HOST") or entry.get("host")
    if not where:
        raise Failure(USAGE, "--host: which server?", hint="stagewright login --host URL --with-token < token.txt")
    address = checked_host(where, insecure=bool(entry.get("insecure")))
    with closing(Client(Target(address, token, None, None, entry.get("ca_file"), None), debug=call.debug)) as client:
        me = client.get("/me")
    own = chosen if chosen and entry.get("host") in (None, address) else None
    known = name or own or address.partition("://")[2].replace(":", "-")
    until = (me.get("token") or {}).get("expires_at")
    fields = {"host": address, "token": token, "token_expires_at": until}
    contexts.keep(contexts.config_dir(call.environ), known, fields, use=True)
    tell(f"signed in at {address} as {me['email']}; context {known}")


def logout(call: "Call", *, keep_token: bool) -> None:
    """Revoke the context's token and forget it."""
    name, entry = chosen_context(call)
    if name is None or not entry.get("token"):
        raise Failure(SIGN_IN, "not signed in, so there is nothing to sign out of")
    if not keep_token:
        _revoke_own(call)
    contexts.keep(contexts.config_dir(call.environ), name, {"token": None, "token_expires_at": None})
    tell(f"signed out of {entry.get('host')}" + (" here; the token stays valid" if keep_token else ""))


def _revoke_own(call: "Call") -> None:
    client = call.client()
    try:
        token = client.get("/me").get("token")
        if token is not None:
            client.request("DELETE", f"/me/tokens/{token['id']}")
    except Problem as problem:
        if problem.code != SIGN_IN:  # a token that does not count any more needs no revoking
            raise


def show_status(call: "Call") -> None:
    """Show who we are on the server."""
    me = call.client().get("/me")
    token = me.get("token") or {}
    shown = {
        "host": call.target.host,
        "context": call.target.context,
        "email": me["email"],
        "role": me["role"],
        "github_login": me.get("github_login"),
        "scopes": me.get("scopes"),
        "token": token.get("name"),
        "token_expires_at": token.get("expires_at"),
        "fresh": me.get("fresh"),
    }
    call.output().one(shown, STATUS)
    warn_of_expiry(token.get("expires_at"))


def warn_of_expiry(expires_at: str | None) -> None:
    """Say when the token ends within three days."""
    if expires_at is None:
        return
    left = datetime.fromisoformat(expires_at) - datetime.now(UTC)
    if left.days < 3:
        tell(f"warning: the token expires at {expires_at}; `stagewright login` makes another")


def list_tokens(call: "Call") -> None:
    """List the person's API tokens."""
    wanted = call.wanted
    found = call.client().items("/me/tokens", limit=wanted["limit"], cursor=wanted.get("cursor"))
    call.output().items(found.found, TOKENS)


def revoke_token(call: "Call", token: str, *, yes: bool) -> None:
    """Revoke one of the person's tokens, named by id, prefix or name."""
    known = call.client().items("/me/tokens", limit=1000).found
    live = [item for item in known if not item.get("revoked_at")]
    found = [item for item in live if str(item["id"]).startswith(token) or item["name"] == token]
    if len(found) != 1:
        names = ", ".join(f"{item['name']} ({item['id']})" for item in live) or "none"
        raise Failure(NOT_FOUND if not found else USAGE, f"{token!r} names no one live token; live: {names}")
    confirmed(call, f"Revoke the token {found[0]['name']}? It counts nowhere from then on.", yes=yes)
    call.client().request("DELETE", f"/me/tokens/{found[0]['id']}")
    tell(f"revoked {found[0]['name']}")
