"""Getting a session from a platform that is away, or that cannot give it."""

import hashlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from stagewright.processes.runner import sessions as module
from stagewright.processes.runner.door import Door
from stagewright.processes.runner.failures import Failed, NotTaken, Unreachable
from stagewright.processes.runner.sessions import SessionLost, fetch_session
from stagewright.wire.v1 import session_pb2


class Platform:
    """Answers with these failures first, then with a session."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def get_session(self, session_id: str) -> AsyncIterator[session_pb2.SessionChunk]:
        """Stream the session, or fail."""
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        digest = hashlib.sha256(b"archive").hexdigest()
        yield session_pb2.SessionChunk(header=session_pb2.SessionHeader(archive_sha256=digest))
        yield session_pb2.SessionChunk(archive=b"archive")


def door(platform: Platform) -> Door:
    return cast(Door, platform)


async def test_a_platform_that_is_away_for_a_moment_is_asked_again() -> None:
    platform = Platform(Unreachable("away"))
    assert (await fetch_session(door(platform), "s")).archive == b"archive"
    assert platform.calls == 2


async def test_a_session_the_platform_does_not_have_is_lost() -> None:
    with pytest.raises(SessionLost, match="does not give"):
        await fetch_session(door(Platform(NotTaken("session.damaged", "gone"))), "s")


async def test_a_session_the_platform_cannot_give_now_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(Failed) as failed:
        await fetch_session(door(Platform(Unreachable("UNAVAILABLE: the root key k1 is missing"))), "s")
    assert failed.value.outcome.code == "source_unavailable"
    assert "root key" in failed.value.outcome.detail
