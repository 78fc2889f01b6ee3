"""Where the trace of a bug goes: to a file of ours, so that the person sees one line and can send the rest."""

import os
import sys
import time
import traceback

from stagewright.processes.cli import contexts


def keep_trace(error: Exception, *, debug: bool) -> str:
    """Write the trace to the client's folder and return where; with ``debug`` print it, too."""
    text = "".join(traceback.format_exception(error))
    if debug:
        print(text, file=sys.stderr)
    folder = contexts.config_dir(os.environ)
    path = folder / f"trace-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    except OSError as failure:
        return f"could not be kept in {path}: {failure.strerror}; use --debug"
    return str(path)
