"""Hands a forge credential to git so that it stands in no argument, environment, setting or file.

Git asks a credential helper, which copies one record from an inherited pipe; only the pipe's number is visible. The
alternatives leave a trace that ``/proc`` shows to every process of the user: ``http.extraHeader`` and secrets in URLs
stand in arguments or in the environment of git and its children, ``GIT_ASKPASS`` and the cache daemon need a file or
a second process that holds the secret. The pipe is written and closed before git starts and can be read once. The
helper is bound to the remote's scheme and host, so a redirect to another host gets no answer.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from stagewright.kit.errors import Invalid

LONGEST = 32 * 1024


@dataclass(frozen=True, slots=True)
class Pipe:
    """The readable end of the pipe and the git settings that name it."""

    descriptor: int
    settings: dict[str, str]


@contextmanager
def credential_pipe(url: str, user: str, secret: str) -> Iterator[Pipe]:
    """Offer the credential to one git that talks to ``url``."""
    record = f"username={user}\npassword={secret}\n".encode()
    if "\n" in user + secret or "\0" in user + secret or len(record) > LONGEST:
        raise Invalid("the forge credential has line breaks or is longer than 32 KiB; store it again without them")
    reader, writer = os.pipe()
    try:
        try:
            os.write(writer, record)
        finally:
            os.close(writer)
        yield Pipe(reader, {f"credential.{origin(url)}.helper": _helper(reader)})
    finally:
        os.close(reader)


def origin(url: str) -> str:
    """Return scheme and host of ``url``, without a user name."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise Invalid("the clone URL holds a user name; bind the repository with a plain URL and a stored credential")
    return f"{parts.scheme}://{parts.netloc}"


def _helper(descriptor: int) -> str:
    return f'!f() {{ cat >/dev/null; if test "$1" = get; then cat /dev/fd/{descriptor}; fi; }}; f'
