"""The live stream over cuts and restarts, and what logs may and may not carry."""

import base64

import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import TOKENS, Run, scenario

from stagewright.wire.v1 import stream_pb2


def gapless(platform: FakeControlPlane) -> bool:
    return platform.numbers == list(range(1, len(platform.numbers) + 1))


async def test_a_restart_of_the_platform_during_a_turn_loses_and_doubles_nothing(
    run: Run, platform: FakeControlPlane
) -> None:
    counting = "for i in $(seq 1 300); do echo line-$i; [ $i = 20 ] && touch begun; sleep 0.01; done"
    platform.assignment.scenario = scenario({"run": counting}, {"write": {"path": "x", "content": "x"}})
    await run.start()
    await platform.until(lambda: b"line-20\n" in platform.logs["engine"])
    for _ in range(2):
        await platform.stop()
        await platform.start()
        hellos = len(platform.hellos)
        await platform.until(lambda seen=hellos: len(platform.hellos) > seen)  # type: ignore[misc]
    assert await run.ended() == 0, run.output
    text = platform.logs["engine"].decode()
    assert [line for line in text.splitlines() if line.startswith("line-")] == [f"line-{i}" for i in range(1, 301)]
    assert gapless(platform)
    assert platform.outcomes[0].outcome == "completed"


async def test_unacknowledged_messages_are_sent_again_on_the_next_stream(run: Run, platform: FakeControlPlane) -> None:
    platform.ack = False
    platform.assignment.scenario = scenario({"say": "one"}, {"sleep": "1s"}, {"say": "two"})
    await run.start()
    await platform.until(lambda: b"one" in platform.logs["engine"])
    platform.ack = True
    platform.cut_streams()
    assert await run.ended() == 0, run.output
    assert platform.duplicates > 0 or platform.hellos[-1] == 0
    assert gapless(platform)
    assert platform.logs["engine"].count(b"one") == 1


async def test_a_gap_seen_by_the_platform_is_healed_by_sending_again(run: Run, platform: FakeControlPlane) -> None:
    platform.lose_number = 3
    platform.assignment.scenario = scenario({"say": "one"}, {"say": "two"})
    assert await run.done() == 0, run.output
    assert gapless(platform)
    assert len(platform.hellos) > 1
    assert platform.outcomes[0].outcome == "completed"


async def test_a_log_flood_does_not_hold_the_engine_up_and_drops_the_middle(
    run: Run, platform: FakeControlPlane
) -> None:
    """RN44: the run is unaffected, one marker line stands for what was dropped."""
    platform.slow_stream = 0.02
    flood = "echo first; yes 'some line of a log flood that nobody reads 0123456789' | head -c 120000000; echo last"
    platform.assignment.scenario = scenario({"run": flood}, {"write": {"path": "x", "content": "x"}})
    assert await run.done() == 0, run.output
    log = platform.logs["engine"]
    assert b"first\n" in log
    assert b"last\n" in log
    assert b"bytes of output dropped here]" in log
    assert len(log) < 60_000_000
    assert max(len(chunk.data) for chunk in platform.log_chunks) <= 64 * 1024
    assert gapless(platform)
    assert platform.outcomes[0].outcome == "completed"


async def test_characters_are_never_cut_in_two(run: Run, platform: FakeControlPlane) -> None:
    text = "я" * 40 + "€" * 40 + "🙂" * 40
    script = f"i=0; while [ $i -lt 2000 ]; do printf '%s' '{text}'; i=$((i+1)); done"
    platform.assignment.scenario = scenario({"run": script})
    assert await run.done() == 0, run.output
    chunks = [chunk.data for chunk in platform.log_chunks if chunk.stream == "engine"]
    assert len(chunks) > 3
    for chunk in chunks:
        chunk.decode("utf-8")
    assert b"".join(chunks).decode().count("🙂") == 80_000


@pytest.mark.parametrize("name", ["run", "tools", "model"])
async def test_its_own_tokens_never_leave_in_logs_or_events(run: Run, platform: FakeControlPlane, name: str) -> None:
    token = TOKENS[name]
    encoded = base64.b64encode(token.encode()).decode()
    half = len(token) // 2
    script = f"printf %s '{token[:half]}'; sleep 0.4; printf '%s\\n' '{token[half:]}'; echo {encoded}; echo after"
    platform.assignment.scenario = scenario({"run": script}, {"say": f"see {token}"})
    assert await run.done() == 0, run.output
    everything = b"".join(platform.logs.values()) + repr(platform.events).encode() + run.output.encode()
    assert token.encode() not in everything
    assert encoded.encode() not in everything
    assert token[half:].encode() not in everything
    assert b"after" in everything


async def test_the_engine_and_its_commands_hold_no_token(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.relay_url = platform.url
    platform.assignment.scenario = scenario(
        {"run": "env > env.txt; cat ../engine/* ../session/* > files.txt 2>/dev/null; git config --list > config.txt"}
    )
    assert await run.done() == 0, run.output
    for file in ("env.txt", "files.txt", "config.txt"):
        text = (run.repo / file).read_text()
        assert not [token for token in TOKENS.values() if token in text]
        assert "STAGEWRIGHT_TOKEN_DIR" not in text


async def test_the_source_goes_on_where_the_connection_broke(run: Run, platform: FakeControlPlane) -> None:
    platform.chunk = 128
    platform.source_cuts = [2, 1]
    assert await run.done() == 0, run.output
    assert platform.source_offsets == [0, 256, 384]


async def test_a_spoilt_source_is_fetched_anew(run: Run, platform: FakeControlPlane) -> None:
    platform.spoil_source_once = True
    assert await run.done() == 0, run.output
    assert platform.source_offsets == [0, 0]


async def test_a_source_without_the_base_is_unavailable(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.base_sha = "1" * 40
    assert await run.done() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("agent_failed", "source_unavailable")


async def test_a_notice_is_put_before_the_next_prompt(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario({"sleep": "500ms"}, {"result": "bad"})
    platform.order(stream_pb2.PlatformMessage(notice=stream_pb2.Notice(text="finish soon")))
    assert await run.done() == 0, run.output
    assert b"notice: finish soon" in platform.logs["runner"]
