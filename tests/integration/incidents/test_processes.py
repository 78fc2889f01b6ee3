"""Every process writes what it did not foresee: its doors, its loops, its tasks, and its own end."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.kit.clock import SystemClock
from stagewright.kit.errors import Unavailable
from stagewright.kit.loops import Loop
from stagewright.kit.rpc import Guard
from stagewright.processes.common import Platform, reporting_its_end
from stagewright.processes.presence import Presence


async def sources(gateway: Gateway) -> list[tuple[str, str]]:
    async with gateway.db.reading() as reader:
        sql = "select source, message from incidents order by source"
        return await reader.all(lambda row: (str(row["source"]), str(row["message"])), sql)


async def test_a_loop_reports_what_it_did_not_foresee_and_not_what_only_means_later(gateway: Gateway) -> None:
    platform, stop = gateway.platform, asyncio.Event()
    failures: list[Exception] = [Unavailable("later"), RuntimeError("the loop broke")]

    async def duty() -> int:
        if failures:
            raise failures.pop(0)
        stop.set()
        return 0

    every = timedelta(milliseconds=1)
    async with asyncio.timeout(20):
        await Loop("scan", duty, every, clock=SystemClock(), on_error=platform.report_loop).run(stop)
    assert await sources(gateway) == [("loop.scan", "RuntimeError: the loop broke")]


async def test_the_door_of_workloads_reports_and_shows_nothing(gateway: Gateway) -> None:
    async def on_bug(error: Exception, request_id: str) -> None:
        await gateway.platform.report_bug("controlplane", error, request_id)

    async def broken(request: bytes, context: Any) -> bytes:
        raise RuntimeError("relation runs does not exist")

    server = grpc.aio.server(interceptors=[Guard(on_bug=on_bug)])
    handler = grpc.method_handlers_generic_handler("test.S", {"M": grpc.unary_unary_rpc_method_handler(broken)})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary("/test.S/M")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"", timeout=10)
    finally:
        await server.stop(None)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert await sources(gateway) == [("controlplane", "RuntimeError: relation runs does not exist")]


async def test_a_process_that_ends_by_a_bug_says_so_first(gateway: Gateway) -> None:
    async def main(platform: Platform) -> None:
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError, match="nobody foresaw"):
        await reporting_its_end(gateway.platform, main)
    assert await sources(gateway) == [("gateway", "RuntimeError: nobody foresaw this")]


async def test_a_process_that_cannot_say_that_it_lives_lives_on(gateway: Gateway, clock: FakeClock) -> None:
    told = asyncio.Event()

    async def on_error(loop: str, error: Exception) -> None:
        assert loop == "presence"
        told.set()

    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("alter table process_instances rename to away")
        await tx.execute("set role stagewright_app")
    metrics = gateway.platform.metrics
    task = asyncio.create_task(
        Presence("gateway", "1", db=gateway.db, clock=SystemClock(), metrics=metrics, on_error=on_error).run()
    )
    async with asyncio.timeout(20):
        await told.wait()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
