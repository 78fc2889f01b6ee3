"""What the command `repo` does. `demo` binds its practice repository through the same functions."""

import sys
from collections.abc import Mapping
from functools import cache as cache_once
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from stagewright.processes.cli import cache
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.confirm import acted, agreed, confirmed, named, reason_of, secret_from, show_preview
from stagewright.processes.cli.exits import USAGE, Failure, Problem
from stagewright.processes.cli.ids import find_repository, project_id
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (
    Column("full_name", title="name"),
    Column("state"),
    Column("health", drop=2),
    Column("binding", drop=3),
    Column("default_branch", title="branch", drop=4),
    Column("scanned_at", kind="time", title="looked at", drop=1),
    Column("id", kind="whole", wide=True),
    Column("web_url", wide=True),
    Column("api_url", wide=True),
)
VIEW = (*COLUMNS, Column("bound_at", kind="time", title="bound"))
BOUND = (
    Column("full_name", title="bound"),
    Column("id"),
    Column("default_branch", title="branch"),
    Column("health"),
    Column("labels"),
)
ROTATED = (Column("full_name", title="rotated"), Column("id"), Column("version"))
ALREADY_BOUND = "repository.already_bound"
UNBOUND = (Column("full_name", title="unbound"), Column("id"), Column("unbound_at", kind="time", title="at"))


def list_repositories(call: "Call") -> None:
    """List the project's repositories."""
    wanted, project = call.wanted, project_id(call, needed=True)
    path = f"/projects/{project}/repositories"
    found = call.client().items(path, limit=wanted["limit"], cursor=wanted.get("cursor"))
    rows = [(str(item["full_name"]), str(item["state"])) for item in found]
    cache.remember(call.environ, "repositories", call.target.host, rows)
    call.output().items(
        found.found, COLUMNS, empty="no repository yet: `stagewright repo add OWNER/NAME --token-stdin`"
    )


def view_repository(call: "Call", name: str) -> None:
    """Show a repository."""
    call.output().one(find_repository(call, name), VIEW)


def add_repository(
    call: "Call",
    name: str,
    *,
    api_url: str | None,
    token_stdin: bool,
    app_id: int | None,
    installation_id: int | None,
    key_file: str | None,
) -> None:
    """Bind a repository, with a token or an App."""
    access = _access(token_stdin, app_id, installation_id, key_file)
    project = project_id(call, needed=True)
    login = call.target.github_login
    try:
        bound = bind(call.client(), str(project), name, access=access, api_url=api_url, owner_login=login)
    except Problem as problem:
        if problem.problem_code != ALREADY_BOUND or login is None:
            raise
        call.output().one(find_repository(call, name), VIEW)
        tell(f"{name} is bound already and stays as it is; labels that {login} sets there count as yours now")
        return
    call.output().one(bound, BOUND, webhook_lines(bound))
    if call.target.github_login is None:
        tell("hint: nobody's labels count before the owner's account is known: `stagewright up --github-login NAME`")


def remove_repository(call: "Call", name: str, *, confirm: str | None, reason: str | None, dry_run: bool) -> None:
    """Unbind a repository after its exact name was typed."""
    known = find_repository(call, name)
    full_name, client = str(known["full_name"]), call.client()
    path = f"/projects/{known['project_id']}/repositories/{known['id']}"
    what = call.said("unbinding {name}:", name=full_name)
    seen: dict[str, str] = {}

    def preview() -> Any:
        seen["If-Match"] = f'"{client.get(path)["version"]}"'
        return client.request("DELETE", path, params={"preview": 1}).json()

    @cache_once
    def words() -> dict[str, str]:
        typed = {"confirm_name": named(call, full_name, confirm)}
        why = reason_of(call, reason, yes=confirm is not None)
        return typed if why is None else {**typed, "reason": why}

    def act(token: str) -> Any:
        body = {"confirm_token": token, **words()}
        return client.request("DELETE", path, body=body, headers=seen).json()

    if dry_run:
        show_preview(call, what, preview())
        tell(call.said("nothing was applied"))
        return
    call.output().one(acted(call, what, preview, words, act), UNBOUND)


def turn_repository(call: "Call", name: str, *, state: str, reason: str | None, yes: bool, dry_run: bool) -> None:
    """Enable or disable a repository after its preview was agreed to."""
    known = find_repository(call, name)
    client, path = call.client(), f"/projects/{known['project_id']}/repositories/{known['id']}"
    words = {"enabled": "enabling {name}:", "disabled": "disabling {name}:"}
    what = call.said(words[state], name=known["full_name"])
    seen: dict[str, str] = {}

    def preview() -> Any:
        seen["If-Match"] = f'"{client.get(path)["version"]}"'
        return client.request("PATCH", path, params={"preview": 1}, body={"state": state}).json()

    @cache_once
    def why() -> dict[str, str]:
        given = reason_of(call, reason, yes=yes)
        return {} if given is None else {"reason": given}

    def act(token: str) -> Any:
        body = {"state": state, "confirm_token": token, **why()}
        return client.request("PATCH", path, body=body, headers=seen).json()

    if dry_run:
        show_preview(call, what, preview())
        tell(call.said("nothing was applied"))
        return
    call.output().one(acted(call, what, preview, lambda: agreed(call, yes=yes, reason=reason), act), VIEW)


def rotate_webhook_secret(call: "Call", name: str, *, yes: bool) -> None:
    """Make a new secret for the repository's webhook and show it once."""
    known = find_repository(call, name)
    question = f"Make a new webhook secret for {known['full_name']}? The present one counts until the next rotation."
    confirmed(call, question, yes=yes)
    client, path = call.client(), f"/projects/{known['project_id']}/repositories/{known['id']}"
    headers = {"If-Match": f'"{client.get(path)["version"]}"', "Idempotency-Key": str(uuid4())}
    made = client.request("POST", f"{path}:rotate-webhook-secret", body={}, headers=headers).json()
    call.output().one(made, ROTATED, secret_lines(made))


def secret_lines(made: Mapping[str, Any]) -> list[str]:
    """Say where the new secret goes. It is shown this once."""
    return [
        "",
        "Put it in place of the webhook's secret at the forge:",
        f"  Payload URL:   {made['webhook_url']}",
        f"  Secret:        {made['webhook_secret']}    (shown this once)",
        "",
        "The secret before counts until the next rotation; rotate twice when it became known to others.",
    ]


def bind(
    client: Client, project: str, name: str, *, access: Mapping[str, Any], api_url: str | None, owner_login: str | None
) -> dict[str, Any]:
    """Bind ``name`` to the project; return the answer with the webhook's address and secret."""
    if name.count("/") != 1 or not all(name.split("/")):
        raise Failure(USAGE, f"OWNER/NAME: {name!r} must be written owner/name")
    body: dict[str, Any] = {"full_name": name, **access}
    if api_url is not None:
        body["api_url"] = api_url
    if owner_login is not None:
        body["owner_login"] = owner_login
    bound: dict[str, Any] = client.post(f"/projects/{project}/repositories", body)
    return bound


def webhook_lines(bound: Mapping[str, Any]) -> list[str]:
    """Say what to enter as webhook. The secret is shown this once."""
    return [
        "",
        "Add this webhook in the repository's settings (or leave it away: labels are looked at every few minutes):",
        f"  Payload URL:   {bound['webhook_url']}",
        "  Content type:  application/json",
        f"  Secret:        {bound['webhook_secret']}    (shown this once)",
        f"  Events:        {', '.join(bound.get('webhook_events') or ())}",
        "",
        f"{bound.get('labels', 0)} labels are being created; labels that exist stay.",
    ]


def _access(token_stdin: bool, app_id: int | None, installation_id: int | None, key_file: str | None) -> dict[str, Any]:
    app = (app_id, installation_id, key_file)
    if token_stdin == any(item is not None for item in app):
        raise Failure(
            USAGE,
            "how is the repository reached? Give either --token-stdin, or --app-id, --installation-id and --key-file",
        )
    if token_stdin:
        if sys.stdin.isatty():
            tell("paste the token, then Ctrl-D:")
        return {"token": secret_from(True, None, what="--token-stdin")}
    if None in app:
        raise Failure(USAGE, "a GitHub App needs all of --app-id, --installation-id and --key-file")
    key = secret_from(False, key_file, what="--key-file")
    return {"app": {"app_id": app_id, "installation_id": installation_id, "private_key": key}}
