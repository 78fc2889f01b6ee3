"""Figures, health and readiness."""

import asyncio
from datetime import timedelta

import httpx
from tests.fakes.clock import FakeClock, settle

from stagewright.kit.metrics import Check, Metrics, ObservabilityDoor, Pulse


async def ask(door: ObservabilityDoor, path: str, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=door)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, path)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def broken() -> bool:
    raise RuntimeError("the text of a foreign failure")


def a_door(clock: FakeClock, metrics: Metrics | None = None, **checks: Check) -> ObservabilityDoor:
    return ObservabilityDoor(metrics or Metrics(), Pulse(clock), checks)


async def test_metrics_carry_the_prefix_and_no_ids(clock: FakeClock) -> None:
    metrics = Metrics(version="1.2.3")
    metrics.http_requests.labels("/api/v1/runs", "GET", "200").inc()
    metrics.count_redactions("journal", 3)
    metrics.reconcile_seconds.labels("launch").observe(0.2)
    answer = await ask(a_door(clock, metrics), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'stagewright_http_requests_total{method="GET",route="/api/v1/runs",status="200"} 1.0' in answer.text
    assert 'stagewright_redactions_total{sink="journal"} 3.0' in answer.text
    assert 'stagewright_build_info{version="1.2.3"} 1.0' in answer.text
    ours = [line for line in answer.text.splitlines() if not line.startswith(("#", "process_"))]
    assert all(line.startswith("stagewright_") for line in ours)


async def test_two_registries_do_not_meet() -> None:
    Metrics().journal_bells.inc()
    assert b"stagewright_journal_bells_total 0.0" in Metrics().exposition()[1]


async def test_health_needs_a_loop_that_turns(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    door = ObservabilityDoor(Metrics(), pulse, {})
    beat = asyncio.create_task(pulse.beat())
    await settle()
    await clock.run(timedelta(seconds=60))
    assert (await ask(door, "/healthz")).status_code == 200
    beat.cancel()
    await settle()
    clock.advance(timedelta(seconds=11))
    assert (await ask(door, "/healthz")).status_code == 503


async def test_readiness_names_what_failed_and_nothing_more(clock: FakeClock) -> None:
    assert (await ask(a_door(clock, database=yes), "/readyz")).status_code == 200
    answer = await ask(a_door(clock, schema=no, database=yes, keys=broken), "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"failed": ["keys", "schema"]}
    assert answer.headers["cache-control"] == "no-store"


async def test_other_paths_and_methods_are_not_found(clock: FakeClock) -> None:
    assert (await ask(a_door(clock), "/")).status_code == 404
    assert (await ask(a_door(clock), "/metrics", "POST")).status_code == 404
