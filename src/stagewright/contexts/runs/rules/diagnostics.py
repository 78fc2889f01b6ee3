"""The comment that says why a label started nothing: one per cause, counted, resolved in place."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from stagewright.contexts.runs.rules.texts import text


def marker(key: str) -> str:
    """Return the last line by which the comment is found again."""
    return f"<!-- stagewright:diagnostic {hashlib.sha256(key.encode()).hexdigest()[:24]} -->"


def render(*, reason: str, remedy: str, conflicting: Sequence[str], suggested: Sequence[str], locale: str) -> str:
    """Return the comment's text: heading, remedy, conflicting and suggested labels, reason code."""
    parts = [f"⚠️ **{text('diagnostic.heading', locale)}**", remedy]
    if conflicting:
        parts.append(text("diagnostic.conflicting", locale, labels=_labels(conflicting)))
    if suggested:
        parts.append(text("diagnostic.suggested", locale, labels=_labels(suggested)))
    parts.append(text("diagnostic.reason", locale, reason=reason))
    # The locale travels with the stored text, so that counting and resolving speak the same language.
    return f"{locale}\n" + "\n\n".join(parts)


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label.replace('`', chr(39))}`" for label in labels)


def with_count(stored: str, key: str, count: int, last_at: datetime) -> str:
    """Return the body to show, with the number of times once there are several."""
    locale, _, body = stored.partition("\n")
    if count > 1:
        at = last_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        body += f"\n\n_{text('diagnostic.count', locale, count=count, at=at)}_"
    return f"{body}\n\n{marker(key)}\n"


def resolved(stored: str, key: str, run: str) -> str:
    """Return the one line that is left when a run has started."""
    locale, _, _ = stored.partition("\n")
    return f"✅ {text('resolved', locale, run=run)}\n\n{marker(key)}\n"
