"""Put the built console into the wheel: a hook of the build. No console, no wheel; editable installs need none.

The console is served packed, so one whose files were not packed is no whole build.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DIST = Path("console/dist")
PACKED = ("br", "gz")
TARGET = "stagewright/processes/gateway/console_dist"


class ConsoleHook(BuildHookInterface):  # type: ignore[type-arg] # the build's own configuration has no type of ours
    """Adds the console's files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files, or stop the build with what to do."""
        if version == "editable":
            return
        folder = Path(self.root) / DIST
        if not (folder / "index.html").is_file():
            raise RuntimeError(f"the wheel holds the console, and {DIST} is not built: run `make console` first")
        if not all(any(folder.glob(f"assets/*.{end}")) for end in PACKED):
            raise RuntimeError(f"the files in {DIST} are not packed: run `make console` first")
        build_data["force_include"][str(folder)] = TARGET
