"""Find the browser of the browser tests, or install the distribution's: ``python -m tools.chromium``.

Debian's package is used; nothing is downloaded from elsewhere. ``CONSOLE_CHROMIUM`` names another one. Where it is
missing and cannot be installed, the browser tests are skipped with a reason, but not in CI.
"""

import os
import shutil
import subprocess
import sys

NAME = "chromium"
OVERRIDE = "CONSOLE_CHROMIUM"
PACKAGES = (NAME, "fonts-dejavu-core")
REMEDY = (
    f"the browser tests need Chromium: install the package `{NAME}` of this system as root, "
    f"or name a Chromium in {OVERRIDE}"
)


def find() -> str | None:
    """Return the path of the browser, or None."""
    return os.environ.get(OVERRIDE) or shutil.which(NAME)


def install() -> None:
    """Install the distribution's browser; only root on a Debian can."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        give_up(REMEDY)
        return
    print(f"installing the browser of the browser tests: {' '.join(PACKAGES)}", file=sys.stderr)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run([apt, *arguments], env=environ, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0 and arguments[0] == "install":
            give_up(f"installing failed ({done.returncode}); {REMEDY}")


def give_up(reason: str) -> None:
    """Say why there is no browser. Only CI may not go on without one."""
    if os.environ.get("CI"):
        raise SystemExit(reason)
    print(f"without the browser tests: {reason}", file=sys.stderr)


def main() -> None:
    """Make sure that there is a browser, as far as this machine allows."""
    if find() is None:
        install()


if __name__ == "__main__":
    main()
