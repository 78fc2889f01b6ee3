"""`completion`: the script that lets a shell complete our commands."""

import click

from stagewright.processes.cli.lazy import load, verb

SHELLS = ("bash", "zsh", "fish", "powershell")


@verb(
    examples=[
        'eval "$(stagewright completion bash)"',
        "stagewright completion fish > ~/.config/fish/completions/stagewright.fish",
    ]
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    root = ctx.find_root()
    cls = load("click.shell_completion:get_completion_class")(shell)
    if cls is None:
        raise click.UsageError(f"there is no completion for {shell}", ctx=ctx)
    click.echo(cls(root.command, {}, "stagewright", "_STAGEWRIGHT_COMPLETE").source())
