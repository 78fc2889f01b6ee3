"""``python -m stagewright.processes.runner``: everything it needs is in four variables and three token files."""

import sys

from stagewright.processes.runner.main import main

if __name__ == "__main__":
    sys.exit(main())
