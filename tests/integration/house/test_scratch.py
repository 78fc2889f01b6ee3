"""What a run of the tests leaves when it ends or is killed: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import scratch

WITHIN = 30.0


@pytest.mark.parametrize("last_word", [scratch.GOODBYE, b""], ids=["ended", "killed"])
def test_nothing_of_a_run_outlives_it(tmp_path: Path, last_word: bytes) -> None:
    folder = tmp_path / "scratch"
    (folder / "data").mkdir(parents=True)
    forever = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    watchman = [sys.executable, "-I", "-S", scratch.__file__, str(folder), "0"]

    with (
        subprocess.Popen(forever, cwd=folder / "data", stdin=subprocess.PIPE) as left,
        subprocess.Popen(forever, cwd=tmp_path, stdin=subprocess.PIPE) as other,
    ):
        subprocess.run(watchman, input=last_word, timeout=WITHIN, check=True)

        assert left.wait(WITHIN) < 0
        assert not folder.exists()
        assert other.poll() is None, "what works elsewhere is left alone"


def test_the_tests_write_where_the_watchman_clears_up() -> None:
    assert Path(os.environ["TMPDIR"]).name.startswith(scratch.PREFIX)
