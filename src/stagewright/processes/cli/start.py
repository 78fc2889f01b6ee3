"""The start and end of a short program without needless work: people feel both at every Tab.

Imported before everything else. Modules live as long as the program, so looking for garbage among them while they are
loaded, and taking them apart at the end, is a quarter of what `--help` costs.
"""

import gc
import os
import sys
from typing import NoReturn

COLLECTING = gc.isenabled()
WORKERS = frozenset({"http.client", "subprocess", "asyncio", "concurrent.futures", "multiprocessing"})
gc.disable()


def loaded() -> None:
    """Collect garbage again, but not among what was loaded so far."""
    gc.freeze()
    if COLLECTING:
        gc.enable()


def leave(code: int) -> NoReturn:
    """End the program. What only wrote text has nothing to take apart: no connection, no child, no thread."""
    if not WORKERS.isdisjoint(sys.modules):
        sys.exit(code)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code)
