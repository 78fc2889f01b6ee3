"""What the command `label` does."""

from typing import TYPE_CHECKING

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.ids import find_repository
from stagewright.processes.cli.present.table import Column

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (
    Column("text", title="label", kind="whole"),
    Column("state"),
    Column("label_class", title="class", drop=2),
    Column("threads", title="on", drop=3),
    Column("description", drop=1),
    Column("known_text", title="there as", wide=True),
    Column("color", wide=True),
    Column("key", kind="whole", wide=True),
)


def list_labels(call: "Call", name: str) -> None:
    """List the catalogue's labels with their state."""
    repository = find_repository(call, name)
    path = f"/projects/{repository['project_id']}/repositories/{repository['id']}/labels"
    call.output().items(call.client().get(path)["items"], COLUMNS)


def sync_labels(call: "Call", name: str, *, dry_run: bool) -> None:
    """Have the worker create and mend labels."""
    repository = find_repository(call, name)
    path = f"/projects/{repository['project_id']}/repositories/{repository['id']}:sync-labels"
    done = call.client().post(path, dry_run=dry_run or None)
    call.output().items(done["labels"], COLUMNS)
    tell(
        "nothing was applied"
        if dry_run
        else "the worker creates and mends them; `stagewright label list` shows how far"
    )
