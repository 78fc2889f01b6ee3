"""How long the command line takes before it works: CPU time over the bare interpreter, best of ten (cli.md 11)."""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stagewright.processes.cli import cache, contexts
from tests.integration.cli.fake_server import Reply, fake_server

TRIES = 10
START = "import sys; from stagewright.processes.cli.main import main; sys.exit(main())"
RUN = {
    "id": "01920000-0000-7000-8000-000000000001",
    "number": "run-0001",
    "status": "running",
    "version": 1,
    "stage": "dev",
    "repository": "acme/shop",
    "issue_number": 7,
    "created_at": "2026-05-04T12:00:00Z",
}


@dataclass(frozen=True)
class Case:
    """A command line, its budget in milliseconds, and what a shell would set."""

    name: str
    budget: int
    arguments: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def completing(words: str, index: int) -> dict[str, str]:
    """Return what bash sets at a Tab."""
    return {"_STAGEWRIGHT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}


CASES = (
    Case("version --offline", 35, ("version", "--offline")),
    Case("--help", 40, ("--help",)),
    Case("run --help", 40, ("run", "--help")),
    Case("completion, cache hit", 45, environ=completing("stagewright run view 0", 3)),
    Case("completion, server", 90, environ=completing("stagewright project use s", 3)),
    Case("run list", 180, ("run", "list", "--all-projects")),
)


async def measure() -> list[str]:
    """Return the lines to print."""
    return await asyncio.to_thread(_lines)


def _lines() -> list[str]:
    with _place() as environ:
        bare, _ = _best(("-c", "pass"), environ)
        lines = [f"bare interpreter {bare:.0f} ms of CPU; over it, best of {TRIES} (wall time beside):"]
        for case in CASES:
            cpu, wall = _best(("-c", START, *case.arguments), environ | dict(case.environ))
            lines.append(f"{case.name}: {cpu - bare:.0f} ms (budget {case.budget}), wall {wall:.0f} ms")
    return lines


@contextmanager
def _place() -> Iterator[dict[str, str]]:
    """Give the program a home, a context, a cache and a server that answers at once."""
    with tempfile.TemporaryDirectory() as home, fake_server() as server:
        environ = {
            name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ
        } | {"HOME": home, "STAGEWRIGHT_CLI_CONFIG_DIR": home}
        server.on[("GET", "/api/v1/runs")] = lambda _: Reply(body={"items": [RUN] * 30, "next_cursor": None})
        server.answers = [Reply(body={"items": [{"id": "p", "key": "shop", "name": "Shop"}], "next_cursor": None})]
        contexts.keep(Path(home), "bench", {"host": server.url, "token": "t"})
        cache.remember(environ, "runs", server.url, [(str(RUN["id"]), "dev · running · #7")])
        yield environ


def _best(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Return the least CPU and wall time in milliseconds."""
    times = [_once(arguments, environ) for _ in range(TRIES)]
    return min(cpu for cpu, _ in times), min(wall for _, wall in times)


def _once(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    cached = Path(environ["HOME"]) / "cache"
    for path in cached.glob("projects-*"):
        path.unlink()  # the case that asks the server must ask each time
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=dict(environ), capture_output=True, timeout=60, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), done.stderr.decode()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu * 1000, wall * 1000


if __name__ == "__main__":
    sys.stdout.write("\n".join(_lines()) + "\n")
