"""`api`: the raw door, for what has no command."""

import click

from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, LATER, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@verb(
    examples=[
        "stagewright api GET /api/v1/runs -f status=waiting --paginate",
        'stagewright api POST /api/v1/projects -f key=shop -f name="Shop"',
    ],
    exits=[0, USAGE, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN, LATER],
)
@click.argument("method", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.option("-f", "--field", "fields", multiple=True, metavar="KEY=VALUE",
              help="A query parameter of GET, a field of the body otherwise.")  # fmt: skip
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header, such as If-Match.")
@click.option("--input", "body", type=click.File("r", encoding="utf-8"), help="The JSON body from a file; - is stdin.")
@click.option("--paginate", is_flag=True, help="Read all pages of a list.")
@click.pass_obj
def api(call: Call, /, method: str, path: str, **given: object) -> None:
    """Send a request to the REST API with your token, and print the answer."""
    load(f"{CLI}.raw:send")(call, method.upper(), path, **given)
