"""From the words of a failed turn to its class (``runs.md`` §16.4). The HTTP status decides where there is one.

Only 401 says that the key does not count. A 403 speaks of a region, a model or a permission: another key cures none of
them, so it has no class of its own unless its words name one.
"""

import re
from collections.abc import Sequence

from stagewright.adapters.engines.contract import EngineEvent, FailureClass

BY_STATUS: dict[int, FailureClass] = {
    401: "credential_rejected",
    402: "budget",
    407: "provider_unavailable",
    408: "provider_unavailable",
    429: "rate_limited",
}
NOT_CONFIGURED: tuple[str, FailureClass] = (r"\bagent_not_configured\b", "agent_not_configured")
RATE_LIMITED: tuple[str, FailureClass] = (
    r"rate limit|rate_limit|too many requests|quota|usage limit",
    "rate_limited",
)
REJECTED: tuple[str, FailureClass] = (
    r"invalid.{0,20}api key|incorrect api key|authentication_error|not logged in|/login",
    "credential_rejected",
)
FORBIDDEN = (NOT_CONFIGURED, RATE_LIMITED, REJECTED)
BY_WORDS: tuple[tuple[str, FailureClass], ...] = (
    NOT_CONFIGURED,
    (r"context window|context_length|context length|prompt is too long|ran out of room", "context_exhausted"),
    RATE_LIMITED,
    REJECTED,
    (
        r"high demand|overloaded|stream disconnected|error sending request|connection|timed? ?out|unable to connect",
        "provider_unavailable",
    ),
    (r"fetch failed|econn|network error|internal server error|service unavailable|bad gateway", "provider_unavailable"),
)
STATUS = re.compile(r"(?:status:?|api error:?)\s*(\d{3})\b", re.IGNORECASE)


def classify(text: str, status: int | None = None) -> FailureClass:
    """Return the class of a provider's failure, from its HTTP status or else from its words."""
    if status is None and (found := STATUS.search(text)):
        status = int(found[1])
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status == 403:
        return _named(text, FORBIDDEN) or "engine_error"
    if status is not None and status >= 500:
        return _named(text, (NOT_CONFIGURED,)) or "provider_unavailable"
    return _named(text, BY_WORDS) or "engine_error"


def _named(text: str, classes: Sequence[tuple[str, FailureClass]]) -> FailureClass | None:
    return next((failure for words, failure in classes if re.search(words, text, re.IGNORECASE)), None)


def turn_failed(failure: FailureClass, text: str, *, code: str = "") -> EngineEvent:
    """Return the final event of a failed turn."""
    return EngineEvent("turn_failed", failure=failure, code=code or failure, text=text, ok=False)


def without_final(*, interrupted: bool, started: bool, exit_code: int | None, errors: str, name: str) -> EngineEvent:
    """Return the final event of a CLI that ended without one: we stopped it, it could not start, or it was lost."""
    if interrupted:
        return turn_failed("interrupted", f"{name} was interrupted")
    last = next((line for line in reversed(errors.splitlines()) if line.strip()), "")[:1000]
    if re.search(r"required MCP servers? failed", errors):
        return turn_failed("mcp_unavailable", f"{name} could not reach the governed tools: {last}")
    if started or exit_code is None or exit_code < 0 or exit_code in (130, 137, 143):
        return turn_failed("lost", f"{name} ended (exit {exit_code}) without a final event")
    return turn_failed("engine_error", f"{name} could not start (exit {exit_code}): {last or 'it said nothing'}")
