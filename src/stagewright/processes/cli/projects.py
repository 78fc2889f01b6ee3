"""What the command `project` does."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli import cache, contexts
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import USAGE, Failure
from stagewright.processes.cli.ids import find_project
from stagewright.processes.cli.present.table import Column
from stagewright.processes.cli.target import chosen_context

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

COLUMNS = (
    Column("key"),
    Column("name"),
    Column("locale", drop=2),
    Column("weight", drop=3),
    Column("created_at", kind="time", title="created", drop=1),
    Column("id", kind="whole", wide=True),
)


def list_projects(call: "Call") -> None:
    """List projects."""
    wanted = call.wanted
    found = call.client().items("/projects", limit=wanted["limit"], cursor=wanted.get("cursor"))
    rows = [(str(item["key"]), str(item["name"])) for item in found]
    cache.remember(call.environ, "projects", call.target.host, rows)
    call.output().items(found.found, COLUMNS, empty="no project yet: `stagewright project create KEY`")


def view_project(call: "Call", name: str | None) -> None:
    """Show a project."""
    call.output().one(find_project(call, _chosen(call, name)), COLUMNS)


def create_project(call: "Call", key: str, *, name: str, locale: str) -> None:
    """Create a project."""
    made = call.client().post("/projects", {"key": key, "name": name, "locale": locale})
    call.output().one(made, COLUMNS)


def edit_project(call: "Call", name: str | None, wanted: Mapping[str, Any]) -> None:
    """Change a project if nobody did meanwhile."""
    if not wanted:
        raise Failure(USAGE, "nothing to change: give --name, --locale or --weight")
    project = find_project(call, _chosen(call, name))
    path, version = f"/projects/{project['id']}", f'"{project["version"]}"'
    changed = call.client().request("PATCH", path, body=dict(wanted), headers={"If-Match": version}).json()
    call.output().one(changed, COLUMNS)


def use_project(call: "Call", name: str) -> None:
    """Keep the project in the context."""
    project = find_project(call, name)
    context, _ = chosen_context(call)
    if context is None:
        raise Failure(USAGE, "there is no context to keep this in", hint="stagewright context set NAME --host URL")
    contexts.keep(contexts.config_dir(call.environ), context, {"project": project["key"]})
    tell(f"context {context} means project {project['key']} now")


def _chosen(call: "Call", name: str | None) -> str:
    chosen = name or call.target.project
    if chosen is None:
        raise Failure(USAGE, "which project?", hint="name it, or `stagewright project use KEY`")
    return chosen
