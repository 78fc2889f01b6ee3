"""A run's logs: positions, ranges, whole characters, tail, since, grep, raw bytes."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.gateway import Gateway, Person
from tests.integration.gateway.test_runs import an_attempt

from stagewright.contexts.runs.model import AttemptId, Run
from stagewright.contexts.runs.store import logs as log_rows


class Scene:
    """A run with an attempt whose engine log a test writes."""

    def __init__(self, gateway: Gateway, run: Run, attempt: AttemptId, owner: Person) -> None:
        self.gateway = gateway
        self.run = run
        self.attempt = attempt
        self.owner = owner

    async def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            async with self.gateway.db.transaction() as tx:
                await log_rows.append(tx, self.attempt, [("engine", self.gateway.clock.now(), piece)])
            self.gateway.clock.advance(timedelta(seconds=1))

    async def end(self) -> None:
        async with self.gateway.db.transaction() as tx:
            await log_rows.close(tx, self.attempt, self.gateway.clock.now())

    async def read(self, query: str = "") -> dict[str, Any]:
        answer = await self.gateway.get(f"/runs/{self.run.id}/logs/engine{query}", self.owner)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def raw(self, **headers: str) -> httpx.Response:
        return await self.gateway.get(f"/runs/{self.run.id}/logs/engine/raw", self.owner, headers=headers)


@pytest.fixture
async def scene(gateway: Gateway) -> Scene:
    _, _, run = await gateway.scene()
    return Scene(gateway, run, await an_attempt(gateway, run), await gateway.person(role="owner"))


async def test_positions_grow_and_end_with_a_digest(scene: Scene) -> None:
    await scene.write(b"one\n", b"two\n")
    path = f"/runs/{scene.run.id}/logs"
    streams = {item["stream"]: item for item in (await scene.gateway.get(path, scene.owner)).json()["streams"]}
    assert set(streams) == {"engine", "runner", "platform"}
    assert (streams["engine"]["stream_seq"], streams["engine"]["bytes"], streams["engine"]["lines"]) == (2, 8, 2)
    assert (streams["engine"]["ended"], streams["runner"]["bytes"]) == (False, 0)
    await scene.end()
    streams = {item["stream"]: item for item in (await scene.gateway.get(path, scene.owner)).json()["streams"]}
    assert streams["engine"]["sha256"] == hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert streams["engine"]["ended_at"] == scene.gateway.clock.now().isoformat()
    assert streams["runner"]["ended"]


async def test_a_log_is_read_piece_by_piece_to_its_end(scene: Scene) -> None:
    whole = b"".join(b"line %04d of the engine\n" % number for number in range(500))
    await scene.write(whole[:5000], whole[5000:])
    text, at = "", 0
    for _ in range(20):
        piece = await scene.read(f"?from_byte={at}&limit=1000")
        assert (piece["from_byte"], piece["eof"]) == (at, False)
        if not piece["text"]:
            break
        text, at = text + piece["text"], piece["next_byte"]
    assert text.encode() == whole
    await scene.end()
    last = await scene.read(f"?from_byte={at}")
    assert (last["text"], last["eof"], last["bytes"], last["lines"]) == ("", True, len(whole), 500)


async def test_a_character_cut_by_a_piece_comes_whole_with_the_next(scene: Scene) -> None:
    await scene.write("каф".encode()[:5], "каф".encode()[5:])
    first = await scene.read("?limit=5")
    assert (first["text"], first["next_byte"]) == ("ка", 4)
    assert (await scene.read("?from_byte=4"))["text"] == "ф"
    await scene.write(b"\xff\xd0")
    await scene.end()
    assert (await scene.read("?from_byte=6"))["text"] == "\ufffd\ufffd"


async def test_tail_begins_at_a_line_wherever_chunks_were_cut(scene: Scene) -> None:
    await scene.write(b"a\nb", b"b\nc\nd", b"d\n")
    assert (await scene.read("?tail=1"))["text"] == "dd\n"
    assert (await scene.read("?tail=3"))["text"] == "bb\nc\ndd\n"
    assert (await scene.read("?tail=100"))["text"] == "a\nbb\nc\ndd\n"
    await scene.write(b"open")
    assert (await scene.read("?tail=2"))["text"] == "dd\nopen"


async def test_since_begins_with_what_was_written_then(scene: Scene) -> None:
    await scene.write(b"early\n")
    then = scene.gateway.clock.now().isoformat().replace("+00:00", "Z")
    await scene.write(b"late\n")
    assert (await scene.read(f"?since={then}"))["text"] == "late\n"
    later = (scene.gateway.clock.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    nothing = await scene.read(f"?since={later}")
    assert (nothing["text"], nothing["next_byte"]) == ("", 11)


async def test_grep_gives_whole_lines_and_goes_on_where_it_stopped(scene: Scene) -> None:
    await scene.write(b"an error here\nfine\nanother er", b"ror\nlast er")
    found = await scene.read("?grep=error")
    assert found["text"] == "an error here\nanother error\n"
    await scene.write(b"ror")
    rest = await scene.read(f"?grep=error&from_byte={found['next_byte']}")
    assert rest["text"] == ""
    await scene.end()
    rest = await scene.read(f"?grep=error&from_byte={found['next_byte']}")
    assert (rest["text"], rest["eof"]) == ("last error", True)
    small = await scene.read("?grep=error&limit=1")
    assert small["text"] == "an error here\n"


async def test_a_piece_says_when_its_chunks_were_written(scene: Scene) -> None:
    begun = scene.gateway.clock.now()
    await scene.write(b"one\ntwo\nthr", b"ee\n", b"four\n")
    marks = [{"from_line": line, "at": (begun + timedelta(seconds=n)).isoformat()} for n, line in enumerate((0, 2, 3))]
    assert (await scene.read())["times"] == marks
    assert (await scene.read("?limit=9"))["times"] == marks[:1]
    assert (await scene.read("?from_byte=12"))["times"] == marks[1:]
    assert (await scene.read("?from_byte=19"))["times"] == []
    assert (await scene.read("?grep=o"))["times"] == []
    alone = await scene.read("?text=false&limit=1")
    assert (alone["text"], alone["times"], alone["next_byte"]) == ("", marks, 19)


async def test_chunks_of_one_second_have_one_time_and_a_long_list_goes_on_in_the_next_piece(scene: Scene) -> None:
    begun = scene.gateway.clock.now()
    seconds = [timedelta(seconds=n // 2) for n in range(5000)]
    async with scene.gateway.db.transaction() as tx:
        await log_rows.append(tx, scene.attempt, [("engine", begun + after, b"x\n") for after in seconds])
    first = await scene.read("?text=false")
    assert (len(first["times"]), first["next_byte"], first["bytes"]) == (2000, 8000, 10_000)
    assert first["times"][1] == {"from_line": 2, "at": (begun + timedelta(seconds=1)).isoformat()}
    rest = await scene.read("?text=false&from_byte=8000")
    assert (len(rest["times"]), rest["times"][0]["from_line"], rest["next_byte"]) == (500, 4000, 10_000)
    piece = await scene.read()
    assert (len(piece["times"]), piece["next_byte"], len(piece["text"])) == (2000, 8000, 8000)


async def test_raw_bytes_come_whole_or_by_range(scene: Scene) -> None:
    whole = bytes(range(256)) * 1000
    await scene.write(whole)
    answer = await scene.raw()
    assert (answer.status_code, answer.content) == (200, whole)
    assert (answer.headers["accept-ranges"], answer.headers["content-length"]) == ("bytes", "256000")
    part = await scene.raw(Range="bytes=100000-100009")
    assert (part.status_code, part.content) == (206, whole[100_000:100_010])
    assert part.headers["content-range"] == "bytes 100000-100009/256000"
    assert (await scene.raw(Range="bytes=255990-")).content == whole[255_990:]
    assert (await scene.raw(Range="bytes=-5")).content == whole[-5:]
    assert (await scene.raw(Range="bytes=0-1,4-5")).status_code == 200
    beyond = await scene.raw(Range="bytes=256000-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */256000")


async def test_an_attempt_is_chosen_by_its_number(scene: Scene) -> None:
    await scene.write(b"first\n")
    async with scene.gateway.db.transaction() as tx:
        await tx.execute("update attempts set status = 'ended'")
    scene.attempt = await an_attempt(scene.gateway, scene.run, 2)
    await scene.write(b"second\n")
    assert (await scene.read())["text"] == "second\n"
    assert (await scene.read("?attempt=1"))["text"] == "first\n"
    missing = await scene.gateway.get(f"/runs/{scene.run.id}/logs/engine?attempt=3", scene.owner)
    assert (missing.status_code, missing.json()["code"]) == (404, "attempt.not_found")
    wrong = await scene.gateway.get(f"/runs/{scene.run.id}/logs/kernel", scene.owner)
    assert wrong.status_code == 400
