"""What the command `credential` does."""

from typing import TYPE_CHECKING

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.confirm import secret_from
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


def _level(call: "Call", *, platform: bool) -> str:
    return "/platform/credentials" if platform else f"/projects/{project_id(call, needed=True)}/credentials"
