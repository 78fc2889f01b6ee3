"""`login`, `logout`, `auth`: who we are on a server."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import FORBIDDEN, LATER, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

PLACES = f"{CLI}.places"


@verb(
    examples=[
        "stagewright login --host https://sw.example.com",
        "stagewright login --scopes read,operate,manage",
        "stagewright login --host https://sw.example.com --with-token < token.txt",
    ],
    exits=[0, USAGE, SIGN_IN, FORBIDDEN, LATER],
)
@click.option("--host", help="The server's address.")
@click.option("--scopes", default="read,operate", show_default=True, help="What the token may be used for.")
@click.option("--with-token", is_flag=True, help="Read an API token from stdin.")
@click.option("--no-browser", is_flag=True, help="Open nothing in a browser; print the address only.")
@click.option("--name", help="What to call the context.")
@click.pass_obj
def login(call: Call, host: str | None, scopes: str, with_token: bool, no_browser: bool, name: str | None) -> None:
    """Sign in at a server: agree in its console, or give an API token on stdin."""
    if with_token:
        load(f"{PLACES}:login")(call, host=host, name=name)
    else:
        load(f"{CLI}.signing:sign_in")(call, host=host, scopes=scopes, name=name, browser=not no_browser)


@verb(examples=["stagewright logout", "stagewright logout --keep-token"], exits=[0, SIGN_IN])
@click.option("--keep-token", is_flag=True, help="Forget the token here, but do not revoke it.")
@click.pass_obj
def logout(call: Call, keep_token: bool) -> None:
    """Revoke the context's token and forget it."""
    load(f"{PLACES}:logout")(call, keep_token=keep_token)


@verb(examples=["stagewright auth status"], exits=[0, SIGN_IN, LATER])
@options.output
@click.pass_obj
def status(call: Call) -> None:
    """Show who you are here, and what the token may do."""
    load(f"{PLACES}:show_status")(call)


@verb(examples=["stagewright auth token list"], exits=[0, SIGN_IN])
@options.listing()
@click.pass_obj
def list_tokens(call: Call) -> None:
    """List your API tokens; their text is never shown again."""
    load(f"{PLACES}:list_tokens")(call)


@verb(
    examples=["stagewright auth token revoke ci", "stagewright auth token revoke 3f9a1c --yes"], exits=[0, 3, NOT_FOUND]
)
@click.argument("token")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke_token(call: Call, token: str, yes: bool) -> None:
    """Revoke a token: it counts nowhere from then on."""
    load(f"{PLACES}:revoke_token")(call, token, yes=yes)
