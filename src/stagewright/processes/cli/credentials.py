"""What the command `credential` does."""

from functools import cache as cache_once
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import acted, named, secret_from, show_preview
from stagewright.processes.cli.ids import project_id
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (
    Column("purpose"),
    Column("scope", drop=3),
    Column("kind"),
    Column("state"),
    Column("login", drop=2),
    Column("fingerprint", drop=4),
    Column("created_at", kind="time", title="stored", drop=1),
    Column("base_url", wide=True),
    Column("checked_at", kind="time", wide=True),
)
DELETED = (Column("purpose", title="deleted"), Column("scope"), Column("id"))
MODEL = "model:"


def list_credentials(call: "Call", *, platform: bool) -> None:
    """List credentials of the project or the platform."""
    found = call.client().get(_level(call, platform=platform))
    call.output().items(found["items"], COLUMNS, empty="no credential is stored here")


def set_credential(
    call: "Call", purpose: str, *, stdin: bool, from_file: str | None, base_url: str | None, platform: bool
) -> None:
    """Store a credential."""
    secret = secret_from(stdin, from_file, what="the value")
    kind = "api_key" if purpose.startswith(MODEL) else "token"
    body = {"kind": kind, "secret": secret, **({} if base_url is None else {"base_url": base_url})}
    stored = call.client().request("PUT", f"{_level(call, platform=platform)}/{purpose}", body=body).json()
    call.output().one(stored, COLUMNS)
    tell(f"stored the credential {purpose}; its value is sealed and never shown")


def check_credential(call: "Call", purpose: str, *, platform: bool) -> None:
    """Have the forge asked whether a credential counts."""
    checked = call.client().post(f"{_level(call, platform=platform)}/{purpose}:check")
    call.output().one(checked, COLUMNS)


def delete_credential(call: "Call", purpose: str, *, platform: bool, confirm: str | None, dry_run: bool) -> None:
    """Delete a credential after its purpose was typed."""
    client, path = call.client(), f"{_level(call, platform=platform)}/{purpose}"
    what = call.said("deleting the credential {name}:", name=purpose)
    seen: dict[str, str] = {}

    def preview() -> Any:
        seen["If-Match"] = f'"{client.get(path)["version"]}"'
        return client.request("DELETE", path, params={"preview": 1}).json()

    @cache_once
    def words() -> dict[str, str]:
        return {"confirm_name": named(call, purpose, confirm)}

    def act(token: str) -> Any:
        return client.request("DELETE", path, body={"confirm_token": token, **words()}, headers=seen).json()

    if dry_run:
        show_preview(call, what, preview())
        tell(call.said("nothing was applied"))
        return
    call.output().one(acted(call, what, preview, words, act), DELETED)


def _level(call: "Call", *, platform: bool) -> str:
    return "/platform/credentials" if platform else f"/projects/{project_id(call, needed=True)}/credentials"
