"""`credential`: which credentials the platform holds, and giving it one. Values go in and never come out."""

import click

from stagewright.processes.cli import enums, options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, LATER, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

CREDENTIALS = f"{CLI}.credentials"
PURPOSES = ", ".join(enums.CREDENTIAL_PURPOSES)


@verb(examples=["stagewright credential list", "stagewright credential list --platform"], exits=[0, SIGN_IN, FORBIDDEN])
@click.option("--platform", is_flag=True, help="Of the platform, not of a project.")
@options.output
@options.project
@click.pass_obj
def list_credentials(call: Call, platform: bool) -> None:
    """List stored credentials: what for, since when, never the value."""
    load(f"{CREDENTIALS}:list_credentials")(call, platform=platform)


@verb(
    examples=[
        "stagewright credential set model:codex --stdin < key.txt",
        "stagewright credential set bot --from-file token.txt --project shop",
    ],
    exits=[0, USAGE, SIGN_IN, NOT_FOUND, FORBIDDEN],
    help=f"""Store a credential in place of the one before.

    PURPOSE is one of {PURPOSES}. A project's credential counts before the platform's.
    """,
)
@click.argument("purpose", shell_complete=options.complete("purposes"))
@click.option("--stdin", is_flag=True, help="Read the value from stdin.")
@click.option("--from-file", metavar="FILE", help="Read the value from a file.")
@click.option("--base-url", help="Where the provider's API is, when not at its usual address.")
@click.option("--platform", is_flag=True, help="For all projects.")
@options.output
@options.project
@click.pass_obj
def set_credential(
    call: Call, purpose: str, stdin: bool, from_file: str | None, base_url: str | None, platform: bool
) -> None:
    """Store a credential in place of the one before."""
    load(f"{CREDENTIALS}:set_credential")(
        call, purpose, stdin=stdin, from_file=from_file, base_url=base_url, platform=platform
    )


@verb(examples=["stagewright credential check bot"], exits=[0, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN, LATER])
@click.argument("purpose", shell_complete=options.complete("purposes"))
@click.option("--platform", is_flag=True, help="Of the platform, not of a project.")
@options.output
@options.project
@click.pass_obj
def check(call: Call, purpose: str, platform: bool) -> None:
    """Ask the forge whether a stored credential counts, and keep the answer."""
    load(f"{CREDENTIALS}:check_credential")(call, purpose, platform=platform)


@verb(
    examples=["stagewright credential delete bot --dry-run", "stagewright credential delete bot --confirm bot"],
    exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN],
)
@click.argument("purpose", shell_complete=options.complete("purposes"))
@click.option("--platform", is_flag=True, help="Of the platform, not of a project.")
@click.option("--confirm", metavar="NAME", help="The exact purpose, instead of typing it.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def delete(call: Call, purpose: str, platform: bool, confirm: str | None, dry_run: bool) -> None:
    """Delete a stored credential. Its value cannot be shown or restored; revoke it at its provider."""
    load(f"{CREDENTIALS}:delete_credential")(call, purpose, platform=platform, confirm=confirm, dry_run=dry_run)
