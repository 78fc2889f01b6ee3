"""Entry point of the gateway."""

import sys

from stagewright.processes.common import run
from stagewright.processes.gateway.main import main

if __name__ == "__main__":
    sys.exit(run("gateway", main))
