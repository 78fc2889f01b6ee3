"""When two problems are the same one: a fingerprint over what does not vary."""

import hashlib
import re
from datetime import datetime, timedelta

from stagewright.contexts.incidents.model import Incident, Level

REOPENED_AFTER = timedelta(minutes=60)
MESSAGE_LIMIT = 4000
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
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Cut ``text`` to ``limit`` code points."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def higher(known: Level, new: Level) -> Level:
    """Return the more serious of two levels."""
    return max(known, new, key=lambda level: RANK[level])


def reopens(known: Incident, level: Level, now: datetime) -> bool:
    """Say whether a recurrence is news: after an hour of silence, or at a higher level."""
    return now - known.last_seen >= REOPENED_AFTER or RANK[level] > RANK[known.level]
