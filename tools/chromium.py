"""Find the browser of the browser tests, or install the distribution's: ``python -m tools.chromium``.

Debian's package is used; nothing is downloaded from elsewhere. ``CONSOLE_CHROMIUM`` names another one.
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
        raise SystemExit(REMEDY)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run([apt, *arguments], env=environ, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0 and arguments[0] == "install":
            raise SystemExit(f"installing failed ({done.returncode}); {REMEDY}")


def main() -> None:
    """Make sure that there is a browser and print where."""
    if find() is None:
        print("installing the browser of the browser tests", file=sys.stderr)
        install()
    print(find() or REMEDY)


if __name__ == "__main__":
    main()
