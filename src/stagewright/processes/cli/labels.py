"""What the command `label` does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.ids import find_repository
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.present.text import safe

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

Item = Mapping[str, Any]


def _drift(label: Item) -> str | None:
    by = f" by {label['changed_by']}" if label.get("changed_by") else ""
    return f"{', '.join(label['drift'])}{by}" if label.get("drift") else None


COLUMNS = (
    Column("text", title="label", kind="whole"),
    Column("state"),
    Column("drift", of=_drift, drop=1),
    Column("label_class", title="class", drop=2),
    Column("threads", title="on", drop=3),
    Column("last_used_at", title="last used", kind="time", drop=2),
    Column("description", drop=4),
    Column("known_text", title="there as", wide=True),
    Column("aliases", wide=True, of=lambda label: ", ".join(label.get("aliases") or ()) or None),
    Column("color", wide=True),
    Column("key", kind="whole", wide=True),
)


PLAN = (
    Column("text", title="label", kind="whole"),
    Column("action"),
    Column("drift", of=_drift),
    Column("known_text", title="there as", wide=True),
)
NEXT_SCAN = {
    "decides": "decides about it",
    "cancels_run": "cancels the run if a person did it",
    "nothing": "does nothing",
}


def list_labels(call: "Call", name: str) -> None:
    """List the catalogue's labels with their state."""
    repository = find_repository(call, name)
    path = f"/projects/{repository['project_id']}/repositories/{repository['id']}/labels"
    found = call.client().get(path)
    output = call.output()
    output.items(found["items"], COLUMNS)
    if output.for_people:
        off = sum(1 for label in found["items"] if label["drift"])
        mend = f"{off} of {len(found['items'])} labels differ; `stagewright label sync {name}` restores them"
        tell(mend if off else "all labels are as the policy wants them")
        for line in _repair(found["repair"]):
            tell(line)


def _repair(items: Sequence[Item]) -> Iterator[str]:
    """Yield threads whose labels and our rows differ, and what the next scan will do."""
    if items:
        yield f"{len(items)} threads differ from what is stored:"
    for item in items:
        about = " ".join(safe(part) for part in (item["code"].replace("_", " "), item["label"]) if part)
        yield f"  #{item['thread']}: {about}; the next scan {NEXT_SCAN.get(item['next_scan'], item['next_scan'])}"


def sync_labels(call: "Call", name: str, *, dry_run: bool) -> None:
    """Have the worker create and mend labels."""
    repository = find_repository(call, name)
    path = f"/projects/{repository['project_id']}/repositories/{repository['id']}:sync-labels"
    done = call.client().post(path, dry_run=dry_run or None)
    call.output().items(done["labels"], PLAN)
    tell(
        "nothing was applied"
        if dry_run
        else "the worker creates and mends them; `stagewright label list` shows how far"
    )
