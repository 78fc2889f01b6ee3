"""What the command `api` does: one authenticated request, the answer as it came."""

import json
import sys
import uuid
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from stagewright.processes.cli.exits import USAGE, Failure

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

MOST = 100_000


def send(
    call: "Call",
    method: str,
    path: str,
    *,
    fields: Sequence[str],
    headers: Sequence[str],
    body: IO[str] | None,
    paginate: bool,
) -> None:
    """Send and print. ``fields`` go into the query of a GET and into the body otherwise."""
    if not path.startswith("/"):
        raise Failure(USAGE, f"PATH: {path!r} must begin with a slash, for example /api/v1/runs")
    given = [_pair(text, "=", "-f") for text in fields]
    if paginate and method != "GET":
        raise Failure(USAGE, "--paginate: only a GET of a list has pages")
    if body is not None and (given or method == "GET"):
        raise Failure(USAGE, "--input: a body stands alone; leave -f away and do not use GET")
    client = call.client()
    if paginate:
        found = client.items(path, limit=MOST, **_params(given))
        _print(found.found)
        return
    sent = {name: value.strip() for name, value in (_pair(text, ":", "-H") for text in headers)}
    if method == "POST":
        sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
    if method == "GET":
        answer = client.request(method, path, params=_params(given), headers=sent)
    else:
        answer = client.request(method, path, body=_document(body, given, method), headers=sent)
    if answer.headers.get("content-type", "").partition(";")[0].endswith("json"):
        _print(answer.json())
    elif answer.body:
        sys.stdout.buffer.write(answer.body)
        sys.stdout.flush()


def _pair(text: str, separator: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name:
        raise Failure(USAGE, f"{option}: {text!r} must be written name{separator}value")
    return name, value


def _params(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given:
        found.setdefault(name, []).append(value)
    return found


def _document(body: IO[str] | None, given: Sequence[tuple[str, str]], method: str) -> Any:
    if body is None:
        return {name: _value(value) for name, value in given} if given or method != "DELETE" else None
    try:
        return json.load(body)
    except ValueError as error:
        raise Failure(USAGE, f"--input: {body.name} is no JSON: {error}") from error


def _value(text: str) -> Any:
    """Read numbers, true, false and null as such, everything else as text."""
    if text in ("true", "false", "null") or text.lstrip("-").isdigit():
        return json.loads(text) if not text.lstrip("-").startswith("0") or text == "0" else text
    return text


def _print(document: Any) -> None:
    if document is not None:
        print(json.dumps(document, indent=2, ensure_ascii=False))
