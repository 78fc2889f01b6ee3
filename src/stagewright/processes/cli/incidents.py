"""What the command `incident` does."""

from typing import TYPE_CHECKING

from stagewright.processes.cli.ids import project_id
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (
    Column("id", kind="id"),
    Column("level"),
    Column("code"),
    Column("count", kind="whole", drop=3),
    Column("last_seen", kind="time", title="last seen"),
    Column("source", drop=2),
    Column("message", drop=1),
    Column("first_seen", kind="time", wide=True),
    Column("run_id", kind="whole", wide=True),
)


def list_incidents(call: "Call", *, state: str, all_projects: bool) -> None:
    """List incidents of the chosen project, or of all."""
    wanted = call.wanted
    project = None if all_projects else project_id(call)
    found = call.client().items(
        "/incidents", limit=wanted["limit"], cursor=wanted.get("cursor"), state=state, project=project
    )
    call.output().items(found.found, COLUMNS, empty="no incidents")
