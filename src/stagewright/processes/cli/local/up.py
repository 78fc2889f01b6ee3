"""`stagewright up`: everything in one process tree, until Ctrl-C."""

import html
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from stagewright.processes.cli.browsing import show_address
from stagewright.processes.cli.local.installation import Running, Wish, installed

NOT_A_BOUNDARY = (
    "Runs are processes of your user on this machine. They are not a security boundary: use them with people and "
    "repositories you trust."
)
SIGN_IN_PAGE = "sign-in.html"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tell(line: str) -> None:
    """Write a line about what happens to stderr; stdout carries the result only."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def stop_on_signal() -> Iterator[Event]:
    """Set an event at Ctrl-C, SIGTERM or SIGHUP for the block; a second Ctrl-C stops at once."""
    stopping = Event()

    def note(number: int, _: FrameType | None) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, note) for number in STOP_SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_up(wish: Wish, *, verbose: bool, browser: bool = False) -> None:
    """Start, say where, stay until told to stop. ``browser`` also shows the console there, signed in."""
    with stop_on_signal() as stopping:
        with installed(wish, say=tell, stopping=stopping, show=tell if verbose else None) as running:
            for line in (running.url, running.sign_in_link):
                if line is not None:
                    print(line, flush=True)
            if browser and running.sign_in_link is not None:
                show_once(running.sign_in_link, running.data)
            for line in welcome(running, wish):
                tell(line)
            while running.tree.pause(3600):
                continue
            (running.data / SIGN_IN_PAGE).unlink(missing_ok=True)
            tell("stopping: processes, then the database; active runs are taken up again by the next `up`")
        tell("stopped")


def sign_in_words(running: Running) -> list[str]:
    """Say what the printed link is."""
    if running.sign_in_link is None:
        return [f"Sign in with GitHub at {running.settings.public_url}"]
    return ["The link above signs you in, once, within 15 minutes; `stagewright open` makes a new one."]


def show_once(link: str, data: Path) -> None:
    """Show ``link`` in the browser through a page of this user only: no other program sees the code in arguments."""
    page = data / SIGN_IN_PAGE
    descriptor = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(link)}">')
    show_address(page.as_uri())


def welcome(running: Running, wish: Wish) -> list[str]:
    """Return what to print when everything is ready."""
    owner = f" as {wish.github_login}" if wish.github_login else ""
    login = [] if wish.github_login else ["  (start with --github-login NAME to say who you are on GitHub)"]
    return [
        "",
        f"Stagewright is ready at {running.url}; logs in {running.data / 'logs'}",
        *sign_in_words(running),
        NOT_A_BOUNDARY,
        "",
        "In another terminal:",
        f"  stagewright repo add OWNER/NAME --token-stdin < token.txt   # bind a repository{owner}",
        *login,
        "  stagewright run list                                        # after setting run:dev on an issue",
        "  stagewright doctor                                          # when something is wrong",
        "",
        "Ctrl-C stops it.",
    ]
