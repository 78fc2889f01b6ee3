"""Contexts: which server, project and token the client uses. ``contexts.json`` is closed to others and never torn."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from stagewright.processes.cli.exits import CONFLICT, NOT_FOUND, USAGE, Failure
from stagewright.processes.cli.lazy import load

if TYPE_CHECKING:
    from pathlib import Path

FILE = "contexts.json"
FIELDS = ("host", "project", "token", "token_expires_at", "ca_file", "insecure", "github_login")

Document = dict[str, Any]


def config_dir(environ: Mapping[str, str]) -> "Path":
    """Return where the client keeps its files."""
    found: Path = load("pathlib:Path")(config_folder(environ))
    return found


def config_folder(environ: Mapping[str, str]) -> str:
    """Return the same as text: a completion has no time for paths."""
    return environ.get("STAGEWRIGHT_CLI_CONFIG_DIR", "").strip() or click.get_app_dir("stagewright")


def read(folder: "Path | str") -> Document:
    """Return ``{"current": name or None, "contexts": {name: {...}}}``. Refuse a file that others may read."""
    path = os.path.join(folder, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except FileNotFoundError:
        return {"current": None, "contexts": {}}
    if os.name == "posix" and mode & 0o077:
        raise Failure(USAGE, f"{path} holds tokens and can be read by others", hint=f"chmod 600 {path}")
    try:
        found = json.loads(text)
        return {"current": found["current"], "contexts": dict(found["contexts"])}
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(USAGE, f"{path} is damaged: {error}", hint=f"move it away: mv {path} {path}.bad") from error


def change(folder: "Path", act: Callable[[Document], None]) -> Document:
    """Read, change and write the contexts under a lock: two logins at once lose nothing."""
    _make(folder)
    with _locked(folder):
        document = read(folder)
        act(document)
        _write(folder, document)
    return document


def keep(folder: "Path", name: str, fields: Mapping[str, Any], *, use: bool | None = None) -> Document:
    """Set fields of the context ``name``; None removes one. ``use`` None makes it current when there is none."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Failure(USAGE, f"a context has no field {', '.join(sorted(unknown))}")

    def act(document: Document) -> None:
        entry = document["contexts"].setdefault(name, {})
        entry.update({key: value for key, value in fields.items() if value is not None})
        for key in [key for key, value in fields.items() if value is None]:
            entry.pop(key, None)
        if use or (use is None and document["current"] not in document["contexts"]):
            document["current"] = name

    return change(folder, act)


def drop(folder: "Path", name: str) -> None:
    """Delete a context, with its token."""

    def act(document: Document) -> None:
        if document["contexts"].pop(name, None) is None:
            raise unknown_context(name, document)
        if document["current"] == name:
            document["current"] = None

    change(folder, act)


def use(folder: "Path", name: str) -> None:
    """Make a context the current one."""

    def act(document: Document) -> None:
        if name not in document["contexts"]:
            raise unknown_context(name, document)
        document["current"] = name

    change(folder, act)


def unknown_context(name: str, document: Document) -> Failure:
    """Say that there is no such context, and which there are."""
    known = ", ".join(sorted(document["contexts"])) or "none"
    return Failure(NOT_FOUND, f"there is no context {name!r}; known: {known}", hint="stagewright context list")


def _make(folder: "Path") -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        hint = "set STAGEWRIGHT_CLI_CONFIG_DIR to a folder you may write"
        raise Failure(CONFLICT, f"{folder} cannot be made: {error.strerror}", hint=hint) from error


@contextmanager
def _locked(folder: "Path") -> Iterator[None]:
    descriptor = os.open(folder / "contexts.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(folder: "Path", document: Document) -> None:
    making = folder / f".{FILE}.{os.getpid()}"
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        making.replace(folder / FILE)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
