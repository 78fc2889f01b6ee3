"""Exit codes are an interface (cli.md 5): here, and only here, a failure becomes a code and a line of text."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from stagewright.kit import errors

DONE, FAILED, USAGE, DECLINED, SIGN_IN, UNSUCCESSFUL = 0, 1, 2, 3, 4, 5
NOT_FOUND, CONFLICT, PENDING, FORBIDDEN, LATER, INTERRUPTED = 6, 7, 8, 9, 10, 130

FRESH_LOGIN = "identity.fresh_login_required"
OF_STATUS: Mapping[int, int] = {
    400: USAGE,
    401: SIGN_IN,
    403: FORBIDDEN,
    404: NOT_FOUND,
    409: CONFLICT,
    412: CONFLICT,
    413: USAGE,
    422: CONFLICT,
    428: CONFLICT,
    429: LATER,
    502: LATER,
    503: LATER,
    504: LATER,
}
# The first fitting line counts.
OF_KIND: Sequence[tuple[type[Exception], int]] = (
    (errors.Unauthenticated, SIGN_IN),
    (errors.Invalid, USAGE),
    (errors.Denied, FORBIDDEN),
    (errors.NotFound, NOT_FOUND),
    (errors.Conflict, CONFLICT),
    (errors.Unavailable, LATER),
)
MEANINGS: Mapping[int, str] = {
    DONE: "done; a list that finds nothing is done, too",
    FAILED: "failed for a reason not below, or errors were found",
    USAGE: "wrong usage, or the server calls the request malformed",
    DECLINED: "you declined at a prompt",
    SIGN_IN: "not signed in, or the action needs a fresh sign-in",
    UNSUCCESSFUL: "the watched run ended, but not successfully",
    NOT_FOUND: "not found",
    CONFLICT: "changed meanwhile, or refused by a rule",
    PENDING: "still pending at --timeout",
    FORBIDDEN: "forbidden, or the server does not have the feature",
    LATER: "server unreachable, overloaded or rate limited: try later",
    INTERRUPTED: "Ctrl-C",
}


class Failure(Exception):
    """A foreseen failure of a command: an exit code, what and why, and what to do."""

    def __init__(self, code: int, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Problem(Failure):
    """What the server refused, from its problem document."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.problem_code = str(document.get("code", ""))
        self.request_id = str(document.get("request_id", ""))
        code = SIGN_IN if self.problem_code == FRESH_LOGIN else OF_STATUS.get(status, FAILED)
        super().__init__(code, _sentence(status, document), hint=_remedy(code, self.problem_code))


class PipeClosed(Exception):
    """Nobody reads our output any more, as after ``| head``: a quiet end."""


class Ended(Exception):
    """The command has said everything already; only the exit code is left."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: BaseException) -> int:
    """Return the exit code of any failure."""
    if isinstance(error, Failure | Ended):
        return error.code
    if isinstance(error, click.UsageError):
        return USAGE
    if isinstance(error, click.Abort):
        return INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else DECLINED
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, PipeClosed | BrokenPipeError):
        return DONE
    return next((code for kind, code in OF_KIND if isinstance(error, kind)), FAILED)


def lines_of(error: BaseException) -> list[str]:
    """Return what to print on stderr: what and why, then places, then what to do; nothing for a quiet end."""
    if isinstance(error, Ended | PipeClosed | BrokenPipeError | KeyboardInterrupt):
        return []
    if isinstance(error, click.Abort):
        return [] if code_of(error) == INTERRUPTED else ["stopped: nothing was changed"]
    if isinstance(error, click.ClickException):
        return [f"error: {error.format_message()}", *_usage_hint(error)]
    if isinstance(error, Failure):
        lines = [f"error: {error.message}", *_places(getattr(error, "document", {}))]
        if error.hint:
            lines.append(f"hint: {error.hint}")
        if request_id := getattr(error, "request_id", ""):
            lines.append(f"request: {request_id}")
        return lines
    if isinstance(error, errors.StagewrightError):
        return [f"error: {error.message}"]
    return [f"error: {type(error).__name__}: {error}"]


def _usage_hint(error: click.ClickException) -> list[str]:
    context = getattr(error, "ctx", None)
    return [] if context is None else [f"hint: {context.command_path} --help"]


def _sentence(status: int, document: Mapping[str, Any]) -> str:
    said = document.get("detail") or document.get("title") or f"the server answered {status}"
    code = document.get("code")
    return f"{said} ({code})" if code else str(said)


def _places(document: Mapping[str, Any]) -> list[str]:
    found = document.get("errors") or []
    return [f"  {item.get('pointer', '')}: {item.get('message') or item.get('code', '')}" for item in found]


def _remedy(code: int, problem_code: str) -> str:
    if problem_code == FRESH_LOGIN:
        return "`stagewright login --with-token` with a token made within the last hour"
    if code == SIGN_IN:
        return "`stagewright login --with-token`, or `stagewright up` for the one on this machine"
    return "the same command may succeed in a moment" if code == LATER else ""
