"""The wheel holds all that a machine without a checkout needs, the built console among it (B5.5)."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from stagewright import __version__
from stagewright.kit import migrate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]
ROOT = Path(__file__).parents[2]
DIST = ROOT / "console" / "dist"
INSIDE = "stagewright/processes/gateway/console_dist"
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "tools/wheel.py", "src/stagewright/__init__.py")
ASK = """
import asyncio, json, stagewright
from stagewright.contexts.workflow import api as workflow
from stagewright.kit import migrate
from stagewright.processes.gateway.console import FOLDERS, Console

async def ask(path, encoding):
    said = []
    async def send(message):
        said.append(message)
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept-encoding", encoding)]}
    await Console(None, folders=FOLDERS[:1])(scope, None, send)
    headers = {key.decode(): value.decode() for key, value in said[0]["headers"]}
    return [said[0]["status"], headers, len(b"".join(item.get("body", b"") for item in said[1:]))]

async def main():
    (asset,) = [path for path in FOLDERS[0].glob("assets/index-*.js")][:1]
    print(json.dumps({
        "from": stagewright.__file__,
        "page": await ask("/runs", b""),
        "asset": await ask(f"/assets/{asset.name}", b"br"),
        "migrations": migrate.newest(),
        "stages": len(workflow.builtin_policy().stages),
    }))

asyncio.run(main())
"""


def build(root: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build the wheel of ``root`` with the backend that is here: nothing is fetched."""
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    return subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    assert (DIST / "index.html").is_file(), "build the console first: `make console`"
    out = tmp_path_factory.mktemp("wheel")
    built = build(ROOT, out)
    assert built.returncode == 0, built.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """Return a folder that holds what the wheel installs."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, arguments: Sequence[str]) -> str:
    """Run Python on what the wheel installs, before and instead of this checkout, and return what it prints."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), "HOME": str(unpacked.parent)}
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=unpacked.parent,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_console_migrations_policy_prompts_and_a_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = frozenset(archive.namelist())
        points = archive.read(f"stagewright-{__version__}.dist-info/entry_points.txt").decode()
        shipped = {name: archive.read(name) for name in names if name.startswith(f"{INSIDE}/")}
    console = {f"{INSIDE}/{path.relative_to(DIST).as_posix()}": path for path in DIST.rglob("*") if path.is_file()}
    assert shipped == {name: path.read_bytes() for name, path in console.items()}
    assert f"{INSIDE}/index.html" in shipped
    assert {name.rpartition(".")[2] for name in shipped} >= {"html", "js", "css", "br", "gz"}
    migrations = {f"stagewright/_migrations/{path.name}" for path in (ROOT / "db/migrations").glob("*.sql")}
    package = ROOT / "src"
    texts = {path.relative_to(package).as_posix() for path in package.rglob("*.*") if path.suffix in (".md", ".html")}
    assert migrations | texts <= names
    assert len(migrations) > 0
    assert "stagewright = stagewright.processes.cli.main:main" in points
    assert not [name for name in names if name.startswith(("tests/", "console/", "tools/")) or "__pycache__" in name]


def test_what_the_wheel_installs_runs_and_serves_the_console(unpacked: Path) -> None:
    command = (
        "from stagewright.processes.cli.main import main; import sys; sys.argv[1:] = ['version']; sys.exit(main())"
    )
    assert __version__ in run(unpacked, ["-c", command])
    told = json.loads(run(unpacked, ["-c", ASK]))
    assert told["from"] == str(unpacked / "stagewright" / "__init__.py")
    status, headers, size = told["page"]
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert size > 300
    status, headers, _ = told["asset"]
    assert (status, headers["content-encoding"]) == (200, "br")
    assert told["migrations"] == migrate.newest()
    assert told["stages"] > 5


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "is not built: run `make console` first"),
        (("index.html", "assets/index-1.js"), "are not packed: run `make console` first"),
    ],
)
def test_no_wheel_is_built_without_a_whole_console(tmp_path: Path, files: tuple[str, ...], says: str) -> None:
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "db", tmp_path / "db")
    for name in files:
        (tmp_path / "console/dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "console/dist" / name).write_text("there")
    built = build(tmp_path, tmp_path / "out")
    assert built.returncode != 0
    assert says in built.stderr + built.stdout
    assert not list((tmp_path / "out").glob("*.whl"))
