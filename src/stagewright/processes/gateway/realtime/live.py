"""The realtime feed of one gateway process: its reader, its sockets, and the door they come through."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from stagewright.kit.errors import Denied, LimitReached, StagewrightError, Unauthenticated
from stagewright.kit.http import problem
from stagewright.kit.http.asgi import App, Receive, Scope, Send
from stagewright.kit.http.browser import CsrfRefused
from stagewright.kit.http.seats import KEPT_FRESH
from stagewright.kit.logs import get_logger
from stagewright.kit.loops import Duty, Loop, Loops
from stagewright.processes.common import Platform
from stagewright.processes.gateway.realtime.admission import Admission, Admitted
from stagewright.processes.gateway.realtime.hub import AWAY, Hub
from stagewright.processes.gateway.realtime.logs import LogFeed
from stagewright.processes.gateway.realtime.messages import PROTOCOL
from stagewright.processes.gateway.realtime.outbox import Limits
from stagewright.processes.gateway.realtime.seats import Seats
from stagewright.processes.gateway.realtime.socket import (
    NO_ACCESS,
    PROTOCOL_ERROR,
    SIGNED_OUT,
    TOO_OLD,
    TOO_SLOW,
    Parts,
    Socket,
)

PATH = "/api/v1/realtime"
FAILED = 1011
CLOSE_CODES = {
    PROTOCOL_ERROR: "protocol error: do not come back",
    SIGNED_OUT: "session or token ended: sign in",
    NO_ACCESS: "no access left",
    TOO_SLOW: "too slow: come back, expect a resync",
    TOO_OLD: "the client is too old: load it anew",
    FAILED: "the server failed: come back",
    AWAY: "the server is away: come back",
}
SLOW_TIMER = timedelta(seconds=2)
TURN = timedelta(seconds=1)
PING = timedelta(seconds=15)
RECHECK = timedelta(seconds=60)
MOST_ASKED = 50
NO_GRACE = timedelta(0)  # the loops only read: nothing is lost by stopping them anywhere
FRESH = timedelta(seconds=30)
log = get_logger(__name__)


class Live:
    """Serves the sockets of a process."""

    def __init__(self, platform: Platform, admission: Admission, limits: Limits) -> None:
        self._platform, self._admission = platform, admission
        clock, metrics = platform.clock, platform.metrics
        self.hub = Hub(platform.db, clock, metrics)
        self.logs = LogFeed(platform.db, clock, metrics)
        self._parts = Parts(self.hub, self.logs, platform.db, clock, metrics, admission, limits, platform.stored)
        self.seats = Seats(platform.db, clock, limits)
        self.sockets: set[Socket] = set()
        self._families: set[str] = set()
        self.loops = (
            self._loop("realtime.reader", self.hub.look, SLOW_TIMER),
            self._loop("realtime.logs", self.logs.look, SLOW_TIMER),
            self._loop("realtime.lists", self.hub.release, SLOW_TIMER, batch=1),
            self._loop("realtime.watch", self.watch, TURN),
            self._loop("realtime.life", self._life, RECHECK),
            self._loop("realtime.seats", self.seats.write, KEPT_FRESH),
        )
        self._tell_others = self.loops[-1].poke
        self.logs.poke = self.loops[1].poke
        self.hub.on_held = self.loops[2].poke

    def _loop(self, name: str, duty: Duty, every: timedelta, *, batch: int | None = None) -> Loop:
        return Loop(
            name,
            duty,
            every,
            batch=batch,
            clock=self._platform.clock,
            metrics=self._platform.metrics,
            on_error=self._platform.report_loop,
        )

    def poke(self) -> None:
        """Look at once: a bell rang."""
        self._platform.metrics.journal_bells.inc()
        for loop in self.loops[:2]:
            loop.poke()

    async def fresh(self) -> bool:
        """Say whether the reader is less than 30 s behind: a readiness check."""
        return self._platform.clock.now() - self.hub.read_at < FRESH

    async def _life(self) -> int:
        await self.hub.check_life()
        return 0

    async def watch(self) -> int:
        """Send pings; ask who is there when a credential's time is over, and of everybody once a minute."""
        now, asked = self._platform.clock.now(), 0
        for socket in tuple(self.sockets):
            over = socket.rights.until is not None and socket.rights.until <= now
            if over or (now - socket.checked_at >= RECHECK and asked < MOST_ASKED):
                asked += not over  # a session may have been renewed meanwhile, so its end is asked for, too
                await socket.renew()
            if now - socket.pinged_at >= PING:
                socket.ping(now)
        self._measure()
        return 0

    def _measure(self) -> None:
        metrics = self._platform.metrics
        metrics.realtime_queue_messages.set(sum(len(socket.outbox) for socket in self.sockets))
        metrics.journal_reader_lag_seconds.set((self._platform.clock.now() - self.hub.read_at).total_seconds())
        followed = Counter(name.partition(":")[0] for socket in self.sockets for name in socket.followed)
        for family in self._families | followed.keys():
            metrics.realtime_topics.labels(family).set(followed[family])
        self._families |= followed.keys()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one handshake and, if it is let in, its socket (ASGI)."""
        await receive()
        try:
            admitted = await self._admit(scope)
        except Unauthenticated:
            await _accept(scope, send)
            await send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})
        except StagewrightError as error:
            if isinstance(error, LimitReached):
                self._platform.metrics.rate_limited.labels("sockets").inc()
            await self._deny(error, scope, receive, send)
        else:
            try:
                await self._talk(admitted, scope, receive, send)
            finally:
                self.seats.free(admitted.caller.user.id)
                self._tell_others()

    async def _admit(self, scope: Scope) -> Admitted:
        admitted = await self._admission.admit(scope)
        await self.seats.take(admitted.caller)
        return admitted

    async def _deny(self, error: StagewrightError, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(error, Denied) and not isinstance(error, CsrfRefused):
            await _accept(scope, send)
            await send({"type": "websocket.close", "code": NO_ACCESS, "reason": "no access"})
            return
        await problem(error, instance=PATH)(scope, receive, send)

    async def _talk(self, admitted: Admitted, scope: Scope, receive: Receive, send: Send) -> None:
        speaks = await _accept(scope, send)
        if not speaks:
            await send({"type": "websocket.close", "code": TOO_OLD, "reason": f"speak {PROTOCOL}"})
            return
        socket = Socket(self._parts, scope, admitted)
        self.sockets.add(socket)
        self._platform.metrics.realtime_sockets.set(len(self.sockets))
        try:
            await socket.serve(receive, send)
        except Exception as error:  # the door wrapper of sockets: one client's bug ends its socket only
            log.error("socket failed", exc_info=error)
            await self._platform.report_bug("gateway.realtime", error)
            await send({"type": "websocket.close", "code": FAILED, "reason": "connect again"})
        finally:
            self.sockets.discard(socket)
            self._platform.metrics.realtime_sockets.set(len(self.sockets))


async def _accept(scope: Scope, send: Send) -> bool:
    """Open the socket, so that the client can read a close code; say whether it speaks our protocol."""
    speaks = PROTOCOL in scope.get("subprotocols", ())
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL if speaks else None})
    return speaks


class Door:
    """Sends socket handshakes to the feed and everything else to the application."""

    def __init__(self, app: App, live: Live) -> None:
        self._app, self._live = app, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await self._live.serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})


@asynccontextmanager
async def open_live(platform: Platform, admission: Admission, *, limits: Limits | None = None) -> AsyncIterator[Live]:
    """Run the feed for the block."""
    live = Live(platform, admission, limits or Limits())
    await live.hub.start()
    platform.bell.add(live.poke)
    stop = asyncio.Event()
    running = asyncio.create_task(Loops(live.loops, clock=platform.clock, grace=NO_GRACE).run(stop), name="realtime")
    try:
        yield live
    finally:
        stop.set()
        live.logs.stop()
        await asyncio.gather(running, return_exceptions=True)
        await live.seats.leave()
