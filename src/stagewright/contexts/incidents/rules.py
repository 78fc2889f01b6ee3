"""When two problems are the same one: a fingerprint over what does not vary."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.incidents.model import Incident, Level

REOPENED_AFTER = timedelta(minutes=60)
MESSAGE_LIMIT = 4000
DETAILS_LIMIT = 16 * 1024
VARYING = (
    re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
    re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`"),
    re.compile(r"(?:/[\w.@+-]+){2,}"),
    re.compile(r"\b[0-9a-fA-F]{7,}\b"),
    re.compile(r"\d+"),
)
RANK = {Level.WARNING: 0, Level.ERROR: 1, Level.CRITICAL: 2}


def fingerprint(*, source: str, code: str, message: str, project_id: object | None, frame: str | None) -> bytes:
    """Return SHA-256 over source, code, message without ids, numbers, paths, hex and quoted parts, project, frame."""
    for pattern in VARYING:
        message = pattern.sub("*", message)
    parts = (source, code, message, str(project_id or ""), frame or "")
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).digest()


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Cut ``text`` to ``limit`` code points, without what no row can hold: NUL and half surrogate pairs."""
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"


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
