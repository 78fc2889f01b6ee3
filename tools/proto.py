"""Generate the runner protocol's Python stubs from ``proto/``: ``python -m tools.proto`` (``make proto``).

The proto files say package ``stagewright.v1``; the stubs are imported as ``stagewright.wire.v1``. protoc maps the one
folder onto the other, so a proto file imports another as ``stagewright/wire/v1/<name>.proto``.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = Path("proto/stagewright/v1")
STUBS = Path("src/stagewright/wire/v1")
PACKAGE = "stagewright/wire/v1"
DEADLINE = 120  # seconds
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


class ProtoFailed(Exception):
    """protoc refused a file; the message is protoc's own, with file and line."""


def generate(root: Path) -> dict[str, bytes]:
    """Return the stubs by file name. A file without a service gets no gRPC stubs. Nothing is written under ``root``."""
    sources = sorted((root / SOURCES).glob("*.proto"))
    with_service = [path for path in sources if re.search(r"^service\s", path.read_text("utf-8"), flags=re.MULTILINE)]
    with tempfile.TemporaryDirectory() as folder:
        _protoc(root, sources, [f"--python_out={folder}", f"--mypy_out={folder}"])
        _protoc(root, with_service, [f"--grpc_python_out={folder}", f"--mypy_grpc_out={folder}"])
        return {path.name: path.read_bytes() for path in sorted((Path(folder) / PACKAGE).glob("*"))}


def _protoc(root: Path, sources: list[Path], outputs: list[str]) -> None:
    if not sources:
        return
    plugins = [f"--plugin=protoc-gen-{name}={_plugin(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    names = [f"{PACKAGE}/{path.name}" for path in sources]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PACKAGE}={SOURCES}", *plugins, *outputs, *names]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=DEADLINE, check=False)
    if done.returncode:
        raise ProtoFailed(done.stderr.strip())


def _plugin(name: str) -> Path:
    return Path(sys.executable).parent / name


def problems(root: Path) -> list[str]:
    """Return what differs between the committed stubs and what protoc makes of ``proto/`` now."""
    try:
        wanted = generate(root)
    except ProtoFailed as error:
        return [f"{SOURCES}: {error}"]
    committed = _committed(root)
    found = [f"{STUBS / name}: no proto file makes it; run make proto" for name in committed.keys() - wanted.keys()]
    found += [f"{STUBS / name}: missing; run make proto" for name in wanted.keys() - committed.keys()]
    for name in wanted.keys() & committed.keys():
        if wanted[name] != committed[name]:
            found.append(f"{STUBS / name}: differs from what proto/ says; run make proto")
    return sorted(found)


def _committed(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for pattern in GENERATED for path in (root / STUBS).glob(pattern)}


def write(root: Path) -> list[str]:
    """Write the stubs, remove those nothing makes any more, and return the names that changed."""
    wanted, committed = generate(root), _committed(root)
    for name in committed.keys() - wanted.keys():
        (root / STUBS / name).unlink()
    changed = [name for name, content in wanted.items() if committed.get(name) != content]
    for name in changed:
        (root / STUBS / name).write_bytes(wanted[name])
    return sorted(changed) + sorted(committed.keys() - wanted.keys())


if __name__ == "__main__":
    for changed_name in write(ROOT):
        print(STUBS / changed_name)
