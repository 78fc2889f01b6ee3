"""Which headers pass: lists of what may, both ways. The rest — credentials, cookies, ids of runs — stays here.

A client's ``openai-organization`` would choose whose account pays; ``x-codex-turn-metadata`` tells of the repository;
``session-id`` and ``thread-id`` name the run. A provider's answer tells of the platform's account and its quotas.
"""

from collections.abc import Iterable, Mapping

PASSED_ON = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "openai-beta",
        "originator",
        "user-agent",
        "x-app",
    }
)
PASSED_BACK = frozenset(
    {
        "content-encoding",
        "content-type",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-codex-turn-state",
        "x-models-etag",
        "x-reasoning-included",
        "x-should-retry",
    }
)
REQUEST_IDS = ("x-request-id", "request-id")


def passed_on(given: Iterable[tuple[str, str]], credential: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the headers of the request to the provider: the client's that may leave, and the platform's key."""
    kept = [(name, value) for name, value in given if name.lower() in PASSED_ON]
    ours = [("content-type", "application/json"), ("accept-encoding", "identity"), credential]
    return [*kept, *ours]


def passed_back(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of the answer to the client."""
    return [(name.lower(), value) for name, value in given if name.lower() in PASSED_BACK]


def request_id(given: Mapping[str, str]) -> str:
    """Return the provider's id of the call, for its support; at most 100 characters."""
    return next((given[name][:100] for name in REQUEST_IDS if name in given), "")
