"""The command line's import gate (cli.md 11): what a command may not import before it has something to do.

People feel start-up at every Tab, and a clock in a test would flicker. So the gate is the list of imported modules.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.tree import Tree

MAIN = Path("src/stagewright/processes/cli/main.py")
COMMANDS = "stagewright.processes.cli.commands."
START = "import sys; from stagewright.processes.cli.main import main; sys.exit(main())"
LINE = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", flags=re.MULTILINE)
HEAVY = frozenset({"rich", "httpx", "http.client", "tomllib", "importlib.metadata"})
NEVER = frozenset({"fastapi", "grpc", "psycopg", "pydantic", "yaml", "stagewright.contexts", "stagewright.adapters"})
MOST_MODULES = 130  # measured 105: click and what it needs are about 85
DEADLINE = 30  # seconds


@dataclass(frozen=True)
class Gate:
    """A command line, what it must not import, and the one command module it may import."""

    arguments: tuple[str, ...]
    forbidden: frozenset[str]
    command: str | None = None


GATES = (
    Gate(("version", "--offline"), HEAVY | NEVER, "version"),
    Gate(("--help",), HEAVY | NEVER),
    Gate(("run", "--help"), HEAVY | NEVER, "run"),
)


def start_up(tree: Tree) -> list[str]:
    """Find commands that start slower than they have to."""
    if not (tree.root / MAIN).exists():
        return []
    return [problem for gate in GATES for problem in judge(gate, imported(tree.root / "src", gate.arguments))]


def imported(source: Path, arguments: tuple[str, ...]) -> set[str]:
    """Run the program from ``source`` and return the names of all modules it imported."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ},
            "HOME": home,
            "PYTHONPATH": str(source),
            "STAGEWRIGHT_CLI_CONFIG_DIR": home,
        }
        command = [sys.executable, "-X", "importtime", "-c", START, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False)
    return set(LINE.findall(done.stderr)) if done.returncode == 0 else {f"exit {done.returncode}"}


def judge(gate: Gate, modules: set[str]) -> list[str]:
    """Compare what was imported with what the gate lets through."""
    name = " ".join(("stagewright", *gate.arguments))
    if failed := [module for module in modules if module.startswith("exit ")]:
        return [f"{MAIN}: {name} ended with {failed[0]}"]
    found = [
        f"{MAIN}: {name} imports {module}; load it where it is used, by lazy.load"
        for module in sorted(gate.forbidden)
        if any(item == module or item.startswith(f"{module}.") for item in modules)
    ]
    others = {item.removeprefix(COMMANDS).split(".")[0] for item in modules if item.startswith(COMMANDS)}
    found += [f"{MAIN}: {name} imports the command {other}" for other in sorted(others - {gate.command})]
    if len(modules) > MOST_MODULES:
        found.append(f"{MAIN}: {name} imports {len(modules)} modules, at most {MOST_MODULES}")
    return found
