"""Who may call which model, and what is said when it does not go: tokens, models, sizes, credentials, provider down."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.integration.relay.harness import (
    KEY,
    MODELS,
    TOKENS,
    Bench,
    Live,
    Provider,
    a_bench,
    another_repository,
    answer,
    ok,
    stream,
)

from stagewright.contexts.runs.usecases import attempts
from stagewright.kit.db import Database

MIB = 1024 * 1024


def said(response: httpx.Response) -> tuple[int, str]:
    """Return status and our code, which body and header agree on."""
    assert response.headers["stagewright-code"] == response.json()["code"]
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("name", ["run", "tools", "garbage"])
async def test_only_a_model_token_opens_the_relay(bench: Bench, provider: Provider, name: str) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    headers = {"authorization": f"Bearer {live.tokens.get(name, name)}"}
    for path in ("/responses", "/models"):
        method = "POST" if path == "/responses" else "GET"
        response = await bench.http.request(method, f"/model/codex{path}", headers=headers, content=b"{}")
        assert said(response) == (401, "token.invalid")
        assert response.headers["www-authenticate"] == "Bearer"
    assert said(await bench.http.post("/model/codex/responses", content=b"{}")) == (401, "token.invalid")
    basic = {"authorization": f"Basic {live.tokens['model']}"}
    assert said(await bench.http.post("/model/codex/responses", headers=basic)) == (401, "token.invalid")
    assert provider.requests == []


async def test_an_attempt_that_is_over_gets_nothing_more(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    await end(bench, live)
    assert said(await bench.post(live)) == (401, "attempt_ended")
    assert provider.requests == []


async def test_a_revoked_token_opens_nothing(bench: Bench) -> None:
    live = await bench.live()
    async with bench.db.transaction() as tx:
        await tx.execute(
            "insert into revoked_tokens (jti, until) values (%(jti)s, %(until)s)",
            jti=TOKENS._signers["model"].verify(live.tokens["model"], now=bench.clock.now()).jti,
            until=live.attempt.deadline,
        )
    assert said(await bench.post(live)) == (401, "token.invalid")


@pytest.mark.parametrize("engine", ["codex", "claude"])
@pytest.mark.parametrize(
    "body",
    [
        {"model": "another"},
        {"model": "gpt-5.4 "},
        {"MODEL": "another"},
        {"Models": ["another"]},
        {"fallbacks": [{"model": "another"}]},
        {"tools": [{"type": "function"}, {"type": "image_generation", "Model": "another"}]},
    ],
)
async def test_a_run_reaches_its_own_model_only(
    bench: Bench, provider: Provider, engine: str, body: dict[str, Any]
) -> None:
    live = await bench.live(engine)
    await bench.credential(engine, provider.url)
    response = await bench.post(live, body=body)
    assert said(response) == (403, "model_not_allowed")
    assert MODELS[engine] in response.json()["error"]["message"]
    assert response.json().get("type") == ("error" if engine == "claude" else None)
    assert provider.requests == []


async def test_a_field_that_stands_twice_is_sent_on_as_it_was_checked(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    twice = '{"model": "another", "x": 1, "model": "gpt-5.4"}'
    assert (await bench.post(live, content=twice)).status_code == 200
    assert json.loads(provider.requests[0].body) == {"model": "gpt-5.4", "x": 1}
    assert b"another" not in provider.requests[0].body


async def test_a_model_that_the_policy_lost_is_refused(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    async with bench.db.transaction() as tx:
        await tx.execute("update runs set model = 'gone' where id = %(id)s", id=live.run.id)
    assert said(await bench.post(live)) == (403, "model_not_allowed")


async def test_a_run_uses_the_path_of_its_own_engine_only(bench: Bench, provider: Provider) -> None:
    live = await bench.live("claude")
    await bench.credential("codex", provider.url)
    response = await bench.http.post("/model/codex/responses", headers=live.headers, content=b"{}")
    assert said(response) == (403, "engine_not_allowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/model/codex/chat/completions"),
        ("POST", "/model/codex/responses/"),
        ("POST", "/model/codex/responses/compact"),
        ("POST", "/model/codex/v1/../files"),
        ("GET", "/model/codex/responses"),
        ("GET", "/model/codex/v1/models/gpt-5.4"),
        ("POST", "/model/claude/messages"),
        ("POST", "/model/claude/v1/messages/batches"),
        ("HEAD", "/model/claude/v1/messages"),
        ("DELETE", "/model/claude/v1/messages"),
        ("POST", "/model/scripted/responses"),
        ("POST", "/model/codex"),
        ("POST", "/responses"),
        ("GET", "/source/x"),
        ("GET", "/"),
    ],
)
async def test_every_other_path_does_not_exist(bench: Bench, provider: Provider, method: str, path: str) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    response = await bench.http.request(method, path, headers=live.headers)
    assert response.status_code == 404
    assert method == "HEAD" or response.json()["code"] == "not_found"
    assert provider.requests == []


async def test_another_method_of_healthz_is_refused(bench: Bench) -> None:
    response = await bench.http.post("/healthz")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"content": b"no json"}, "JSON object"),
        ({"content": b"[]"}, "JSON object"),
        ({"content": b'{"model": "gpt-5.4", "tools": [1,]}'}, "JSON object"),
        ({"content": b""}, "JSON object"),
        ({"content": b"{}"}, "model"),
        ({"content": b'{"model": 7}'}, "model"),
        ({"path": "/responses?store=true"}, "'store'"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong(
    bench: Bench, provider: Provider, changes: dict[str, Any], told: str
) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    response = await bench.post(live, **changes)
    assert said(response) == (400, "invalid")
    assert told in response.json()["error"]["message"]
    assert provider.requests == []


async def test_a_compressed_body_is_refused(bench: Bench) -> None:
    live = await bench.live()
    response = await bench.post(live, headers={**live.headers, "content-encoding": "zstd"})
    assert said(response) == (400, "invalid")
    assert "compressed" in response.json()["detail"]


async def test_forty_megabytes_are_refused_announced_or_not(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * MIB

    assert said(await bench.post(live, content=b"x" * 40 * MIB)) == (413, "too_large")
    assert said(await bench.post(live, content=pieces())) == (413, "too_large")
    assert provider.requests == []
    assert (await bench.post(live, body={"input": "x" * 20 * MIB})).status_code == 200


async def test_without_a_credential_the_run_is_told_that_its_agent_is_not_configured(bench: Bench) -> None:
    live = await bench.live()
    response = await bench.post(live)
    assert said(response) == (503, "agent_not_configured")
    assert "model:codex" in response.json()["detail"]


@pytest.mark.parametrize(
    ("secret", "base"),
    [
        ("two words", None),
        ("kéy", None),
        (KEY, "ftp://x"),
        (KEY, "not a url"),
        (KEY, "http://["),
    ],
)
async def test_a_credential_that_fits_no_request_is_named(bench: Bench, secret: str, base: str | None) -> None:
    live = await bench.live()
    await bench.credential("codex", base, secret=secret)
    response = await bench.post(live)
    assert response.json()["code"] == "agent_not_configured"
    assert "model:codex" in response.json()["detail"]
    assert secret not in response.text


async def test_a_credential_sealed_elsewhere_is_named(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", provider.url)
    async with bench.db.transaction() as tx:
        await tx.execute("update credentials set ciphertext = '\\x00' where id = %(id)s", id=stored.id)
    assert said(await bench.post(live)) == (503, "agent_not_configured")


async def test_the_nearest_credential_counts_and_is_read_anew_for_each_call(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url, secret="sk-platform")
    await bench.post(live)
    await bench.credential("codex", provider.url, secret="sk-project", project_id=live.run.project_id)
    await bench.post(live)
    assert [seen.headers["authorization"] for seen in provider.requests] == ["Bearer sk-platform", "Bearer sk-project"]


async def test_a_key_that_the_provider_rejects_is_doubted_and_the_engine_told(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", provider.url)
    provider.answers = [[answer(401, b'{"error": {"message": "no"}}')] for _ in range(3)]
    for _ in range(2):
        assert said(await bench.post(live)) == (401, "credential_rejected")
    assert await bench.state(stored) == "suspect"  # the second time came too soon to prove anything
    bench.clock.advance(timedelta(seconds=30))
    assert said(await bench.post(live)) == (401, "credential_rejected")
    assert await bench.state(stored) == "invalid"


FORBIDDEN = (
    b'{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported"}}'
)


async def test_a_region_or_permission_the_provider_refuses_blames_no_key(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", provider.url)
    provider.answers = [[answer(403, FORBIDDEN)]]
    response = await bench.post(live)
    assert (response.status_code, response.content) == (403, FORBIDDEN)
    assert "stagewright-code" not in response.headers
    assert await bench.state(stored) == "unchecked"


async def test_a_refusal_that_says_when_to_come_back_is_a_limit(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", provider.url)
    provider.answers = [[answer(403, b'{"error":{"message":"secondary limit"}}', "retry-after: 600")]]
    assert said(await bench.post(live)) == (429, "rate_limited")
    assert await bench.state(stored) == "unchecked"


async def test_a_key_rejected_twice_is_used_no_more_and_opens_an_incident(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[answer(401, b"{}")], [answer(401, b"{}")]]
    await bench.post(live)
    bench.clock.advance(timedelta(seconds=31))
    await bench.post(live)
    assert said(await bench.post(live)) == (401, "credential_rejected")
    assert len(provider.requests) == 2
    [incident] = await bench.rows("select code, message from incidents")
    assert incident["code"] == "credential.rejected"
    assert KEY not in incident["message"]
    replaced = await bench.credential("codex", provider.url, secret="sk-new")
    assert (await bench.post(live)).status_code == 200
    assert await bench.state(replaced) == "valid"


async def test_a_key_that_works_again_is_trusted_again(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", provider.url)
    provider.answers = [[answer(401, b"{}")], [ok({})], [answer(401, b"{}")]]
    await bench.post(live)
    bench.clock.advance(timedelta(seconds=31))
    assert (await bench.post(live)).status_code == 200
    assert await bench.state(stored) == "valid"
    await bench.post(live)
    assert await bench.state(stored) == "suspect"
    assert await bench.kinds() == ["credential.set"] * 3 + ["credential.state_changed"] * 3


@pytest.mark.parametrize("status", [400, 404, 500, 503, 529])
async def test_failures_of_the_provider_pass_as_they_are(bench: Bench, provider: Provider, status: int) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}'
    provider.answers = [[answer(status, body, "retry-after: 7")]]
    response = await bench.post(live)
    assert (response.status_code, response.content, response.headers["retry-after"]) == (status, body, "7")
    assert await bench.usage(live) == []
    assert f'outcome="provider_{status // 100}xx"}} 1.0' in bench.figures()


async def test_a_provider_that_is_not_there_is_named_and_nothing_is_blamed(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    stored = await bench.credential("codex", "http://127.0.0.1:1")
    response = await bench.post(live)
    assert said(response) == (502, "provider_unreachable")
    assert "cannot be reached" in response.json()["error"]["message"]
    assert await bench.state(stored) == "unchecked"


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 302 X\r\nlocation: http://e/\r\ncontent-length: 0\r\n\r\n", b"junk\r\n\r\n"]
)
async def test_an_answer_that_is_none_is_unreachable_too(bench: Bench, provider: Provider, raw: bytes) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[raw]]
    assert said(await bench.post(live)) == (502, "provider_unreachable")


async def test_a_whole_answer_has_its_limit(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[answer(200, b"x" * 33 * MIB)], [answer(200, b"x" * 100)[:-50]]]
    assert said(await bench.post(live)) == (502, "provider_answer_too_large")
    assert said(await bench.post(live)) == (502, "provider_answer_cut")


async def test_a_provider_that_stands_still_is_cut_off(db: Database, clock: FakeClock, provider: Provider) -> None:
    async with a_bench(db, clock, idle=0.2) as bench:
        live = await bench.live()
        await bench.credential("codex", provider.url)
        provider.stays = True
        provider.answers = [[stream() + b"data: {}\n\n"], [b""]]
        with pytest.raises(httpx.RemoteProtocolError):
            await bench.post(live)
        assert said(await bench.post(live)) == (502, "provider_unreachable")


async def test_projects_do_not_share_credentials(bench: Bench, provider: Provider) -> None:
    other = await another_repository(bench)
    live = await bench.live(repository_id=other.id, project_id=other.project_id)
    await bench.credential("codex", provider.url, project_id=bench.repository.project_id)
    assert said(await bench.post(live)) == (503, "agent_not_configured")


async def end(bench: Bench, live: Live) -> None:
    """Let the attempt end as lost."""
    async with bench.db.transaction() as tx:
        await attempts.settle_ended(tx, live.attempt.id, now=bench.clock.now(), outcome="lost")
