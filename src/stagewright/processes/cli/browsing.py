"""The console in the person's browser, from the terminal."""

import os
import re
import sys
import webbrowser
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from stagewright.processes.cli.exits import FORBIDDEN, NOT_FOUND, USAGE, Failure, Problem

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

SCREENS = {
    "inbox": "/",
    "runs": "/runs",
    "waits": "/waits",
    "projects": "/projects",
    "errors": "/errors",
    "audit": "/audit",
    "users": "/users",
    "settings": "/settings",
    "about": "/about",
    "me": "/me",
}
RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|run-\d+|R-\d+", re.IGNORECASE)
ISSUE = re.compile(r"([\w.-]+)/([\w.-]+)#(\d+)")


def open_console(call: "Call", what: str | None, *, browser: bool) -> None:
    """Print the console's address, with a new one-time link where this machine's owner asks, and open it."""
    path = _path(what)
    link = _local_link(call, path) or f"{call.target.host}{path}"
    print(link, flush=True)
    if browser and "#" not in link:  # a link that signs in stays out of process arguments: the person follows it
        show_address(link)


def _path(what: str | None) -> str:
    if what is None:
        return "/"
    if RUN.fullmatch(what):
        return f"/r/{what}"
    if issue := ISSUE.fullmatch(what):
        return f"/i/{issue[1]}/{issue[2]}/{issue[3]}"
    if what in SCREENS:
        return SCREENS[what]
    raise Failure(USAGE, f"{what!r} is no screen and no run; screens: {', '.join(SCREENS)}; or a run, or OWNER/REPO#N")


def _local_link(call: "Call", path: str) -> str | None:
    """Return a link that signs the owner in, where the server makes one for our token."""
    try:
        made = call.client().request("POST", "/me/login-code", body={}).json()
    except Problem as problem:
        if problem.code in (FORBIDDEN, NOT_FOUND):
            return None
        raise
    address, _, code = str(made["url"]).partition("#")
    return f"{address}{'?' + urlencode({'next': path}) if path != '/' else ''}#{code}"


def show_address(link: str) -> bool:
    """Open ``link`` in a graphical browser, if this machine has one; say whether that worked."""
    graphical = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not graphical:
        return False
    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False
