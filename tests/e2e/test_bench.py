"""The benches still measure what they say, seen on a moment of each; the figures themselves are never asserted.

| requirement | test |
|---|---|
| AD6 | the first two |
| BD4 | test_the_console_bench_prints_figures_beside_budgets |
| DD.4 | the two of stacks |
"""

import asyncio
import os
import re

import pytest
from tests.bench import console, decide, histories, ingest, launch, stack
from tools import chromium, npm

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_the_ingest_bench_measures_the_gateway_beside_a_bare_handler_and_pgbench() -> None:
    printed = "\n".join(asyncio.run(ingest.measure(seconds=0.5)))
    assert re.search(r"bare handler +\d+/s .*202: \d+", printed), printed
    assert re.search(r"gateway +\d+/s .*202: \d+", printed), printed
    assert re.search(r"gateway / bare handler +\d+\.\d\d", printed), printed
    assert re.search(r"at a steady 1000/s: p50 [\d.]+ ms, p99 [\d.]+ ms", printed), printed


def test_the_launch_bench_follows_a_run_from_the_queue_to_its_agent() -> None:
    printed = "\n".join(asyncio.run(launch.measure(runs=1)))
    for figure in ("queued -> runner registered", "queued -> agent started", "queued -> succeeded"):
        assert re.search(rf"{figure}.*: p50 [1-9]\d* ms", printed), printed


def test_the_histories_bench_lives_what_it_is_asked_for_and_says_what_was_lost() -> None:
    printed = "\n".join(asyncio.run(histories.measure(seeds=1)))
    assert re.search(r"^[1-4] histories of 1 asked for, \d+ acts: [1-4] end in the same runs, 0 do not", printed), (
        printed
    )
    assert re.search(r"of \d+ webhooks \d+% dropped, \d+% doubled, all shuffled; \d+ crashes", printed), printed


def test_the_decide_bench_sets_a_decision_beside_a_decode() -> None:
    printed = asyncio.run(decide.measure(rounds=20))
    line = r"-> (Start|Ignore|Cleanup): [\d.]+ ms \(goal 0\.3\), decode [\d.]+ ms, ratio [\d.]+ \(goal 3\)"
    assert all(re.search(line, text) for text in printed[1:]), printed
    assert {text.split(" ")[0] for text in printed[1:]} == {"issues", "pull_request", "pull_request_review,"}


def test_the_stack_bench_sets_a_plan_beside_merely_parsing_its_files() -> None:
    printed = "\n".join(asyncio.run(stack.measure(sizes=(5, 10), tries=1)))
    line = r"10 services, 30 manifests: plan [\d.]+ s cold, [\d.]+ s warm, \d+ MB; parsing alone [\d.]+ s, ratio [\d.]+"
    assert re.search(line, printed), printed
    assert re.search(r"20 services: \d+ ms \(goal 150\)", printed), printed
    assert re.search(r"from 5 to 10 services a service costs [\d.]+ times as much", printed), printed


def test_a_plan_costs_a_few_parses_of_its_files_and_grows_with_them() -> None:
    """Ratios of CPU time in one run, with room for a busy machine; memory does not depend on it."""
    (_, small), (parse, large) = stack.measured(50, 2), stack.measured(200, 2)
    assert large.cold / parse.cold <= stack.RATIO_GOAL
    assert large.megabytes <= stack.MEMORY_GOAL_MB
    assert large.cold / small.cold <= 4 * 1.6, "a service costs more the more there are"


def test_the_console_bench_prints_figures_beside_budgets(capsys: pytest.CaptureFixture[str]) -> None:
    if chromium.find() is None and not os.environ.get("CI"):
        pytest.skip(chromium.REMEDY)
    assert (npm.CONSOLE / "dist" / "index.html").is_file(), "build the console first: `make console`"
    asyncio.run(console.measure(["closure", "cpu", "log"], small=True))
    printed = capsys.readouterr().out
    assert re.search(r"^load average \d", printed), printed
    assert re.search(r"shell js +[\d.]+ KB +of 230 \(260\)", printed), printed
    assert re.search(r"to a usable list of runs +[\d.]+ ms +of 400 \(600\)", printed), printed
    assert re.search(r"an event on 200 rows, 200 a second +[\d.]+ ms +of 18 \(25\)", printed), printed
    assert re.search(r"all of it held: load +[\d.]+ s +of 6", printed), printed
    assert re.search(r"the wheel moves the log +yes", printed), printed
    assert re.search(r"every one shows the lines it names +yes", printed), printed
    assert re.search(r"the last line is seen, none is lost +yes", printed), printed


def test_an_unknown_script_of_the_console_bench_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        console.main(["paint"])
    assert "no script paint; there are closure, load, cpu" in capsys.readouterr().err
