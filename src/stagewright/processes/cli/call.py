"""One call of the program: what stood before the command, and the doors to everything that is loaded late."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.lazy import load

if TYPE_CHECKING:
    from datetime import tzinfo

    from stagewright.processes.cli.client import Client
    from stagewright.processes.cli.present.output import Output
    from stagewright.processes.cli.target import Target

CLI = "stagewright.processes.cli"


class Call:
    """The options before the command, the output options of the command, and late doors."""

    __slots__ = (
        *("_client", "_config", "_locale", "_target", "_zone"),
        *("context", "debug", "environ", "host", "plain", "project", "wanted"),
    )

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        context: str | None = None,
        host: str | None = None,
        debug: bool = False,
        plain: bool = False,
        locale: str | None = None,
    ) -> None:
        self.environ = environ
        self.context = context
        self.host = host
        self.debug = debug
        self.plain = plain
        self.project: str | None = None
        self.wanted: dict[str, Any] = {}
        self._locale = locale
        self._zone: tzinfo | None = None
        self._config: Mapping[str, Any] | None = None
        self._client: Client | None = None
        self._target: Target | None = None

    @property
    def target(self) -> "Target":
        """Return which server, token and project this call is about."""
        if self._target is None:
            self._target = load(f"{CLI}.target:find_target")(self)
        return self._target

    def client(self) -> "Client":
        """Return the client of the server. Raise ``Failure`` when no server is known, or we are not signed in."""
        if self._client is None:
            self._client = load(f"{CLI}.client:connect")(self.target, debug=self.debug)
            if load(f"{CLI}.cache:look_due")(self.environ, self.target.host):
                load(f"{CLI}.versions:look")(self)
        return self._client

    def close(self) -> None:
        """Close the client's connection."""
        if self._client is not None:
            self._client.close()

    def output(self) -> "Output":
        """Return what writes the result the way the person wants it."""
        made: Output = load(f"{CLI}.present.output:make_output")(self)
        return made

    def config(self, name: str) -> Any:
        """Return a value of ``config.toml``, or None."""
        if self._config is None:
            self._config = load(f"{CLI}.config:read_config")(self.environ)
        return self._config.get(name)

    @property
    def locale(self) -> str:
        """Return the language of what is said to a person: option, variable, ``config.toml``, the shell's, English."""
        if self._locale is None:
            self._locale = load(f"{CLI}.config:find_locale")(self)
        return self._locale

    @property
    def zone(self) -> "tzinfo | None":
        """Return the zone of ``config.toml`` in which a person reads times, None without one."""
        if self._zone is None and self.config("zone") is not None:
            self._zone = load(f"{CLI}.config:find_zone")(self)
        return self._zone

    def said(self, text: str, **values: object) -> str:
        """Return what is said to the person, in their language."""
        found: str = load(f"{CLI}.texts:said")(text, self.locale)
        return found.format(**values) if values else found

    @property
    def interactive(self) -> bool:
        """Say whether a person sits here: a terminal on both sides, and nobody asked for plain output."""
        quiet = self.plain or self.environ.get("CI") or self.environ.get("TERM") == "dumb"
        return not quiet and sys.stdin.isatty() and sys.stdout.isatty()

    @property
    def decorated(self) -> bool:
        """Say whether stdout may carry colours and relative times."""
        return not (self.plain or self.environ.get("CI") or self.environ.get("NO_COLOR")) and sys.stdout.isatty()


def make_call(**given: Any) -> Call:
    """Return the call of this process."""
    return Call(environ=os.environ, **given)


def tell(line: str) -> None:
    """Write a line for the person to stderr; stdout carries the result only."""
    print(line, file=sys.stderr, flush=True)
