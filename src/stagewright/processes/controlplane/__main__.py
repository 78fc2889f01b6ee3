"""Entry point of the control plane."""

import sys

from stagewright.processes.common import run
from stagewright.processes.controlplane.main import main

if __name__ == "__main__":
    # grpc.aio drives its own poller; uvloop's child watcher and it disagree under load.
    sys.exit(run("controlplane", main, loop="asyncio"))
