"""``make bench`` knows every figure that is asked for; the figures themselves are printed, never asserted."""

import pytest
from tests.bench.__main__ import BENCHES, main
from tests.unit.house.trees import ROOT


def test_there_is_a_bench_for_every_figure() -> None:
    assert set(BENCHES) == {"ingest", "journal", "feed", "launch", "cli", "decide", "histories", "stack"}
    assert "-m tests.bench\n" in (ROOT / "Makefile").read_text()


def test_an_unknown_bench_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert "no bench speed; there are ingest, journal, feed, launch, cli, decide, histories" in capsys.readouterr().err
