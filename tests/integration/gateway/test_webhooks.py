"""The webhook door: statuses, two live secrets, deliveries committed together, durable before the answer."""

import asyncio
import json
from datetime import timedelta
from typing import Any, LiteralString
from uuid import uuid4

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, hold_to_document

from stagewright.contexts.intake.http import Coalescer
from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.projects import api as projects
from stagewright.kit.crypto import hmac_sha256_header
from stagewright.kit.db import Database
from stagewright.kit.errors import Unavailable
from stagewright.processes.common import Purpose

PAYLOAD = {"action": "labeled", "issue": {"number": 1}}


async def a_bound_repository(gateway: Gateway) -> projects.Repository:
    return await gateway.repository(await gateway.project())


async def kept(gateway: Gateway) -> list[dict[str, Any]]:
    async with gateway.db.reading() as reader:
        return await reader.all(dict, "select * from webhook_deliveries order by received_at")


async def send(gateway: Gateway, place: object, raw: bytes, **headers: str) -> httpx.Response:
    names = {
        "content_type": "Content-Type",
        "event": "X-GitHub-Event",
        "delivery": "X-GitHub-Delivery",
        "signature": "X-Hub-Signature-256",
        "app": "X-GitHub-Hook-Installation-Target-ID",
    }
    sent = {"content_type": "application/json", "event": "issues", "delivery": str(uuid4()), **headers}
    named = {names[key]: value for key, value in sent.items() if value}
    answer = await gateway.client.post(f"/api/v1/webhooks/github{place}", content=raw, headers=named)
    hold_to_document(answer)
    return answer


async def test_a_delivery_is_kept_as_it_came_and_a_second_one_is_only_seen(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    first = await gateway.webhook(repository, PAYLOAD, delivery="11111111-aaaa")
    second = await gateway.webhook(repository, PAYLOAD, delivery="11111111-aaaa")
    assert (first.status_code, first.json()) == (202, {"status": "received"})
    assert (second.status_code, second.json()) == (200, {"status": "seen"})
    assert len(first.headers["x-request-id"]) == 36
    (row,) = await kept(gateway)
    assert bytes(row["payload"]) == json.dumps(PAYLOAD).encode()
    assert (row["event"], row["repository_id"], row["status"]) == ("issues", repository.id, "received")
    figures = gateway.platform.metrics.exposition()[1].decode()
    assert 'stagewright_webhook_deliveries_total{verdict="received"} 1.0' in figures
    assert 'stagewright_webhook_deliveries_total{verdict="duplicate"} 1.0' in figures
    assert 'route="/api/v1/webhooks/github/{repository_id}",status="202"} 1.0' in figures


async def test_both_live_secrets_count_and_a_new_one_counts_within_seconds(gateway: Gateway, clock: FakeClock) -> None:
    repository = await a_bound_repository(gateway)
    assert (await gateway.webhook(repository, PAYLOAD, secret=0)).status_code == 202
    sealer = gateway.platform.sealer(Purpose.WEBHOOK_SECRETS)
    rotated = ["new-secret-0123456789", "old-secret-0123456789"]
    async with gateway.db.transaction() as tx:
        sealed = projects_seal(sealer, repository, rotated)
        await tx.execute("update repositories set webhook_secrets = %(s)s", s=sealed)
    clock.advance(timedelta(seconds=11))
    raw = json.dumps(PAYLOAD).encode()
    for secret in rotated:
        signature = hmac_sha256_header(secret.encode(), raw)
        assert (await send(gateway, f"/{repository.id}", raw, signature=signature)).status_code == 202


def projects_seal(sealer: Any, repository: projects.Repository, secrets: list[str]) -> bytes:
    sealed: bytes = sealer.seal(json.dumps(secrets).encode(), context=f"repositories:{repository.id}:webhook_secrets")
    return sealed


async def test_a_wrong_signature_and_an_unknown_repository_answer_alike(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    raw = b"{}"
    wrong = hmac_sha256_header(b"another secret", raw)
    answers = [
        await send(gateway, f"/{repository.id}", raw, signature=wrong),
        await send(gateway, f"/{repository.id}", raw, signature=""),
        await send(gateway, f"/{repository.id}", raw, signature="sha256=zz"),
        await send(gateway, f"/{uuid4()}", raw, signature=wrong),
        await send(gateway, "/no-uuid", raw, signature=wrong),
        await send(gateway, "", raw, signature=wrong),
    ]
    ways = {"instance", "request_id"}
    bodies = [{name: value for name, value in item.json().items() if name not in ways} for item in answers]
    assert [item.status_code for item in answers] == [401] * 6
    assert all(body == bodies[0] for body in bodies)
    assert await kept(gateway) == []


@pytest.mark.parametrize("missing", ["event", "delivery"])
async def test_a_delivery_without_its_headers_is_malformed(gateway: Gateway, missing: str) -> None:
    repository = await a_bound_repository(gateway)
    answer = await send(gateway, f"/{repository.id}", b"{}", **{missing: ""})
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook.invalid")
    assert missing in answer.json()["errors"][0]["pointer"].lower()


async def test_a_form_body_is_refused_with_the_remedy(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    async with gateway.db.reading() as reader:
        sealer = gateway.platform.sealer(Purpose.WEBHOOK_SECRETS)
        secret = (await projects.open_webhook_secrets(reader, repository.id, sealer=sealer))[0]
    raw = b"payload=%7B%7D"
    signature = hmac_sha256_header(secret, raw)
    form = "application/x-www-form-urlencoded"
    answer = await send(gateway, f"/{repository.id}", raw, signature=signature, content_type=form)
    assert answer.status_code == 400
    assert "application/json" in answer.json()["detail"]


async def test_a_delivery_over_one_mebibyte_is_refused(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    answer = await send(gateway, f"/{repository.id}", b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413

    async def chunks() -> Any:
        for _ in range(5):
            yield b"x" * 300_000

    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "aaaaaaaa-1"}
    streamed = await gateway.client.post(f"/api/v1/webhooks/github/{repository.id}", content=chunks(), headers=headers)
    assert streamed.status_code == 413


async def test_a_hundred_deliveries_at_once_are_all_answered_and_each_is_kept_once(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    ids = [f"delivery-{number:04d}" for number in range(99)] + ["delivery-0000"]
    answers = await asyncio.gather(*(gateway.webhook(repository, PAYLOAD, delivery=name) for name in ids))
    assert sorted(answer.status_code for answer in answers) == [200] + [202] * 99
    assert sorted(row["delivery_id"] for row in await kept(gateway)) == sorted(set(ids))


async def test_deliveries_that_wait_together_are_committed_together(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    ids = [f"delivery-{number:04d}" for number in range(50)]
    await asyncio.gather(*(gateway.webhook(repository, PAYLOAD, delivery=name) for name in ids))
    async with gateway.db.reading() as reader:
        commits = await reader.value("select count(distinct xmin::text) from webhook_deliveries")
    assert commits < 25


class Broken(Database):
    """A database whose transactions fail."""

    def __init__(self) -> None:
        pass

    def transaction(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no disk")


async def test_a_batch_that_is_not_kept_fails_each_of_its_requests(clock: FakeClock) -> None:
    coalescer = Coalescer(Broken(), clock)
    deliveries = [
        NewDelivery(delivery_id=f"d-{n}", repository_id=None, binding="token", event="issues", payload=b"{}")
        for n in range(3)
    ]
    results = await asyncio.gather(*(coalescer.keep(item) for item in deliveries), return_exceptions=True)
    assert [type(item) for item in results] == [Unavailable] * 3
    again = await asyncio.gather(coalescer.keep(deliveries[0]), return_exceptions=True)
    assert isinstance(again[0], Unavailable)


async def rename(gateway: Gateway, table: LiteralString, to: LiteralString) -> None:
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")  # the app's role owns no table
        await tx.execute(f"alter table {table} rename to {to}")
        await tx.execute("set role stagewright_app")


async def test_a_database_that_is_away_gives_503_and_a_later_delivery_is_taken(gateway: Gateway) -> None:
    repository = await a_bound_repository(gateway)
    assert (await gateway.webhook(repository, PAYLOAD)).status_code == 202
    await rename(gateway, "webhook_deliveries", "away")
    refused = await gateway.webhook(repository, PAYLOAD)
    assert (refused.status_code, refused.json()["code"]) == (503, "webhook.not_kept")
    await rename(gateway, "away", "webhook_deliveries")
    assert (await gateway.webhook(repository, PAYLOAD)).status_code == 202


async def test_an_app_has_one_address_and_its_repositories_share_its_secrets(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    app = {"app_id": 7, "installation_id": 70, "private_key": "-----BEGIN KEY-----"}
    bound = []
    for name in ("acme/one", "acme/two"):
        gateway.forge.add_repository(name)
        answer = await gateway.post(f"/projects/{project.id}/repositories", owner, {"full_name": name, "app": app})
        assert answer.status_code == 201, answer.text
        bound.append(answer.json())
    assert bound[0]["webhook_url"] == bound[1]["webhook_url"] == "https://stagewright.test/api/v1/webhooks/github"
    assert bound[0]["webhook_secret"] == bound[1]["webhook_secret"]
    raw = json.dumps(PAYLOAD).encode()
    signature = hmac_sha256_header(bound[0]["webhook_secret"].encode(), raw)
    assert (await send(gateway, "", raw, signature=signature)).status_code == 202
    assert (await send(gateway, f"/{bound[0]['id']}", raw, signature=signature)).status_code == 401
    (row,) = await kept(gateway)
    assert (row["binding"], row["repository_id"]) == ("github_app", None)


async def bind_through_app(gateway: Gateway, project: projects.Project, name: str, app_id: int) -> dict[str, Any]:
    """Bind a repository through a GitHub App and return what the door says."""
    gateway.forge.add_repository(name)
    owner = await gateway.person(name.replace("/", "-"), role="admin")
    app = {"app_id": app_id, "installation_id": 10 * app_id, "private_key": "-----BEGIN KEY-----"}
    answer = await gateway.post(f"/projects/{project.id}/repositories", owner, {"full_name": name, "app": app})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("secret_of", "named", "status", "noted"),
    [
        (7, "7", 202, 7),
        (7, None, 202, 7),
        (8, None, 202, 8),
        (8, "8", 202, 8),
        (8, "7", 401, None),
        (7, "8", 401, None),
        (7, "9", 401, None),
        (7, "x", 401, None),
        (7, "07", 401, None),
    ],
)
async def test_each_app_signs_for_itself_only(
    gateway: Gateway, secret_of: int, named: str | None, status: int, noted: int | None
) -> None:
    """A delivery that names its App counts with that App's secrets only; else the App is the one whose secret fits."""
    project = await gateway.project()
    secrets = {
        app_id: (await bind_through_app(gateway, project, f"acme/of-{app_id}", app_id))["webhook_secret"]
        for app_id in (7, 8)
    }
    assert secrets[7] != secrets[8]
    raw = json.dumps(PAYLOAD).encode()
    signature = hmac_sha256_header(secrets[secret_of].encode(), raw)
    answer = await send(gateway, "", raw, signature=signature, app=named or "")
    assert answer.status_code == status
    assert [row["app_id"] for row in await kept(gateway)] == ([] if noted is None else [noted])
