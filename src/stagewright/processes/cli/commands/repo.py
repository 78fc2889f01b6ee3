"""`repo`: repositories bound to a project."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, LATER, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

REPOSITORIES = f"{CLI}.repositories"


@verb(examples=["stagewright repo list", "stagewright repo list --project shop -o wide"], exits=[0, SIGN_IN, NOT_FOUND])
@options.listing()
@options.project
@click.pass_obj
def list_repositories(call: Call) -> None:
    """List the project's repositories."""
    load(f"{REPOSITORIES}:list_repositories")(call)


@verb(examples=["stagewright repo view acme/shop"], exits=[0, SIGN_IN, NOT_FOUND])
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@options.output
@options.project
@click.pass_obj
def view(call: Call, repo: str) -> None:
    """Show a bound repository: where it is, how it is bound, when it was looked at last."""
    load(f"{REPOSITORIES}:view_repository")(call, repo)


@verb(
    examples=[
        "stagewright repo add acme/shop --token-stdin < token.txt",
        "stagewright repo add acme/shop --app-id 7 --installation-id 42 --key-file app.pem",
    ],
    exits=[0, USAGE, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN, LATER],
)
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--api-url", help="The forge's API.  [default: GitHub's]")
@click.option("--token-stdin", is_flag=True, help="Read a token of the bot's account from stdin.")
@click.option("--app-id", type=click.IntRange(min=1), help="A GitHub App that is installed on the repository.")
@click.option("--installation-id", type=click.IntRange(min=1), help="Its installation.")
@click.option("--key-file", metavar="FILE", help="The App's private key (PEM).")
@options.output
@options.project
@click.pass_obj
def add(call: Call, /, repo: str, **given: object) -> None:
    """Bind a repository to the project.

    The credential is sealed before it is stored. Prints the webhook's address and secret, once, and has the labels
    created; nothing is deleted.
    """
    load(f"{REPOSITORIES}:add_repository")(call, repo, **given)


def _turning(word: str) -> list[str]:
    return [f"stagewright repo {word} acme/shop --dry-run", f'stagewright repo {word} acme/shop --reason "a move"']


@verb(examples=_turning("enable"), exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN])
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@click.option("--reason", help="Why; it is kept in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def enable(call: Call, repo: str, reason: str | None, yes: bool, dry_run: bool) -> None:
    """Let labels of a repository start runs again; one set meanwhile is to be set again."""
    load(f"{REPOSITORIES}:turn_repository")(call, repo, state="enabled", reason=reason, yes=yes, dry_run=dry_run)


@verb(examples=_turning("disable"), exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN])
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@click.option("--reason", help="Why; it is kept in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def disable(call: Call, repo: str, reason: str | None, yes: bool, dry_run: bool) -> None:
    """Let nothing of a repository start a run. Runs that were started go on; the binding stays."""
    load(f"{REPOSITORIES}:turn_repository")(call, repo, state="disabled", reason=reason, yes=yes, dry_run=dry_run)


@verb(
    examples=["stagewright repo rotate-webhook-secret acme/shop"],
    exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN],
)
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output
@options.project
@click.pass_obj
def rotate_webhook_secret(call: Call, repo: str, yes: bool) -> None:
    """Make a new secret for the repository's webhook, shown once.

    The secret before stays valid until the next rotation, so no delivery is lost while you enter the new one.
    Repositories bound through one GitHub App share its webhook and get the secret together.
    """
    load(f"{REPOSITORIES}:rotate_webhook_secret")(call, repo, yes=yes)


@verb(
    examples=[
        "stagewright repo remove acme/shop --dry-run",
        'stagewright repo remove acme/shop --confirm acme/shop --reason "moved to acme/store"',
    ],
    exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN],
)
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@click.option("--confirm", metavar="NAME", help="The repository's exact name, instead of typing it.")
@click.option("--reason", help="Why; it is kept in the journal.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def remove(call: Call, repo: str, confirm: str | None, reason: str | None, dry_run: bool) -> None:
    """Unbind a repository from the project.

    Its credentials go and its labels start nothing any more; its runs stay, and nothing changes at the forge. Runs that
    are active have to end first.
    """
    load(f"{REPOSITORIES}:remove_repository")(call, repo, confirm=confirm, reason=reason, dry_run=dry_run)
