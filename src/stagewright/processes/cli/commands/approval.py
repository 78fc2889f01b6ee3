"""`approval`: what waits for a person's decision, and deciding it."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.enums import APPROVAL_STATES
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

APPROVALS = f"{CLI}.approvals"
EXITS = [0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN]


@verb(examples=["stagewright approval list", "stagewright approval list --state all -o json"], exits=[0, SIGN_IN])
@click.option(
    "--state", type=click.Choice([*APPROVAL_STATES, "all"]), default="requested", show_default=True, help="Which."
)
@click.option("--mine", is_flag=True, help="Only those that wait for you, or that you decided.")
@click.option("--all-projects", is_flag=True, help="Of all projects.")
@options.listing()
@options.project
@click.pass_obj
def list_approvals(call: Call, state: str, mine: bool, all_projects: bool) -> None:
    """List requests, the newest first: those that wait, or the history."""
    load(f"{APPROVALS}:list_approvals")(call, state=state, mine=mine, all_projects=all_projects)


@verb(examples=["stagewright approval view a94b02", "stagewright approval view a94b02 -o yaml"], exits=EXITS)
@click.argument("approval")
@options.output
@options.project
@click.pass_obj
def view(call: Call, approval: str) -> None:
    """Show a request: what would be done, to what, for whom, and who decides until when."""
    load(f"{APPROVALS}:view")(call, approval)


@verb(
    examples=["stagewright approval approve a94b02", "stagewright approval approve a94b02 --confirm acme/shop"],
    exits=EXITS,
)
@click.argument("approval")
@click.option("--reason", help="Why; it is kept in the journal.")
@click.option("--confirm", metavar="NAME", help="The exact name of the target, instead of typing it.")
@click.option("--yes", is_flag=True, help="Do not ask; does not replace a name that has to be typed.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def approve(call: Call, approval: str, reason: str | None, confirm: str | None, yes: bool, dry_run: bool) -> None:
    """Approve exactly the action that is shown."""
    load(f"{APPROVALS}:approve")(call, approval, reason=reason, confirm=confirm, yes=yes, dry_run=dry_run)


@verb(
    examples=[
        'stagewright approval deny a94b02 --reason "wrong database"',
        'stagewright approval deny a94b02 --more --reason "which service?"',
    ],
    exits=EXITS,
)
@click.argument("approval")
@click.option("--reason", help="Why; the agent is told.")
@click.option("--more", is_flag=True, help="Not a refusal: the agent changes it, or says more, and may ask again.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def deny(call: Call, approval: str, reason: str | None, more: bool, dry_run: bool) -> None:
    """Refuse the action that is shown."""
    load(f"{APPROVALS}:deny")(call, approval, reason=reason, more=more, dry_run=dry_run)


@verb(examples=["stagewright approval renew a94b02"], exits=EXITS)
@click.argument("approval")
@options.output
@options.project
@click.pass_obj
def renew(call: Call, approval: str) -> None:
    """Ask again for what nobody decided in time."""
    load(f"{APPROVALS}:renew")(call, approval)


@verb(examples=['stagewright approval cancel a94b02 --reason "not needed any more"'], exits=EXITS)
@click.argument("approval")
@click.option("--reason", help="Why; it is kept in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output
@options.project
@click.pass_obj
def cancel(call: Call, approval: str, reason: str | None, yes: bool) -> None:
    """Give a request up; what waits for it goes on without the approval."""
    load(f"{APPROVALS}:cancel")(call, approval, reason=reason, yes=yes)
