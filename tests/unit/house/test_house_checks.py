"""The house's own checks find what they are for, and leave alone what only looks like it."""

from pathlib import Path

import pytest
from tools import check_generated
from tools.check_generated import CHECKS, Check
from tools.checks import direction, locks, sizes, words
from tools.tree import Tree

DOC = '"""What this is for."""\n'
RULES = "src/stagewright/contexts/runs/rules.py"
USECASES = "src/stagewright/contexts/runs/usecases.py"
LOCK = "requirements/runtime.txt"
HASH = "--hash=sha256:" + "0a" * 32


def a_tree(folder: Path, **files: str) -> Tree:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(folder)


FOUND = [
    (sizes.sizes, "src/stagewright/kit/long.py", DOC + "x = 1\n" * 500, "a file over 500 lines"),
    (sizes.sizes, "tests/unit/test_long.py", DOC + "x = 1\n" * 800, "a test file over 800 lines"),
    (sizes.sizes, "tools/long.py", DOC + "def f():\n" + "    x = 1\n" * 60, "a function over 60 lines"),
    (sizes.purposes, "src/stagewright/kit/a.py", "import os\n", "a module without a purpose"),
    (sizes.purposes, "tests/unit/test_a.py", "# a comment is no docstring\n", "a comment instead of a docstring"),
    (words.promises, "docs/a.md", "TO" + "DO: write this\n", "a promise in a page"),
    (words.promises, "src/stagewright/a.py", DOC + "# FIX" + "ME later\n", "a promise in code"),
    (words.addresses, "docs/a.md", "see /ho" + "me/ann/notes\n", "a path of one machine"),
    (words.addresses, "src/stagewright/a.py", DOC + "X = '/ro" + "ot/data'\n", "a home in code"),
    (words.addresses, "requirements/a.txt", "# https://py" + "pi.org/simple\n", "a registry"),
    (words.mocks, "tests/unit/test_a.py", DOC + "from unittest import mock\n", "a mock by its package"),
    (words.mocks, "tests/unit/test_a.py", DOC + "from unittest.mock import patch\n", "a mock by its module"),
    (words.mocks, "tests/unit/test_a.py", DOC + "import unittest.mock as m\n", "a mock by another name"),
    (words.unfinished, "src/stagewright/a.py", DOC + "raise NotImplementedError\n", "unfinished code"),
    (words.unfinished, "src/stagewright/a.py", DOC + "class A:\n    def f(self): ...\n", "a function without a body"),
    (direction.sql_text, USECASES, DOC + 'Q = "select id from runs where id = 1"\n', "a query in a use-case"),
    (direction.sql_text, USECASES, DOC + 'Q = """\n  insert into runs (id) values (1)"""\n', "an insert over lines"),
    (direction.sql_text, USECASES, DOC + 'Q = "update runs set status = 1"\n', "an update"),
    (direction.sql_text, USECASES, DOC + 'Q = "update runs as r set status = 1"\n', "an update with an alias"),
    (direction.sql_text, USECASES, DOC + 'Q = "delete from runs"\n', "a delete"),
    (direction.sql_text, USECASES, DOC + 'Q = "with due as (select 1) select * from due"\n', "a query with a name"),
    (direction.sql_text, USECASES, DOC + 'Q = f"SELECT count(*) FROM {table}"\n', "a formatted query"),
    (direction.sql_text, USECASES, DOC + "Q = \"select pg_notify('a', '')\"\n", "a call in SQL"),
    (direction.sql_text, "src/stagewright/processes/worker/main.py", DOC + 'Q = "drop table runs"\n', "SQL in wiring"),
    (direction.purity, RULES, DOC + "import datetime\nNOW = datetime.datetime.now()\n", "a clock in a rule"),
    (direction.purity, RULES, DOC + "from datetime import date\nDAY = date.today()\n", "a calendar in a rule"),
    (direction.purity, RULES, DOC + "from uuid import uuid4\nID = uuid4()\n", "chance in a rule"),
    (direction.purity, RULES, DOC + "from pathlib import Path\n", "files in a rule"),
    (direction.purity, "src/stagewright/contexts/runs/model/run.py", DOC + "F = open('a')\n", "a file in a word"),
    (locks.locks, LOCK, f"click==8.5.1 \\\n    {HASH}\nrich==15.0.0\n", "a pin without hashes"),
    (locks.locks, LOCK, f"click>=8 \\\n    {HASH}\n", "a range"),
    (locks.locks, LOCK, f"--index-url https://example.org\nclick==8.5.1 \\\n    {HASH}\n", "an address of an index"),
    (locks.locks, LOCK, f"click @ https://example.org/click.whl \\\n    {HASH}\n", "an address of a package"),
    (locks.locks, LOCK, "click==8.5.1 \\\n    --hash=md5:00\n", "a weak hash"),
]


@pytest.mark.parametrize(
    ("check", "name", "text"), [row[:3] for row in FOUND], ids=[row[3].replace(" ", "_") for row in FOUND]
)
def test_a_check_finds_what_it_is_for(check: Check, name: str, text: str, tmp_path: Path) -> None:
    problems = check(a_tree(tmp_path, **{name: text}))

    assert len(problems) == 1
    assert problems[0].startswith(name)


LEFT_ALONE = {
    "src/stagewright/kit/journal.py": DOC + 'raise NotImplementedError\nQ = "select 1 from journal"\n',
    "src/stagewright/contexts/runs/store/claims.py": DOC + 'CLAIM = "update runs set claimed_by = 1"\n',
    "src/stagewright/contexts/runs/views.py": DOC + 'RUN = "select * from runs"\n',
    "src/stagewright/contexts/runs/http.py": '"""select something from the list: words in a docstring."""\n'
    'HELP = "Select a stage from the list"\nSHORT = "with the label (as set)"\nNOTE = "update your settings"\n',
    "src/stagewright/contexts/runs/model.py": DOC + "from pathlib import PurePosixPath\nP = PurePosixPath('a')\n",
    "src/stagewright/contexts/runs/ports.py": DOC
    + "class P(Protocol[T]):\n    def f(self) -> T: ...\nclass A(ABC):\n    @abstractmethod\n    def g(self): ...\n",
    "src/stagewright/contexts/runs/reconcile.py": DOC + "from datetime import datetime\nT = datetime.now()\n",
    "src/stagewright/wire/v1/run_pb2.py": "# generated\n" * 900,
    "src/stagewright/__init__.py": "",
    "tests/unit/test_paths.py": DOC + "URL = 'https://forge.example/work/tree'\nP = '/workspace/repo'\n",
    "docs/a.md": "A todo list, a template /tmp/aXXXXXX, ./work/x and ~/home/x.\n",
    LOCK: f"# comment\npsycopg[binary]==3.3.9 \\\n    {HASH} \\\n    {HASH}\n"
    f"uvloop==0.23 ; os_name != 'nt' \\\n    {HASH}\n",
}


@pytest.mark.parametrize("check", CHECKS[1:], ids=lambda check: check.__name__)
def test_a_check_leaves_alone_what_only_looks_like_it(check: Check, tmp_path: Path) -> None:
    assert check(a_tree(tmp_path, **LEFT_ALONE)) == []


def test_the_program_prints_each_problem_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = a_tree(tmp_path, **{"src/stagewright/a.py": "x = 1\n"})

    assert check_generated.main(tree.root) == 1
    assert "src/stagewright/a.py:1: begins without a docstring" in capsys.readouterr().err


def test_a_clean_tree_passes(tmp_path: Path) -> None:
    assert check_generated.main(a_tree(tmp_path, **{"src/stagewright/a.py": DOC}).root) == 0
