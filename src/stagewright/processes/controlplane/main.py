"""Open the doors for workloads and keep them open until told to stop."""

from contextlib import AsyncExitStack

import grpc.aio

from stagewright.adapters.providers import Providers
from stagewright.adapters.providers import open_http as open_provider_http
from stagewright.contexts.runs.rpc import RunnerDoor
from stagewright.contexts.runs.rpc.stream import Wakes
from stagewright.kit.http import serving
from stagewright.kit.rpc import Guard, serving_rpc
from stagewright.processes.common import Platform, Purpose, observed
from stagewright.processes.controlplane.relay import relay_app
from stagewright.processes.outside import attempt_tokens, open_adapters
from stagewright.wire.v1 import runner_pb2_grpc


async def main(platform: Platform) -> None:
    """Serve gRPC and the relay."""
    settings = platform.settings
    wakes = Wakes()
    platform.bell.add(wakes.ring)
    async with AsyncExitStack() as stack:
        adapters = await stack.enter_async_context(open_adapters(platform))
        tokens = await attempt_tokens(platform)
        door = RunnerDoor(
            db=platform.db,
            clock=platform.clock,
            tokens=tokens,
            git=adapters.git,
            sealer=platform.sealer(Purpose.AGENT_SESSIONS),
            redactor=platform.redactor,
            wakes=wakes,
        )

        def register(server: grpc.aio.Server) -> None:
            runner_pb2_grpc.add_RunnerServiceServicer_to_server(door, server)

        async def on_bug(error: Exception, request_id: str) -> None:
            await platform.report_bug("controlplane", error, request_id)

        guard = Guard(on_bug=on_bug, metrics=platform.metrics, redact=platform.redactor.to("rpc"))
        await stack.enter_async_context(serving_rpc(register, settings.controlplane_listen, interceptors=[guard]))
        relay = relay_app(
            db=platform.db,
            clock=platform.clock,
            tokens=tokens,
            sealer=platform.sealer(Purpose.CREDENTIALS),
            providers=Providers(await stack.enter_async_context(open_provider_http())),
            metrics=platform.metrics,
            on_bug=on_bug,
        )
        await stack.enter_async_context(serving(relay, settings.relay_listen))
        await stack.enter_async_context(observed(platform, {}))
        await platform.stop.wait()
