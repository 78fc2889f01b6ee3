"""What the relay does when its own side fails: the database goes away, a bug shows."""

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.integration.relay.harness import KEY, Provider, a_bench, completed, stream

from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Database, DatabaseUnavailable


class Broken(Sealer):
    """A sealer with a bug."""

    def open(self, blob: bytes, *, context: str) -> bytes:
        raise RuntimeError("a bug")


class Vanishing(Database):
    """A database whose writes fail once ``gone`` is set."""

    gone = False

    def transaction(self, *args: object, **options: object):  # type: ignore[no-untyped-def]
        if self.gone:
            raise DatabaseUnavailable("the database does not answer")
        return super().transaction(*args, **options)  # type: ignore[arg-type]


async def test_a_bug_is_reported_and_shows_nothing(db: Database, clock: FakeClock) -> None:
    broken = Broken(factories.KEYRING, "credentials")
    async with a_bench(db, clock, sealer=broken) as bench:
        live = await bench.live()
        await bench.credential("codex", None)
        response = await bench.post(live)
        assert (response.status_code, response.json()["code"]) == (500, "internal")
        assert "a bug" not in response.text
        assert [str(bug) for bug in bench.bugs] == ["a bug"]
        bench.bugs.clear()


@pytest.mark.parametrize("engine", ["codex", "claude"])
async def test_an_answer_outlives_the_database(dsn: str, clock: FakeClock, provider: Provider, engine: str) -> None:
    async with Vanishing.open(dsn, clock=clock, max_size=4) as db, a_bench(db, clock) as bench:
        assert isinstance(db, Vanishing)
        live = await bench.live(engine)
        await bench.credential(engine, provider.url, secret=KEY)
        assert (await bench.post(live)).status_code == 200  # the credential is known to count now
        db.gone = True
        provider.answers = [[stream(), completed(1, 0, 1)]]
        assert (await bench.post(live)).content == completed(1, 0, 1)
        db.gone = False
        assert await bench.usage(live) == []
