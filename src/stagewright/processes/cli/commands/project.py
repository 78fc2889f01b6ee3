"""`project`: products under delivery."""

import click

from stagewright.processes.cli import enums, options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

PROJECTS = f"{CLI}.projects"


@verb(examples=["stagewright project list", "stagewright project list -o json"], exits=[0, SIGN_IN])
@options.listing()
@click.pass_obj
def list_projects(call: Call) -> None:
    """List the projects you may see."""
    load(f"{PROJECTS}:list_projects")(call)


@verb(examples=["stagewright project view shop"], exits=[0, SIGN_IN, NOT_FOUND])
@click.argument("project", required=False, shell_complete=options.complete("projects"))
@options.output
@click.pass_obj
def view(call: Call, project: str | None) -> None:
    """Show a project; without a name, the chosen one."""
    load(f"{PROJECTS}:view_project")(call, project)


@verb(
    examples=['stagewright project create shop --name "Shop" --locale ru'],
    exits=[0, USAGE, SIGN_IN, CONFLICT, FORBIDDEN],
)
@click.argument("key")
@click.option("--name", help="What people call it; the key by default.")
@click.option("--locale", type=click.Choice(enums.LOCALES), default="en", show_default=True,
              help="The language of comments and prompts.")  # fmt: skip
@options.output
@click.pass_obj
def create(call: Call, key: str, name: str | None, locale: str) -> None:
    """Create a project."""
    load(f"{PROJECTS}:create_project")(call, key, name=name or key, locale=locale)


@verb(
    examples=["stagewright project edit shop --locale en --weight 2"],
    exits=[0, USAGE, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN],
)
@click.argument("project", required=False, shell_complete=options.complete("projects"))
@click.option("--name", help="What people call it.")
@click.option("--locale", type=click.Choice(enums.LOCALES), help="The language of comments and prompts.")
@click.option("--weight", type=click.IntRange(1, 100), help="Its share when projects compete for capacity.")
@options.output
@click.pass_obj
def edit(call: Call, project: str | None, name: str | None, locale: str | None, weight: int | None) -> None:
    """Change a project; what is not named stays."""
    wanted = {
        key: value for key, value in (("name", name), ("locale", locale), ("weight", weight)) if value is not None
    }
    load(f"{PROJECTS}:edit_project")(call, project, wanted)


@verb(examples=["stagewright project use shop"], exits=[0, SIGN_IN, NOT_FOUND])
@click.argument("project", shell_complete=options.complete("projects"))
@click.pass_obj
def use(call: Call, project: str) -> None:
    """Mean this project from now on, in this context."""
    load(f"{PROJECTS}:use_project")(call, project)
