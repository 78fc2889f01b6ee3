"""The console's figures beside their budgets (console.md §10): each script of console/bench, on a real gateway.

Bytes, CPU and what must hold (no line is lost, the last one is seen) decide how the command ends, by the bracket
beside the budget. Wall times only warn, and only when the machine was quiet at the start.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tools import chromium, npm

from tests.bench.console_scenery import Scenery, built
from tests.bench.stage import free_port, prepared

SCRIPTS: Final[dict[str, str]] = {
    "closure": "gzip bytes of what each page loads, from the build's manifest (fails the command)",
    "load": "first visits: bytes on the wire (fail the command), largest paint, layout shift, long tasks; also slow",
    "cpu": "CPU of the page's thread: to a usable list, and for each event on 200 rows (fails the command)",
    "events": "from a commit to the paint: single events, 200 a second, over a dropped socket, by polling",
    "log": "a log of 1,000,000 lines: load, memory, scrolling, jumps, search; and a live tail of 2,500 lines a second",
    "hidpi": "the last of 1,000,000 lines is reached and seen at device scale 1, 2 and 3",
    "firefox": "the same in Firefox, where Debian's firefox-esr is installed (CONSOLE_FIREFOX names another)",
}
ALONE: Final = frozenset({"closure"})
WITHIN: Final = 300.0
LONGEST_LINE: Final = 16 * 1024 * 1024
QUIET: Final = 1.5


async def measure(names: Sequence[str], *, small: bool = False) -> int:
    """Run the scripts one after the other and print what they say; return how many of them failed."""
    load = os.getloadavg()[0]
    judged = "" if load <= QUIET else f": above {QUIET} wall times are not judged"
    print(f"load average {load:.1f} on {os.cpu_count()} cores{judged}", flush=True)
    environ = npm.environment({**os.environ, "BENCH_LOAD": f"{load:.2f}", "BENCH_SMALL": "1" if small else ""})
    failed = sum([await _run(name, environ, None) for name in names if name in ALONE])
    staged = [name for name in SCRIPTS if name in names and name not in ALONE]  # logs add runs to the list: they follow
    if staged and chromium.find() is None:
        print(f"not measured: {', '.join(staged)}: {chromium.REMEDY}")
    elif staged:
        async with _served(environ | {"CONSOLE_CHROMIUM": str(chromium.find())}) as (scenery, served):
            failed += sum([await _run(name, served, scenery) for name in staged])
    return failed


@asynccontextmanager
async def _served(environ: dict[str, str]) -> AsyncIterator[tuple[Scenery, dict[str, str]]]:
    """Serve the built console by a gateway with something to show; yield that and the scripts' environment."""
    async with prepared() as stage:
        scenery = await built(stage)
        url = f"http://127.0.0.1:{free_port()}"
        listen = {"STAGEWRIGHT_LISTEN": url.removeprefix("http://"), "STAGEWRIGHT_PUBLIC_URL": url}
        with stage.process(["-m", "stagewright.processes.gateway"], f"{url}/readyz", listen):
            yield scenery, environ | {"BENCH_URL": url, "BENCH_COOKIE": scenery.cookie}


async def _run(name: str, environ: dict[str, str], scenery: Scenery | None) -> bool:
    """Run one script: its questions are answered, every other line is printed. Say whether it failed."""
    print(f"\n{name}: {SCRIPTS[name]}", flush=True)
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *(str(npm.home() / "bin" / "node"), f"bench/{name}.mjs"),
        cwd=npm.CONSOLE,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    try:
        async with asyncio.timeout(WITHIN):
            await _answer(child, scenery)
            status = await child.wait()
    except TimeoutError:
        print(f"  not finished within {WITHIN:.0f} s")
        status = 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return status != 0


async def _answer(child: asyncio.subprocess.Process, scenery: Scenery | None) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    async for line in child.stdout:
        if not line.startswith(b'{"ask":'):
            print(f"  {line.decode().rstrip()}", flush=True)
            continue
        assert scenery is not None, "a script that runs alone has nobody to ask"
        wish: dict[str, Any] = json.loads(line)
        child.stdin.write(json.dumps(await scenery.answer(wish.pop("ask"), wish)).encode() + b"\n")
        await child.stdin.drain()


def main(arguments: Sequence[str]) -> int:
    """Print the figures of the named scripts, or of all."""
    told = "\n".join(f"  {name:9} {says}" for name, says in SCRIPTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.console",
        description=__doc__,
        epilog=f"scripts:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scripts", nargs="*", metavar="script", help="which to run; all when none is named")
    parser.add_argument(
        "--small", action="store_true", help="a moment of each, to see that it works: no figures to keep"
    )
    wish = parser.parse_args(arguments)
    if unknown := [name for name in wish.scripts if name not in SCRIPTS]:
        parser.error(f"no script {', '.join(unknown)}; there are {', '.join(SCRIPTS)}")
    return 1 if asyncio.run(measure(wish.scripts or list(SCRIPTS), small=wish.small)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
