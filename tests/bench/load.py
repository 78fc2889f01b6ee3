"""A small HTTP load: many keep-alive connections, prepared requests, latencies kept. Bounded in count and time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Request = Callable[[int], bytes]


@dataclass
class Outcome:
    """What came back: answers per second, latencies in seconds, statuses."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Return answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Return a latency quantile in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def flat_out(host: str, port: int, request: Request, *, connections: int, seconds: float) -> Outcome:
    """Send as fast as answers come on ``connections`` connections for ``seconds``."""
    outcome, numbers = Outcome(), iter(range(10**9))
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while time.perf_counter() < until:
            await _ask(reader, writer, request(next(numbers)), outcome, time.perf_counter())
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    outcome.seconds = time.perf_counter() - began
    return outcome


async def steady(host: str, port: int, request: Request, *, connections: int, rate: float, seconds: float) -> Outcome:
    """Send at ``rate`` per second; latency counts from when a request was due, so that a stall is not hidden."""
    outcome = Outcome()
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (item := await due.get()) is not None:
            await _ask(reader, writer, request(item[0]), outcome, item[1])
        writer.close()

    workers = [asyncio.create_task(one()) for _ in range(connections)]
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        at = began + number / rate
        pause = at - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        due.put_nowait((number, at))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    outcome.seconds = time.perf_counter() - began
    return outcome


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, outcome: Outcome, since: float
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length:
        await reader.readexactly(length)
    status = int(head[9:12])
    outcome.latencies.append(time.perf_counter() - since)
    outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
