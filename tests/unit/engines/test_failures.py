"""From the words of a failed turn to its class, one row per wording that was seen."""

import pytest

from stagewright.adapters.engines.failures import classify, without_final

MCP = (
    "ERROR codex_core::session: Failed to create session: required MCP servers failed to initialize: governed: refused"
)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (
            "unexpected status 401 Unauthorized: Incorrect API key provided, url: http://x/responses",
            "credential_rejected",
        ),
        ("unexpected status 403 Forbidden: Country, region, or territory not supported, url: http://x", "engine_error"),
        ("unexpected status 403 Forbidden: this run may use gpt-5 only, url: http://x/responses", "engine_error"),
        ("API Error: 403 Your API key does not have permission to use the specified resource.", "engine_error"),
        ("API Error: 403 model_not_allowed: model: this run may use claude-x only", "engine_error"),
        ("unexpected status 403 Forbidden: Incorrect API key provided", "credential_rejected"),
        ("API Error: 403 rate_limit_error: too many requests from this address", "rate_limited"),
        ("unexpected status 407 Proxy Authentication Required: log in", "provider_unavailable"),
        ("API Error: 503 agent_not_configured: claude: no credential for model:claude", "agent_not_configured"),
        ("unexpected status 402 Payment Required: budget", "budget"),
        ("exceeded retry limit, last status: 429 Too Many Requests", "rate_limited"),
        ("rate limit exceeded: Rate limit reached. Please try again in 1s", "rate_limited"),
        ("Quota exceeded. Check your plan and billing details.", "rate_limited"),
        ("Codex ran out of room in the model's context window. Start a new thread", "context_exhausted"),
        ("API Error: 400 prompt is too long: 210000 tokens > 200000 maximum", "context_exhausted"),
        ("We're currently experiencing high demand, which may cause temporary errors.", "provider_unavailable"),
        ("unexpected status 503 Service Unavailable: down", "provider_unavailable"),
        ("stream disconnected before completion: Transport error: network error", "provider_unavailable"),
        ("error sending request for url (http://127.0.0.1:9/v1/responses)", "provider_unavailable"),
        ("API Error: 529 overloaded_error", "provider_unavailable"),
        ("API Error: 401 authentication_error", "credential_rejected"),
        ("unexpected status 400 Bad Request: unknown parameter", "engine_error"),
        ("the model said no", "engine_error"),
    ],
)
def test_the_words_of_a_failure_have_a_class(text: str, failure: str) -> None:
    assert classify(text) == failure


def test_a_known_status_decides_whatever_the_words_say() -> None:
    assert classify("rate limit", 401) == "credential_rejected"
    assert classify("something", 502) == "provider_unavailable"


@pytest.mark.parametrize(
    ("interrupted", "started", "exit_code", "errors", "failure"),
    [
        (True, True, 143, "", "interrupted"),
        (True, False, None, MCP, "interrupted"),
        (False, False, 1, MCP, "mcp_unavailable"),
        (False, True, 143, "", "lost"),
        (False, False, 130, "", "lost"),
        (False, True, 0, "", "lost"),
        (False, False, -9, "", "lost"),
        (False, False, None, "", "lost"),
        (False, False, 1, "Error: unknown configuration field `x`\n\n", "engine_error"),
        (False, False, 2, "", "engine_error"),
    ],
)
def test_a_cli_without_a_final_event_was_stopped_lost_or_could_not_start(
    interrupted: bool, started: bool, exit_code: int | None, errors: str, failure: str
) -> None:
    event = without_final(interrupted=interrupted, started=started, exit_code=exit_code, errors=errors, name="codex")
    assert (event.kind, event.failure) == ("turn_failed", failure)
    if failure == "engine_error":
        assert ("unknown configuration field" in event.text) == bool(errors)
