"""The stubs of the runner protocol: made from ``proto/`` alone, always the same, and found when they are stale."""

import shutil
from pathlib import Path

import pytest
from tests.unit.house.trees import ROOT
from tools import proto

MESSAGE = 'syntax = "proto3";\npackage stagewright.v1;\nmessage Ping { string text = 1; }\n'
SERVICE = """syntax = "proto3";
package stagewright.v1;
import "stagewright/wire/v1/ping.proto";
service Pinger { rpc Send(Ping) returns (Ping); }
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / proto.SOURCES).mkdir(parents=True)
    (tmp_path / proto.STUBS).mkdir(parents=True)
    (tmp_path / proto.SOURCES / "ping.proto").write_text(MESSAGE)
    return tmp_path


def test_no_proto_files_make_no_stubs(tmp_path: Path) -> None:
    assert proto.generate(tmp_path) == {}


def test_stubs_import_each_other_from_the_wire_package(tree: Path) -> None:
    (tree / proto.SOURCES / "pinger.proto").write_text(SERVICE)

    stubs = proto.generate(tree)

    assert set(stubs) == {
        *("ping_pb2.py", "ping_pb2.pyi", "pinger_pb2.py", "pinger_pb2.pyi"),
        *("pinger_pb2_grpc.py", "pinger_pb2_grpc.pyi"),
    }
    assert b"from stagewright.wire.v1 import ping_pb2" in stubs["pinger_pb2_grpc.py"]
    assert b"/stagewright.v1.Pinger/Send" in stubs["pinger_pb2_grpc.py"]
    assert proto.generate(tree) == stubs


def test_a_stale_a_missing_and_a_forsaken_stub_are_found_and_mended(tree: Path) -> None:
    proto.write(tree)
    assert proto.problems(tree) == []
    (tree / proto.STUBS / "ping_pb2.py").write_text("# edited by hand\n")
    (tree / proto.STUBS / "ping_pb2.pyi").unlink()
    (tree / proto.STUBS / "gone_pb2.py").write_text("")

    assert [line.split(":")[0].split("/")[-1] for line in proto.problems(tree)] == [
        "gone_pb2.py",
        "ping_pb2.py",
        "ping_pb2.pyi",
    ]
    proto.write(tree)
    assert proto.problems(tree) == []


def test_a_proto_file_that_does_not_parse_is_named_with_its_line(tree: Path) -> None:
    (tree / proto.SOURCES / "ping.proto").write_text('syntax = "proto3";\nmessage Ping { text = 1; }\n')

    (problem,) = proto.problems(tree)

    assert "ping.proto:2" in problem


def test_the_committed_stubs_are_current(tmp_path: Path) -> None:
    for folder in (proto.SOURCES, proto.STUBS):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    assert proto.problems(tmp_path) == []
