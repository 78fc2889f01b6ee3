"""Where an installation lives: one at a time, ports that stay, an endpoints file that is whole."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from stagewright.processes.cli.local import place

HOLD = (
    "import sys; from pathlib import Path; from stagewright.processes.cli.local.place import only_one\n"
    "with only_one(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
)


def test_a_second_one_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    document = {"pid": holder.pid, "gateway": "http://127.0.0.1:9"}
    (tmp_path / "endpoints.json").write_text(json.dumps(document))

    who = rf"at http://127.0.0.1:9 \(process {holder.pid}\)"
    with pytest.raises(place.AlreadyRunning, match=who), place.only_one(tmp_path):
        pytest.fail("two hold one folder")
    holder.kill()
    holder.communicate(timeout=20)

    with place.only_one(tmp_path):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid())


def test_ports_are_those_of_last_time_when_they_are_free() -> None:
    first = place.choose_ports(0, place.LOOPBACK, {})
    again = place.choose_ports(0, place.LOOPBACK, {"ports": asdict(first)})

    assert again == first
    assert len(set(asdict(first).values())) == 7


def test_a_taken_port_of_last_time_is_replaced() -> None:
    first = place.choose_ports(0, place.LOOPBACK, {})
    with closing(socket.create_server((place.LOOPBACK, first.tools))):
        again = place.choose_ports(0, place.LOOPBACK, {"ports": asdict(first)})

    assert again.tools != first.tools
    assert again.relay == first.relay


def test_a_wanted_port_that_is_taken_is_named_with_the_remedy() -> None:
    with closing(socket.create_server((place.LOOPBACK, 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(place.PortTaken, match=f"port {port} on 127.0.0.1 is in use: choose another with --port"):
            place.choose_ports(port, place.LOOPBACK, {})


def test_the_endpoints_are_written_whole_and_read_back(tmp_path: Path) -> None:
    ports = place.choose_ports(0, place.LOOPBACK, {})
    place.write_endpoints(tmp_path, gateway="http://127.0.0.1:1", ports=ports)

    found = place.read_endpoints(tmp_path)
    assert found["gateway"] == "http://127.0.0.1:1"
    assert found["relay"] == f"http://127.0.0.1:{ports.relay}"
    assert [path.name for path in tmp_path.iterdir()] == ["endpoints.json"]


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_damaged_endpoints_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "endpoints.json").write_text(text)

    assert place.read_endpoints(tmp_path) == {}
