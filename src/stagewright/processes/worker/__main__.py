"""Entry point of the worker."""

import sys

from stagewright.processes.common import run
from stagewright.processes.worker.main import main

if __name__ == "__main__":
    sys.exit(run("worker", main))
