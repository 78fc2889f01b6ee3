"""The repository of the folder we stand in, so that ``#12`` means its issue."""

import re
import shutil
import subprocess

ORIGIN = re.compile(r"(?:[/:])([\w.-]+/[\w.-]+?)(?:\.git)?/?")
DEADLINE = 5


def origin_repository() -> str | None:
    """Return ``owner/name`` of ``remote.origin.url``, None outside a work tree."""
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "config", "--get", "remote.origin.url"],
            capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return repository_of(done.stdout.strip()) if done.returncode == 0 else None


def repository_of(url: str) -> str | None:
    """Return ``owner/name`` of a remote's address."""
    found = re.search(ORIGIN.pattern + r"$", url)
    return found[1] if found else None
