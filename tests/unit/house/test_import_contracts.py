"""Every import contract bites: one offending line in a clean tree breaks the contract that is there for it."""

from pathlib import Path

import pytest
from tests.unit.house.trees import Tree, broken_contracts


def test_a_clean_tree_keeps_every_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken_contracts(Tree(tmp_path), monkeypatch, capsys) == set()


OFFENCES = [
    ("storeys", "kit/errors", "import {root}.wire.v1.run_pb2", "kit knows nothing of ours"),
    ("storeys", "wire/v1/run_pb2", "import {root}.kit.errors", "wire stands beside kit"),
    ("storeys", "contexts/runs/usecases", "import {root}.adapters.github.forge", "a context reaches out by ports"),
    (
        "storeys",
        "adapters/github/forge",
        "import {root}.processes.worker.main",
        "an adapter is wired, it does not wire",
    ),
    ("storeys", "helpers", "", "the storeys are all there is"),
    ("order", "contexts/workflow/usecases", "import {root}.contexts.runs.api", "a lower context never calls up"),
    ("order", "contexts/scheduling/model", "", "a context stands in the order"),
    ("doors", "contexts/intake/reconcile", "import {root}.contexts.runs.store", "another context is used through api"),
    ("doors", "contexts/intake/reconcile", "from {root}.contexts.runs.store.rows import claim", "also inside a folder"),
    (
        "doors",
        "contexts/intake/reconcile",
        "from {root}.contexts.runs import http",
        "a door is no way in for a context",
    ),
    ("doors", "adapters/github/forge", "import {root}.contexts.runs.api", "an adapter has ports and words only"),
    ("shape", "contexts/runs/helpers", "", "a context has no other names"),
    ("shape", "contexts/runs/rules", "import {root}.contexts.runs.usecases", "a rule calls nobody"),
    ("shape", "contexts/runs/http", "import {root}.contexts.runs.rpc", "doors are unaware of each other"),
    ("shape", "contexts/runs/store/rows", "import {root}.contexts.runs.views", "reading for screens is another thing"),
    ("shape", "contexts/workflow/model", "import {root}.contexts.workflow.rules", "words decide nothing"),
    ("pure", "contexts/workflow/rules", "import random", "a rule has no chance in it"),
    ("pure", "contexts/workflow/rules", "import time", "a rule gets the time as a value"),
    ("pure", "contexts/workflow/model/words", "import logging", "a word logs nothing, also in a folder"),
    ("pure", "contexts/runs/events", "import httpx", "an event is a fact"),
    ("pure", "contexts/workflow/rules", "import {root}.kit.clock", "nor the clock of the kit"),
    ("pure", "contexts/workflow/errors", "import os", "an error does no I/O"),
    ("edge", "processes/runner/main", "import {root}.contexts.workflow.api", "the sandbox knows no context"),
    ("edge", "processes/devforge/main", "import {root}.kit.db", "the practice forge has no database"),
    ("edge", "kit/clock", "import {root}.kit.journal", "not even at the end of a chain"),
    ("edge", "adapters/engines/codex", "import {root}.contexts.runs.ports", "engines hold their own contracts"),
    ("sql", "contexts/runs/usecases", "import psycopg", "a use-case speaks to its store"),
    ("sql", "processes/worker/main", "from psycopg_pool import AsyncConnectionPool", "a process only wires"),
]


@pytest.mark.parametrize(
    ("contract", "module", "line"), [row[:3] for row in OFFENCES], ids=[row[3].replace(" ", "_") for row in OFFENCES]
)
def test_one_offending_line_breaks_its_contract(
    contract: str,
    module: str,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tree = Tree(tmp_path)
    tree.append(module, line)

    assert contract in broken_contracts(tree, monkeypatch, capsys)
