"""Where the link leads that `up` prints: to the address that the console takes writes from."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stagewright.processes.cli.local.installation import Running
from stagewright.processes.cli.local.place import Ports
from stagewright.processes.cli.local.prepare import Prepared
from stagewright.processes.cli.local.tree import ProcessTree
from stagewright.processes.settings import load

HERE = "http://127.0.0.1:4711"


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({}, HERE),
        ({"STAGEWRIGHT_LISTEN": "127.0.0.1:0"}, HERE),
        ({"STAGEWRIGHT_PUBLIC_URL": "https://console.example.org"}, "https://console.example.org"),
    ],
)
def test_the_link_leads_to_the_public_address(tmp_path: Path, environ: dict[str, str], base: str) -> None:
    prepared = Prepared(
        token="swt_x",
        token_expires_at=datetime(2026, 5, 4, tzinfo=UTC),
        project="default",
        schema=1,
        sign_in_code="code",
    )
    running = Running(
        settings=load("up", {"STAGEWRIGHT_DATA_DIR": str(tmp_path), **environ}),
        url=HERE,
        data=tmp_path,
        ports=Ports(
            gateway=4711,
            controlplane=4712,
            tools=4713,
            relay=4714,
            gateway_metrics=4715,
            controlplane_metrics=4716,
            worker_metrics=4717,
        ),
        prepared=prepared,
        tree=ProcessTree(tmp_path, print),
    )
    assert running.sign_in_link == f"{base}/login#code"
