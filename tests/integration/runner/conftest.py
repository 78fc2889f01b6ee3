"""One platform and one runner per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import TOKENS, Remote, Run, an_assignment


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote")


@pytest.fixture
async def platform(remote: Remote) -> AsyncIterator[FakeControlPlane]:
    fake = FakeControlPlane(an_assignment(remote), remote.bundle(), run_token=TOKENS["run"])
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def run(tmp_path: Path, platform: FakeControlPlane) -> AsyncIterator[Run]:
    made = Run(tmp_path, platform)
    yield made
    await made.close()
