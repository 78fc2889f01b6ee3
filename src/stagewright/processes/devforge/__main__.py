"""``python -m stagewright.processes.devforge``: parse the flags, serve until told to stop."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from stagewright.kit.clock import SystemClock
from stagewright.kit.errors import Invalid, StagewrightError
from stagewright.processes.devforge.planting import plant
from stagewright.processes.devforge.serve import ForgeServer, announce, loopback_socket, make_server
from stagewright.processes.devforge.state import Forge


def main() -> int:
    """Serve; the exit code is 0 after SIGTERM or Ctrl-C, 2 when a flag or the seed is wrong."""
    flags = _flags().parse_args()
    try:
        return _serve(flags)
    except StagewrightError as error:
        sys.stderr.write(f"devforge: {error}\n")
        return 2


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stagewright.processes.devforge", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0", help="loopback address and port; port 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder for the bare repositories")
    parser.add_argument("--seed", type=Path, help="JSON file with users, tokens, repositories and issues to start with")
    parser.add_argument("--announce", type=Path, help="file to write {url, api_url, pid} to when ready")
    return parser


def _read_seed(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"--seed: cannot read {path} as JSON: {error}") from error


def _serve(flags: argparse.Namespace) -> int:
    seed = _read_seed(flags.seed) if flags.seed else None

    def ready(forge: Forge) -> None:
        if flags.announce:
            announce(flags.announce, forge)
        sys.stdout.write(f"practice forge at {forge.web_url} (API {forge.api_url})\n")
        sys.stdout.flush()

    server = make_server(loopback_socket(flags.listen), flags.data.resolve(), SystemClock(), ready)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after its clean end; it has done its work by then
        signal.signal(number, lambda *_: None)
    asyncio.run(_plant_and_serve(server, seed))
    return 0


async def _plant_and_serve(server: ForgeServer, seed: object) -> None:
    if seed is not None:
        await plant(server.forge, seed)
    await server.serve(sockets=[server.bound])


if __name__ == "__main__":
    sys.exit(main())
