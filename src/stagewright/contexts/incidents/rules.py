"""When two problems are the same one, what a row of them may hold, and what everybody sees of it."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.incidents.model import Incident, Level, Report

REOPENED_AFTER = timedelta(minutes=60)
LONGEST_MUTE = timedelta(days=7)
KEPT = timedelta(days=90)
MESSAGE_LIMIT = 4000
MESSAGE_BYTES = 10_000  # as JSON: the frame of an incident is at most 16 KiB
STACK_LIMIT = 16_000
DETAILS_LIMIT = 16 * 1024
NAME_LIMIT = 200
VARYING = (
    re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
    re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|«[^»]*»|“[^”]*”"),
    re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+){2,}"),
    re.compile(r"\b(?:0x)?[0-9a-fA-F]{7,}\b"),
    re.compile(r"\d+"),
)
RANK = {Level.WARNING: 0, Level.ERROR: 1, Level.CRITICAL: 2}
ALERTING = (Level.ERROR, Level.CRITICAL)
OWN = "stagewright"


def own_frame(frames: list[tuple[str, str]]) -> str | None:
    """Return the innermost of our own frames as ``module:function``; ``frames`` are (file, function), innermost last.

    Without the line, so that the same problem is the same one after an unrelated edit.
    """
    for file, function in reversed(frames):
        parts = re.split(r"[/\\]", file)
        if OWN in parts:
            place = ".".join(parts[parts.index(OWN) + 1 :]).removesuffix(".py")
            return f"{place}:{function}"
    return None


def fingerprint(*, source: str, code: str, message: str, project_id: object | None, frame: str | None) -> bytes:
    """Return SHA-256 over source, code, message without ids, numbers, paths, hex and quoted parts, project, frame."""
    for pattern in VARYING:
        message = pattern.sub("*", message)
    parts = (source, code, message, str(project_id or ""), frame or "")
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).digest()


def fingerprint_of(report: Report) -> bytes:
    """Return what equal reports have in common before anybody looks up more of them."""
    project = report.project_id or report.run_id
    return fingerprint(
        source=report.source, code=report.code, message=report.message, project_id=project, frame=report.frame
    )


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Cut ``text`` to ``limit`` code points, without what no row can hold: NUL and half surrogate pairs."""
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_message(text: str) -> str:
    """Cut ``text`` to 4,000 code points, and to what an event can carry beside the other fields."""
    text = cut(text)
    while len(json.dumps(text, ensure_ascii=False).encode()) > MESSAGE_BYTES:
        text = cut(text, len(text) * 3 // 4)
    return text


def redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """Return ``value`` with every text in it, names too, passed through ``redact``."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, redact) for item in value]
    return value


def bounded(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``details`` as a row can hold them, or the names alone when they are larger than 16 KiB."""
    kept: dict[str, Any] = _storable(details)
    if len(json.dumps(kept, ensure_ascii=False).encode()) <= DETAILS_LIMIT:
        return kept
    return {"truncated": True, "names": [name[:100] for name in sorted(kept)[:50]]}


def _storable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {cut(str(key)): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else cut(str(value), DETAILS_LIMIT)


def higher(known: Level, new: Level) -> Level:
    """Return the more serious of two levels."""
    return max(known, new, key=lambda level: RANK[level])


def reopens(known: Incident, level: Level, now: datetime) -> bool:
    """Say whether a recurrence is news: after an hour of silence, or at a higher level."""
    return now - known.last_seen >= REOPENED_AFTER or RANK[level] > RANK[known.level]


def incident_frame(item: Incident) -> dict[str, Any]:
    """Return the part of an incident's view that is equal for all readers. Details and stack are loaded by REST."""
    return {
        "id": str(item.id),
        "fingerprint": item.fingerprint.hex(),
        "level": item.level.value,
        "source": item.source,
        "code": item.code,
        "message": item.message,
        "count": item.count,
        "state": item.state.value,
        "project_id": _text(item.project_id),
        "run_id": _text(item.run_id),
        "deploy_id": _text(item.deploy_id),
        "environment_id": _text(item.environment_id),
        "namespace": item.namespace,
        "job_name": item.job_name,
        "request_id": _text(item.request_id),
        "delivery_id": item.delivery_id,
        "correlation_id": item.correlation_id,
        "first_seen": item.first_seen.isoformat(),
        "last_seen": item.last_seen.isoformat(),
        "reopened_at": item.reopened_at.isoformat(),
        "muted_until": item.muted_until.isoformat() if item.muted_until else None,
        "muted_reason": item.muted_reason,
        "resolved_at": item.resolved_at.isoformat() if item.resolved_at else None,
        "previous_id": _text(item.previous_id),
        "version": item.version,
    }


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
