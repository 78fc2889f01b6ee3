"""``/healthz``, ``/readyz`` and ``/metrics`` as one small ASGI application: on the metrics listener only."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.kit.clock import Clock
from stagewright.kit.metrics.registry import Metrics

Check = Callable[[], Awaitable[bool]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
STALE = timedelta(seconds=10)
CHECK_LIMIT = 2.0


class Pulse:
    """Notes that the event loop turns: run ``beat`` as a task; ``alive`` is asked by ``/healthz``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: datetime = clock.now()

    async def beat(self) -> None:
        """Note the time each second, until cancelled."""
        while True:
            self._last = self._clock.now()
            await self._clock.sleep(timedelta(seconds=1))

    def alive(self) -> bool:
        """Say whether the loop turned within the last 10 s."""
        return self._clock.now() - self._last <= STALE


class ObservabilityDoor:
    """Answers the three paths. Readiness runs its checks at once, two seconds at most, and shows names only."""

    def __init__(self, metrics: Metrics, pulse: Pulse, checks: Mapping[str, Check]) -> None:
        self._metrics = metrics
        self._pulse = pulse
        self._checks = dict(checks)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Callable[[], Any], send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return
        path = scope["path"] if scope["method"] in ("GET", "HEAD") else ""
        if path == "/healthz":
            await _answer(send, 200 if self._pulse.alive() else 503, b"{}")
        elif path == "/readyz":
            failed = await self.failed_checks()
            await _answer(send, 503 if failed else 200, json.dumps({"failed": failed}).encode())
        elif path == "/metrics":
            kind, text = self._metrics.exposition()
            await _answer(send, 200, text, kind)
        else:
            await _answer(send, 404, b"{}")

    async def failed_checks(self) -> list[str]:
        """Return the names of the checks that do not hold now."""
        results = await asyncio.gather(*(_holds(check) for check in self._checks.values()))
        return sorted(name for name, holds in zip(self._checks, results, strict=True) if not holds)


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_LIMIT):
            return await check()
    except Exception:  # a door wrapper: whatever is wrong, the process is not ready
        return False


async def _answer(send: Send, status: int, body: bytes, kind: str = "application/json") -> None:
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
