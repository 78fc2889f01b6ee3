"""Long output on a terminal goes through the person's pager: ``config.toml``, ``PAGER``, else ``less``."""

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from stagewright.processes.cli.call import tell

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

LEAVE = ("", "cat")  # what people write to have none
LESS = "FRX"  # quit if it fits, keep colours, leave the screen


def find_pager(call: "Call") -> str | None:
    """Return the pager's command; None where nothing is paged: without a terminal, without decoration, or unwanted."""
    if not (call.decorated and call.interactive):
        return None
    chosen = call.config("pager")
    if chosen is None:
        chosen = call.environ.get("PAGER", "less" if shutil.which("less") else "")
    return None if chosen.strip() in LEAVE else str(chosen)


def paged(call: "Call", text: str) -> None:
    """Write a long text, through the pager on a terminal that is too small for it."""
    write(text, find_pager(call), dict(call.environ))


def write(text: str, pager: str | None, environ: "dict[str, str]") -> None:
    """Write ``text``, through the pager when the screen is too small for it."""
    if pager is None or text.count("\n") < shutil.get_terminal_size().lines:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        running = subprocess.Popen(
            shlex.split(pager), stdin=subprocess.PIPE, env={"LESS": LESS, **environ}, text=True, encoding="utf-8"
        )
    except (OSError, ValueError) as error:
        tell(f"warning: the pager {pager!r} cannot be started ({error}); set pager in config.toml")
        write(text, None, environ)
        return
    with running:
        _feed(running, text)


def _feed(running: "subprocess.Popen[str]", text: str) -> None:
    """Hand the text over and wait for the person; Ctrl-C is the pager's."""
    while True:
        try:
            running.communicate(text)  # a pager that was left early is no failure
        except KeyboardInterrupt:
            text = ""
        else:
            return
