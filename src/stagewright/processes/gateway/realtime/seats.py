"""The sockets of each person at this gateway, held against the limit over all gateways."""

import os
import socket
from collections import Counter
from uuid import UUID

from stagewright.contexts.identity.api import Caller
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import LimitReached, Unavailable
from stagewright.kit.http.limits import Bucket, take
from stagewright.kit.http.seats import KEPT_FRESH, keep_all_seats, keep_seats, leave_seats, take_seat
from stagewright.kit.ids import uuid7
from stagewright.kit.logs import get_logger
from stagewright.processes.gateway.realtime.outbox import Limits

log = get_logger(__name__)


class TooManySockets(LimitReached):
    """The person has as many open sockets as one may have."""

    code = "realtime.too_many_sockets"


class Seats:
    """Counts sockets from the moment they are let in until they are closed."""

    def __init__(self, db: Database, clock: Clock, limits: Limits) -> None:
        self._db, self._clock, self._limits = db, clock, limits
        self._gateway = f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-8:]}"
        self._here: Counter[UUID] = Counter()
        self._changed: set[UUID] = set()
        self._written_at = clock.now()

    async def take(self, caller: Caller) -> None:
        """Give the caller a seat until ``free``. Raises ``TooManySockets``, or ``LimitReached`` for too many tries.

        The person's bucket stays locked until the number is written: of two gateways, one sees the other's.
        """
        user, now = caller.user.id, self._clock.now()
        self._within(self._here[user] + 1)
        self._here[user] += 1
        try:
            async with self._db.transaction(caller.actor) as tx:
                await take(tx, Bucket("sockets", self._limits.connects_per_minute), caller.actor.id, now=now)
                here = self._here[user]
                self._within(here + await take_seat(tx, self._gateway, user, here, now=now))
        except BaseException:
            self.free(user)
            raise

    def free(self, user: UUID) -> None:
        """Count one socket of the person less; the next ``write`` says so to the others."""
        self._here[user] -= 1
        if self._here[user] <= 0:
            del self._here[user]
        self._changed.add(user)

    def _within(self, sockets: int) -> None:
        most = self._limits.sockets_per_user
        if sockets > most:
            raise TooManySockets(f"you have {most} open sockets already, in all windows together; close some")

    async def write(self) -> int:
        """Tell the other gateways what changed, or everything when that is due: a duty of a loop."""
        now = self._clock.now()
        changed, self._changed = self._changed, set()
        async with self._db.transaction() as tx:
            if now - self._written_at >= KEPT_FRESH:
                await keep_all_seats(tx, self._gateway, self._here, now=now)
                self._written_at = now
            elif changed:
                await keep_seats(tx, self._gateway, {user: self._here[user] for user in changed}, now=now)
        return 0

    async def leave(self) -> None:
        """Remove what was written, if the database answers; otherwise it counts for a minute."""
        try:
            async with self._db.transaction() as tx:
                await leave_seats(tx, self._gateway)
        except Unavailable as error:
            log.warning("open sockets could not be taken back", reason=error.message)
