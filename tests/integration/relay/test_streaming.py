"""Calls passed on and answers passed back: with the platform's key, byte for byte, nothing else across."""

import asyncio
import io
import json
from typing import Any

import httpx
import pytest
from tests.fakes.messages_stub import MessagesStub
from tests.fakes.responses_stub import ResponsesStub
from tests.integration.relay.harness import (
    DEADLINE,
    KEY,
    MODELS,
    PATHS,
    Bench,
    Provider,
    answer,
    completed,
    event,
    ok,
    stream,
)

from stagewright.kit import logs

CLIENT_SECRETS = {
    "x-api-key": "mine-1",
    "cookie": "a=mine-2",
    "proxy-authorization": "mine-3",
    "openai-organization": "mine-4",
    "session-id": "mine-5",
    "thread-id": "mine-6",
    "x-client-request-id": "mine-7",
    "x-codex-turn-metadata": "mine-8",
    "x-claude-code-session-id": "mine-9",
}


async def test_an_answer_streams_byte_for_byte_while_it_is_made(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    pieces = [event("response.created"), b"data: odd", b"\r\n\r\n: comment\n\n", "data: Ünicode\n\n".encode()]
    pieces += [completed(10, 3, 5)]
    provider.answers = [[stream(), *pieces]]
    provider.go_on.clear()
    async with bench.http.stream(
        "POST", "/model/codex/responses", headers=live.headers, json={"model": MODELS["codex"]}
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        provider.go_on.set()
        got = b"".join([piece async for piece in response.aiter_raw()])
    assert got == b"".join(pieces)


async def test_a_piece_arrives_before_the_next_one_is_made(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[stream() + event("response.created"), completed(1, 0, 1)]]
    provider.go_on.clear()
    async with bench.http.stream(
        "POST", "/model/codex/responses", headers=live.headers, json={"model": MODELS["codex"]}
    ) as response:
        pieces = response.aiter_raw()
        assert await asyncio.wait_for(anext(pieces), DEADLINE) == event("response.created")
        assert await bench.usage(live) == []
        provider.go_on.set()
        assert await asyncio.wait_for(anext(pieces), DEADLINE) == completed(1, 0, 1)
        assert await bench.usage(live) == [("gpt-5.4", 1, 0, 1, "relay")]  # before the engine sees the end


@pytest.mark.parametrize(("engine", "named"), [("codex", "authorization"), ("claude", "x-api-key")])
async def test_the_platforms_key_replaces_every_credential_of_the_client(
    bench: Bench, provider: Provider, engine: str, named: str
) -> None:
    live = await bench.live(engine)
    await bench.credential(engine, provider.url)
    keeps = {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b", "user-agent": "cli/1", "accept": "x/y"}
    headers = {**CLIENT_SECRETS, **keeps, **live.headers}
    assert (await bench.post(live, headers=headers)).status_code == 200
    [seen] = provider.requests
    assert seen.headers[named] == (f"Bearer {KEY}" if engine == "codex" else KEY)
    assert {name: seen.headers[name] for name in keeps} == keeps
    sent = json.dumps(seen.headers)
    assert "mine-" not in sent
    assert live.tokens["model"] not in sent
    assert str(live.attempt.id) not in sent
    other = {"authorization", "x-api-key"} - {named}
    assert not other & seen.headers.keys()
    assert seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("engine", "path", "base", "line"),
    [
        ("codex", "/responses", "/v1", "POST /v1/responses HTTP/1.1"),
        ("codex", "/v1/responses", "/v1/", "POST /v1/responses HTTP/1.1"),
        ("codex", "/responses", "/openai?api-version=2", "POST /openai/responses?api-version=2 HTTP/1.1"),
        ("claude", "/v1/messages?beta=true", "", "POST /v1/messages?beta=true HTTP/1.1"),
        ("claude", "/v1/messages", "/gw/v1", "POST /gw/v1/messages HTTP/1.1"),
        ("claude", "/v1/messages/count_tokens", "", "POST /v1/messages/count_tokens HTTP/1.1"),
    ],
)
async def test_each_call_goes_to_its_place_below_the_credentials_base_url(
    bench: Bench, provider: Provider, engine: str, path: str, base: str, line: str
) -> None:
    live = await bench.live(engine)
    await bench.credential(engine, provider.url + base)
    assert (await bench.post(live, path)).status_code == 200
    assert [seen.line for seen in provider.requests] == [line]


async def test_the_body_is_sent_on_with_its_values_byte_for_byte(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    body = '{"model":"gpt-5.4","input":[{"text":"\\u00fc \\/ 1.50e3"}],"n":1.00,"x":"é"}'.encode()
    assert (await bench.post(live, content=body)).status_code == 200
    assert provider.requests[0].body == body


async def test_answers_lose_what_tells_of_the_platforms_account(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    headers = ["set-cookie: a=1", "openai-organization: acme", "x-ratelimit-limit-requests: 5", "x-request-id: p1"]
    provider.answers = [[answer(200, b"{}", *headers, "openai-model: m", "alt-svc: h3=x")]] * 2
    response = await bench.post(live)
    assert response.headers["openai-model"] == "m"
    gone = {"set-cookie", "openai-organization", "x-ratelimit-limit-requests", "alt-svc"}
    assert not gone & set(response.headers)
    assert response.headers.get_list("x-request-id") != ["p1"]
    await bench.post(live)
    assert "cookie" not in provider.requests[1].headers


async def test_no_key_token_or_body_reaches_the_logs_or_the_client(bench: Bench, provider: Provider) -> None:
    lines = io.StringIO()
    logs.configure(process="test", redact=str, stream=lines)
    try:
        live = await bench.live()
        await bench.credential("codex", provider.url)
        echo = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
        provider.answers = [[answer(code, echo, "retry-after: 100")] for code in (200, 400, 500, 401, 429)]
        provider.answers.insert(0, [ok({"text": "the-answer"})])
        said = ""
        for _ in range(6):
            response = await bench.post(live, body={"input": "the-prompt"})
            said += f"{response.status_code}{response.headers}{response.text}"
    finally:
        logs.reset()
    assert KEY not in said
    assert "[redacted]" in said
    written = lines.getvalue()
    assert "model call answered" in written
    assert str(live.run.id) in written
    for secret in (KEY, live.tokens["model"], "the-prompt", "the-answer", "authorization"):
        assert secret not in written


async def test_a_client_that_hangs_up_ends_the_call_at_the_provider(bench: Bench, provider: Provider) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    begun = event("message_start", message={"usage": {"input_tokens": 7, "output_tokens": 1}})
    provider.answers, provider.stays = [[stream() + begun]], True
    async with bench.http.stream(
        "POST", "/model/claude/v1/messages", headers=live.headers, json={"model": MODELS["claude"]}
    ) as response:
        await anext(response.aiter_raw())
    await asyncio.wait_for(provider.hung_up.wait(), DEADLINE)
    await bench.ended.reaches(1)
    assert 'model_calls_total{engine="claude",outcome="client_gone"} 1.0' in bench.figures()
    assert await bench.usage(live) == [("claude-sonnet-4-5", 7, 0, 1, "relay")]  # what was spent is spent


async def test_a_client_that_hangs_up_before_the_answer_ends_the_call_too(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers, provider.stays = [[b""]], True
    calling = asyncio.create_task(bench.post(live))
    await provider.asked.reaches(1)
    calling.cancel()
    await asyncio.wait_for(provider.hung_up.wait(), DEADLINE)
    await asyncio.gather(calling, return_exceptions=True)


async def test_a_client_that_hangs_up_within_its_request_is_forgotten(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    url = bench.http.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /model/codex/responses HTTP/1.1\r\nhost: x\r\nauthorization: {live.headers['authorization']}\r\n"
    writer.write(f'{head}content-length: 100\r\n\r\n{{"model":'.encode())
    await writer.drain()
    writer.close()
    await bench.ended.reaches(1)
    assert 'outcome="client_gone"} 1.0' in bench.figures()
    assert provider.requests == []


async def test_an_answer_that_the_provider_cuts_is_cut_for_the_engine(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    provider.answers = [[head + b"5\r\ndata:\r\n"]]
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.post(live)
    await bench.ended.reaches(1)
    assert 'model_calls_total{engine="codex",outcome="provider_answer_cut"} 1.0' in bench.figures()


@pytest.mark.parametrize("engine", ["codex", "claude"])
async def test_calls_of_many_attempts_run_at_once_and_are_counted_each(bench: Bench, engine: str) -> None:
    stub = (ResponsesStub if engine == "codex" else MessagesStub)(key=KEY)
    with stub:
        await bench.credential(engine, stub.url + ("/v1" if engine == "codex" else ""))
        lives = [await bench.live(engine) for _ in range(4)]
        asked: dict[str, Any] = {
            "input": [{"role": "user", "content": "a long prompt"}],
            "messages": [{"role": "user", "content": "a long prompt"}],
        }
        responses = await asyncio.gather(*(bench.post(live, body=asked) for live in lives for _ in range(5)))
    assert {response.status_code for response in responses} == {200}
    end = "response.completed" if engine == "codex" else "message_stop"
    assert all(end in response.text for response in responses)
    records = [row for live in lives for row in await bench.usage(live)]
    assert len(records) == 20
    assert (sum(row[1] for row in records), sum(row[3] for row in records)) == stub.spent
    for live in lives:
        own = await bench.usage(live)
        sums = sum(row[1] for row in own), sum(row[2] for row in own), sum(row[3] for row in own)
        assert await bench.meters(live) == (sums, sums)
    assert f'model_calls_total{{engine="{engine}",outcome="ok"}} 20.0' in bench.figures()
    assert f'model_calls_open{{engine="{engine}"}} 0.0' in bench.figures()


async def test_an_attempt_has_at_most_sixteen_calls_under_way(bench: Bench, provider: Provider) -> None:
    live, other = await bench.live(), await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[b"", ok({})] for _ in range(17)]
    provider.go_on.clear()
    calls = [asyncio.create_task(bench.post(live)) for _ in range(16)]
    await provider.asked.reaches(16)
    refused = await bench.post(live)
    assert (refused.status_code, refused.json()["code"]) == (503, "relay_busy")
    free = asyncio.create_task(bench.post(other))
    provider.go_on.set()
    assert {response.status_code for response in await asyncio.gather(*calls, free)} == {200}


async def test_the_models_list_has_the_runs_model_only(bench: Bench) -> None:
    codex, claude = await bench.live("codex"), await bench.live("claude")
    for live, path in ((codex, "/models"), (codex, "/v1/models"), (claude, "/v1/models")):
        response = await bench.http.get(f"/model/{live.run.engine}{path}", headers=live.headers)
        assert [item["id"] for item in response.json()["data"]] == [MODELS[str(live.run.engine)]]


async def test_healthz_answers_without_a_token(bench: Bench) -> None:
    assert (await bench.http.get("/healthz")).status_code == 200
    assert PATHS.keys() == MODELS.keys()
