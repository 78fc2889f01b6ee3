"""The gateway as a process: it starts, answers, listens to signals, and says why it cannot start."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from stagewright.kit.crypto import Keyring
from stagewright.kit.migrate import migrate
from stagewright.kit.postgres import EmbeddedPostgres

DEADLINE = 30.0
PROGRAM = (sys.executable, "-m", "stagewright.processes.gateway")


def environment(dsn: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STAGEWRIGHT_")}
    return kept | {
        "STAGEWRIGHT_DATABASE_URL": dsn,
        "STAGEWRIGHT_DATA_DIR": str(folder),
        "STAGEWRIGHT_ROOT_KEYS": Keyring.generate(),
        "STAGEWRIGHT_PUBLIC_URL": "https://stagewright.test",
        "STAGEWRIGHT_OWNER_EMAIL": "owner@example.test",
        "STAGEWRIGHT_LISTEN": "127.0.0.1:0",
        "STAGEWRIGHT_METRICS_LISTEN": "127.0.0.1:0",
    }


@asynccontextmanager
async def a_process(environ: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        *PROGRAM, env=dict(environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def listening(child: asyncio.subprocess.Process) -> dict[str, str]:
    """Return the addresses the process logs: of the gateway and of its figures."""
    assert child.stdout is not None
    found: dict[str, str] = {}
    async with asyncio.timeout(DEADLINE):
        while "gateway listens" not in found:
            line = json.loads(await child.stdout.readline())
            found[line["event"]] = line.get("address", "")
    return found


async def test_the_process_serves_until_it_is_told_to_stop(dsn: str, tmp_path: Path) -> None:
    async with a_process(environment(dsn, tmp_path)) as child:
        addresses = await listening(child)
        async with httpx.AsyncClient() as client:
            ready = await client.get(f"{addresses['gateway listens']}/readyz")
            assert ready.json() == {"failed": []}
            assert (await client.get(f"{addresses['gateway listens']}/metrics")).status_code == 404
            assert (await client.get(f"{addresses['gateway listens']}/api/v1/me")).status_code == 401
            figures = (await client.get(f"{addresses['metrics listen']}/metrics")).text
            assert 'stagewright_http_requests_total{method="GET",route="/api/v1/me",status="401"} 1.0' in figures
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            assert await child.wait() == 0


async def test_a_process_without_its_keys_names_them_and_does_not_start(dsn: str, tmp_path: Path) -> None:
    environ = environment(dsn, tmp_path)
    del environ["STAGEWRIGHT_ROOT_KEYS"]
    async with a_process(environ) as child:
        async with asyncio.timeout(DEADLINE):
            _, said = await child.communicate()
        assert child.returncode == 2
        assert "STAGEWRIGHT_ROOT_KEYS: is required" in said.decode()


async def test_a_first_start_without_an_owner_says_whom_to_name(dsn: str, tmp_path: Path) -> None:
    environ = environment(dsn, tmp_path)
    del environ["STAGEWRIGHT_OWNER_EMAIL"]
    async with a_process(environ) as child:
        async with asyncio.timeout(DEADLINE):
            _, said = await child.communicate()
        assert child.returncode == 2
        assert "set STAGEWRIGHT_OWNER_EMAIL" in said.decode()


async def test_a_process_on_an_older_schema_says_how_to_upgrade(empty_dsn: str, tmp_path: Path) -> None:
    async with a_process(environment(empty_dsn, tmp_path)) as child:
        async with asyncio.timeout(DEADLINE):
            _, said = await child.communicate()
        assert child.returncode == 2
        assert "stagewright db migrate" in said.decode()


async def test_an_embedded_process_uses_the_server_that_runs(postgres: EmbeddedPostgres) -> None:
    await migrate(postgres.dsn)
    environ = environment(postgres.dsn, postgres.cluster.parents[1])
    for name in ("DATABASE_URL", "ROOT_KEYS", "PUBLIC_URL", "METRICS_LISTEN"):
        del environ[f"STAGEWRIGHT_{name}"]
    async with a_process(environ) as child:
        addresses = await listening(child)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{addresses['gateway listens']}/readyz")).json() == {"failed": []}
        child.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEADLINE):
            assert await child.wait() == 0
    assert postgres.alive()
