"""Where data lives unless a setting says otherwise, and how that folder is made."""

import os
from pathlib import Path

import platformdirs

from stagewright.kit.errors import Unavailable

ROOT_DATA = Path("/var/lib/stagewright")


class DataDirUnusable(Unavailable):
    """The data directory cannot be made or written."""

    code = "settings.data_dir_unusable"


def data_dir_default() -> Path:
    """Return the user's data directory; as root the system's state directory."""
    return ROOT_DATA if os.geteuid() == 0 else platformdirs.user_data_path("stagewright")


def make_data_dir(folder: Path) -> Path:
    """Make ``folder`` unless it exists and return it without symbolic links.

    It is closed to others; as root the database's own user may pass through it. Raise ``DataDirUnusable``.
    """
    folder = folder.expanduser().resolve()
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        usable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise DataDirUnusable(
            f"{folder} cannot be made ({error.strerror}): set STAGEWRIGHT_DATA_DIR to a folder you may write"
        ) from error
    if not usable:
        raise DataDirUnusable(f"{folder} is no folder you may write: set STAGEWRIGHT_DATA_DIR to one")
    return folder
