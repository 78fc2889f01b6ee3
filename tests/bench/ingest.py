"""Webhook ingest: the gateway beside a bare handler and beside pgbench with the same insert."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import subprocess
from pathlib import Path
from uuid import uuid4

from stagewright.kit.postgres import pgbench_path
from tests.bench.load import Outcome, Request, flat_out, steady
from tests.bench.stage import Stage, free_port, prepared

SECONDS = 6.0
CONNECTIONS = 48
STEADY = 1000.0
BODY_BYTES = 8 * 1024


async def measure(seconds: float = SECONDS) -> list[str]:
    """Return the lines to print; each figure is taken over so many seconds."""
    async with prepared() as stage:
        body = _body(stage)
        bare = await _bare(stage, body, seconds)
        flat, paced = await _gateway(stage, body, seconds)
        bench = await asyncio.to_thread(_pgbench, stage, body, seconds)
    return [
        f"bare handler   {bare.per_second:8.0f}/s   p99 {bare.quantile(0.99):6.1f} ms   {bare.statuses}",
        f"gateway        {flat.per_second:8.0f}/s   p99 {flat.quantile(0.99):6.1f} ms   {flat.statuses}",
        f"pgbench        {bench:8.0f}/s   (same insert, prepared, {CONNECTIONS} clients)",
        f"gateway / bare handler  {flat.per_second / bare.per_second:5.2f}   (goal >= 1.5)",
        f"gateway / pgbench       {flat.per_second / bench:5.2f}   (dream 0.5)",
        f"at a steady {STEADY:.0f}/s: p50 {paced.quantile(0.5):.1f} ms, p99 {paced.quantile(0.99):.1f} ms (goal <= 25)",
        f"                     {paced.per_second:.0f}/s answered, {paced.statuses}",
    ]


def _body(stage: Stage) -> bytes:
    payload = {
        "action": "labeled",
        "label": {"name": "bug"},
        "issue": {"number": 1, "state": "open", "labels": [], "updated_at": "2026-01-01T00:00:00Z"},
        "repository": {"id": 1, "full_name": stage.repository.full_name, "default_branch": "main"},
        "sender": {"login": "ann", "id": 1, "type": "User"},
    }
    raw = json.dumps(payload).encode()
    return raw[:-1] + b', "padding": "' + b"x" * (BODY_BYTES - len(raw) - 16) + b'"}'


def _requests(path: str, body: bytes, secret: str) -> Request:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    run = uuid4().hex
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-github-event: issues\r\nx-hub-signature-256: sha256={signature}\r\nx-github-delivery: {run}-"
    ).encode()

    def request(number: int) -> bytes:
        return head + f"{number}\r\n\r\n".encode() + body

    return request


async def _bare(stage: Stage, body: bytes, seconds: float) -> Outcome:
    port = free_port()
    extra = {
        "BENCH_DSN": stage.postgres.dsn,
        "BENCH_SECRET": stage.secret,
        "BENCH_REPOSITORY": str(stage.repository.id),
        "PYTHONPATH": os.pathsep.join(("src", ".")),
    }
    with stage.process(["-m", "tests.bench.bare", str(port)], f"http://127.0.0.1:{port}/", extra):
        warm, measured = (_requests("/", body, stage.secret) for _ in range(2))
        await flat_out("127.0.0.1", port, warm, connections=CONNECTIONS, seconds=1.0)
        return await flat_out("127.0.0.1", port, measured, connections=CONNECTIONS, seconds=seconds)


async def _gateway(stage: Stage, body: bytes, seconds: float) -> tuple[Outcome, Outcome]:
    port = free_port()
    path = f"/api/v1/webhooks/github/{stage.repository.id}"
    extra = {"STAGEWRIGHT_LISTEN": f"127.0.0.1:{port}"}
    with stage.process(["-m", "stagewright.processes.gateway"], f"http://127.0.0.1:{port}/healthz", extra):
        warm, measured, again = (_requests(path, body, stage.secret) for _ in range(3))  # a delivery counts once
        await flat_out("127.0.0.1", port, warm, connections=CONNECTIONS, seconds=1.0)
        flat = await flat_out("127.0.0.1", port, measured, connections=CONNECTIONS, seconds=seconds)
        paced = await steady("127.0.0.1", port, again, connections=CONNECTIONS, rate=STEADY, seconds=seconds)
        return flat, paced


def _pgbench(stage: Stage, body: bytes, seconds: float) -> float:
    script = stage.data / "insert.sql"
    _write_script(script, stage, body)
    done = subprocess.run(
        [
            str(pgbench_path()),
            *("--no-vacuum", "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=1"),
            *(f"--time={max(1, int(seconds))}", f"--file={script}", stage.postgres.dsn),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    match = re.search(r"tps = ([\d.]+)", done.stdout)
    if match is None:
        raise RuntimeError(f"pgbench failed: {done.stderr[-400:]}")
    return float(match[1])


def _write_script(path: Path, stage: Stage, body: bytes) -> None:
    text = body.decode().replace("'", "''")
    path.write_text(
        "insert into webhook_deliveries (delivery_id, repository_id, binding, event, payload, received_at, not_before) "
        f"values (gen_random_uuid()::text, '{stage.repository.id}', 'token', 'issues', convert_to('{text}', 'UTF8'), "
        "now(), now()) on conflict (delivery_id) do nothing;\n"
    )
