"""Keeps the live stream open: sends the outbox, takes acknowledgements and orders, reconnects without end."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import grpc
import grpc.aio

from stagewright.processes.runner.control import Control
from stagewright.processes.runner.door import Door, Pauses, translate
from stagewright.processes.runner.failures import Refused
from stagewright.processes.runner.outbox import Outbox
from stagewright.wire.v1 import stream_pb2

HEARTBEAT_SECONDS = 15.0
SILENCE_SECONDS = 45.0
STATUS_SECONDS = 5.0
Call = grpc.aio.StreamStreamCall["stream_pb2.RunnerMessage", "stream_pb2.PlatformMessage"]


class Stream:
    """One attempt's stream over as many connections as needed. Ends when cancelled or refused."""

    def __init__(self, door: Door, outbox: Outbox, control: Control) -> None:
        self._door = door
        self._outbox = outbox
        self._control = control
        self._heard = 0.0

    async def run(self) -> None:
        """Send and receive until cancelled; a refusal is noted in the control and ends it."""
        between = Pauses()
        while self._control.refusal is None:
            try:
                await self._converse(between)
            except grpc.aio.AioRpcError as error:
                failure = translate(error)
                if isinstance(failure, Refused):
                    self._control.refuse(failure)
                    return
            await between.wait()

    async def _converse(self, between: Pauses) -> None:
        """Hold one connection. Ends with the platform's end of it, or after a silence where an answer was due."""
        call: Call = self._door.stub.Stream(metadata=self._door.metadata)
        self._outbox.rewind()
        self._heard = time.monotonic()
        sending = asyncio.create_task(self._send(call))
        receiving = asyncio.create_task(self._receive(call, between))
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if call.done():  # only reading tells why
                await asyncio.wait({receiving}, timeout=STATUS_SECONDS)
            for task in (receiving, sending):
                if task.done():
                    task.result()
        finally:
            call.cancel()
            sending.cancel()
            receiving.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _send(self, call: Call) -> None:
        """Say hello, then send what the outbox has; return when the call has ended or the platform went silent."""
        hello = stream_pb2.Hello(last_acked=self._outbox.last_acked)
        with contextlib.suppress(asyncio.InvalidStateError):  # grpc's word for writing to a call that has ended
            await call.write(stream_pb2.RunnerMessage(attempt=self._door.attempt, hello=hello))
            while not self._silent():
                self._outbox.news.clear()
                while (message := self._outbox.next()) is not None:
                    await call.write(message)
                delay = self._outbox.delay()
                seconds = SILENCE_SECONDS if delay is None else delay
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):  # wait_for would lose a cancellation
                        await self._outbox.news.wait()

    def _silent(self) -> bool:
        return self._outbox.waits_for_ack and time.monotonic() - self._heard > SILENCE_SECONDS

    async def _receive(self, call: Call, between: Pauses) -> None:
        async for message in call:
            self._heard = time.monotonic()
            between.reset()
            if message.WhichOneof("body") == "ack":
                self._outbox.acknowledged(message.ack.number)
            else:
                self._control.take(message)
            if message.WhichOneof("body") == "notice":
                await self._outbox.log("runner", f"notice: {message.notice.text}\n".encode())


async def beat(outbox: Outbox, engine_alive: Callable[[], bool]) -> None:
    """Put a heartbeat every 15 s until cancelled."""
    while True:
        outbox.beat(engine_alive=engine_alive())
        await asyncio.sleep(HEARTBEAT_SECONDS)
