"""Stage 1: bytes of a file to marked trees, or findings; nothing else ever comes out (``stack.md`` section 1.2)."""

from stagewright.contexts.deploys.rules.reading.files import ParseCache, read_manifests, read_stack_file
from stagewright.contexts.deploys.rules.reading.limits import MOST_BYTES, MOST_FILES, MOST_TOTAL

__all__ = ["MOST_BYTES", "MOST_FILES", "MOST_TOTAL", "ParseCache", "read_manifests", "read_stack_file"]
