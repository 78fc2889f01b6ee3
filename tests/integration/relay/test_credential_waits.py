"""A run whose provider rejects the key waits for another key, and goes on by itself when there is one."""

from datetime import timedelta

import pytest
from tests.integration.relay.harness import Bench, Live, Provider, another_repository, ok

from stagewright.contexts.runs.model import Wait
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import relay


async def wait_of(bench: Bench, live: Live) -> Wait:
    """Open the wait, twice as a repeated outcome would."""
    async with bench.db.transaction() as tx:
        first = await relay.open_credential_wait(tx, live.run, live.attempt, now=bench.clock.now())
        assert await relay.open_credential_wait(tx, live.run, live.attempt, now=bench.clock.now()) == first
    return first


async def closed(bench: Bench) -> int:
    """Let the worker look."""
    async with bench.db.transaction() as tx:
        return await relay.close_credential_waits(tx, now=bench.clock.now())


async def test_the_wait_says_for_what_and_who_can_act(bench: Bench) -> None:
    wait = await wait_of(bench, await bench.live())
    assert (wait.kind, wait.target_kind, wait.target_id) == ("question", "credential", "credential:codex")
    assert (wait.who_can_act, wait.deadline_at) == ("credentials.manage", bench.clock.now() + timedelta(days=7))


async def test_a_new_credential_ends_the_wait(bench: Bench) -> None:
    live = await bench.live()
    await bench.credential("codex", None)
    wait = await wait_of(bench, live)
    bench.clock.advance(timedelta(minutes=5))
    assert await closed(bench) == 0
    await bench.credential("codex", None, secret="sk-new")
    assert await closed(bench) == 1
    assert await closed(bench) == 0
    async with bench.db.reading() as reader:
        found = await wait_rows.find(reader, wait.id)
    assert found is not None
    assert (found.status, found.resolution) == ("resolved", "credential_replaced")


async def test_a_credential_that_counts_again_ends_the_wait(bench: Bench, provider: Provider) -> None:
    live, other = await bench.live(), await bench.live()
    await bench.credential("codex", provider.url)
    await wait_of(bench, live)
    bench.clock.advance(timedelta(minutes=5))
    provider.answers = [[ok({})]]
    await bench.post(other)
    assert await closed(bench) == 1


@pytest.mark.parametrize("engine", ["claude", "codex"])
async def test_a_credential_of_another_engine_or_project_ends_nothing(bench: Bench, engine: str) -> None:
    live = await bench.live()
    await wait_of(bench, live)
    bench.clock.advance(timedelta(minutes=5))
    if engine == "claude":
        await bench.credential("claude", None)
    else:
        other = await another_repository(bench)
        await bench.credential("codex", None, project_id=other.project_id)
    assert await closed(bench) == 0


async def test_the_journal_says_once_that_a_key_is_wanted_and_once_that_it_counts(bench: Bench) -> None:
    live = await bench.live()
    await wait_of(bench, live)
    bench.clock.advance(timedelta(minutes=5))
    await bench.credential("codex", None, secret="sk-new")
    assert await closed(bench) == 1
    told = await bench.rows("select kind, body from journal where kind ~ '^run.codex.auth' order by seq")
    assert [row["kind"] for row in told] == ["run.codex.auth.required", "run.codex.auth.synchronized"]
    for row in told:
        assert row["body"]["engine"] == "codex"
        assert row["body"]["project"] == str(live.run.project_id)
        assert row["body"]["console_url"] == f"/r/{live.run.number}"
