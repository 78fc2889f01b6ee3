"""Everything dies at random moments; then it is calm, and the rows and the forge agree.

| requirement | test |
|---|---|
| AD3.8, RN10 | test_after_a_storm_of_deaths_every_run_has_ended_once |

``STAGEWRIGHT_CHAOS_SEED`` repeats a storm (the seed is printed), ``STAGEWRIGHT_CHAOS_SECONDS`` makes it longer.
"""

import asyncio
import os
import random
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.e2e.chaos import Storm
from tests.e2e.figures import Figures
from tests.e2e.platform import Platform, running_platform
from tests.e2e.repository import Repository
from tests.e2e.runners import processes_of_attempts
from tests.e2e.waiting import wait_until

from stagewright.kit import journal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
SECONDS = float(os.environ.get("STAGEWRIGHT_CHAOS_SECONDS", "35"))
SEED = int(os.environ.get("STAGEWRIGHT_CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
CALM_WITHIN = 240.0
WORK = """
- say: begin
- sleep: 2s
- write: {path: docs/page.md, content: page}
- sleep: 2s
- write: {path: docs/other.md, content: other}
"""
CODE = """
- sleep: 3s
- write: {path: src/forbidden.py, content: "x = 1"}
"""
LABELS = ("run:dev", "run:prd", "run:intake", "run:vision", "run:dev", "run:prd", "run:doc-audit", "run:dev")
FORBIDDEN = "run:vision"


@pytest.fixture
def stormy() -> Iterator[Platform]:
    """Return a platform with two workers whose database may be killed."""
    with running_platform(workers=2, durable=True) as platform:
        yield platform


def test_after_a_storm_of_deaths_every_run_has_ended_once(stormy: Platform, figures: Figures) -> None:
    print(f"STAGEWRIGHT_CHAOS_SEED={SEED} STAGEWRIGHT_CHAOS_SECONDS={SECONDS:g}")
    stages = {"dev": WORK, "prd": WORK, "intake": WORK, "doc-audit": WORK, "vision": CODE}
    repository = stormy.repository(rehearsals=stages)
    issues = [repository.open_issue(f"Issue of {label}") for label in LABELS]
    storm = Storm(stormy, SEED, SECONDS)
    labelling = threading.Thread(target=label_slowly, args=(repository, issues), name="labelling")
    labelling.start()
    storm.act()
    labelling.join()
    repository.let_five_minutes_pass_for_the_scan()  # deliveries to a dead gateway are lost

    def tell() -> str:
        return "\n".join([*storm.told, *storm.died_by_themselves, stormy.describe()])

    with figures.timed("calm after the storm"):
        for issue in issues:
            repository.wait_for_run(issue, within=CALM_WITHIN)
        repository.wait_for_quiet(within=90)
    try:
        for issue, label in zip(issues, LABELS, strict=True):
            assert_ended_once(repository, issue, label)
        assert_rows_agree(stormy)
        assert_nothing_lives(stormy)
        bugs = stormy.rows("select source, message, count, stack from incidents where code = 'internal'")
        assert bugs == []
        assert storm.died_by_themselves == []
    except AssertionError as error:
        raise AssertionError(f"{error}\nseed {SEED}\n{tell()}") from error
    figures.remember(f"chaos: seed {SEED}, {SECONDS:g} s, killed {dict(storm.deaths)}")


def label_slowly(repository: Repository, issues: list[int]) -> None:
    """Put the labels on over the first half of the storm."""
    pause, each = threading.Event(), SECONDS / 2 / len(LABELS)
    for issue, label in zip(issues, LABELS, strict=True):
        repository.label(issue, label)
        pause.wait(each)


def assert_ended_once(repository: Repository, issue: int, label: str) -> None:
    """One run, one comment, one pull request or none, the tabled labels, one terminal event."""
    [run] = repository.runs(issue)
    wanted: tuple[Any, ...] = ("failed", "policy", "scope_violation")
    if label != FORBIDDEN:
        wanted = ("succeeded", None, None)
    assert (run["status"], run["failure_class"], run["code"]) == wanted, (issue, label, run["detail"])
    succeeded = run["status"] == "succeeded"
    pulls = repository.pulls_of(issue)
    assert [pull["number"] for pull in pulls] == ([run["pr_number"]] if succeeded else [])
    branch = f"stagewright/issue-{issue}/{run['stage']}"
    heads = {name: sha for name, sha in repository.heads().items() if name.startswith(f"stagewright/issue-{issue}/")}
    assert list(heads) == ([branch] if succeeded else [])
    assert len(repository.status_comments(issue)) == 1
    assert repository.diagnostics(issue) == []
    assert repository.labels(issue) == ({"state:in-review"} if succeeded else set())
    for pull in pulls:
        assert repository.labels(pull["number"]) == {"state:in-review"}
    kinds = repository.events(run["id"])
    assert sum(kinds.count(kind) for kind in ("run.succeeded", "run.failed", "run.canceled")) == 1
    assert kinds.count("run.pr.created") == len(pulls)


def assert_rows_agree(platform: Platform) -> None:
    """Nothing is open, unknown or broken in the database."""
    assert platform.rows("select kind, status, code from effects where status not in ('done', 'superseded')") == []
    assert platform.rows("select id, status from attempts where status <> 'ended'") == []
    assert platform.rows("select id, kind from waits where status = 'open'") == []
    assert platform.rows("select delivery_id, reason from webhook_deliveries where status <> 'decided'") == []
    gaps = platform.rows(
        "select attempt_id, stream, max(stream_seq), count(*) from run_logs group by 1, 2"
        " having max(stream_seq) <> count(*)"
    )
    assert gaps == []
    unequal = platform.rows(
        "select l.attempt_id, l.stream from run_logs l join run_log_ends e using (attempt_id, stream)"
        " group by l.attempt_id, l.stream, e.bytes having sum(octet_length(l.chunk)) <> e.bytes"
    )
    assert unequal == []
    assert asyncio.run(broken_chains(platform)) == []


async def broken_chains(platform: Platform) -> list[str]:
    """Return the journal streams whose hash chain does not verify."""
    dsn = platform.start_database().dsn
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        found = await (await connection.execute("select stream from journal_heads order by stream")).fetchall()
        streams = [str(row["stream"]) for row in found]
        return [stream for stream in streams if await journal.verify(connection, stream) is not None]


def assert_nothing_lives(platform: Platform) -> None:
    """No workload is left, neither its folder nor a process of it."""
    attempts = [row["id"] for row in platform.rows("select id from attempts")]
    wait_until(lambda: not platform.workloads(), "the workloads are removed", 90)
    assert processes_of_attempts(attempts) == []
    assert len(attempts) >= len(LABELS)
