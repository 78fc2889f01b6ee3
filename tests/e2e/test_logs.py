"""A flood of output: stored without a gap, without a secret, and the run does not notice.

| requirement | test |
|---|---|
| RN44 | test_a_flood_of_output_leaves_the_run_alone |
| RN44 | test_secrets_and_characters_split_over_chunks_stay_whole_and_hidden |
| A8.4 | test_a_flood_of_output_leaves_the_run_alone |
"""

import hashlib
from typing import Any
from uuid import UUID

import pytest
from tests.e2e.figures import Figures
from tests.e2e.platform import Platform

pytestmark = pytest.mark.e2e
MEGABYTES = 50
FLOOD = f"""
- run: "head -c {MEGABYTES}000000 /dev/zero | tr '\\\\0' 'x' | fold -w 119"
- run: "echo the end of the flood"
- write: {{path: a.md, content: a}}
"""


def assert_streams_are_whole(platform: Platform, attempt_id: UUID) -> dict[str, dict[str, Any]]:
    """Check numbers, offsets, totals and hashes of every stream; return the ends by stream."""
    ends = {
        row["stream"]: row
        for row in platform.rows("select * from run_log_ends where attempt_id = %(id)s", id=attempt_id)
    }
    assert set(ends) == {"engine", "runner", "platform"}
    for stream, end in ends.items():
        chunks = platform.rows(
            "select stream_seq, from_byte, from_line, chunk from run_logs"
            " where attempt_id = %(id)s and stream = %(stream)s order by stream_seq",
            id=attempt_id,
            stream=stream,
        )
        assert [row["stream_seq"] for row in chunks] == list(range(1, len(chunks) + 1))
        at_byte = at_line = 0
        digest = hashlib.sha256()
        for row in chunks:
            chunk = bytes(row["chunk"])
            assert (row["from_byte"], row["from_line"]) == (at_byte, at_line)
            assert 0 < len(chunk) <= 65536
            at_byte, at_line = at_byte + len(chunk), at_line + chunk.count(b"\n")
            digest.update(chunk)
        assert (end["bytes"], end["lines"], bytes(end["sha256"])) == (at_byte, at_line, digest.digest()), stream
    return ends


def test_a_flood_of_output_leaves_the_run_alone(platform: Platform, figures: Figures) -> None:
    repository = platform.repository(rehearsals={"prd": FLOOD})
    with figures.timed(f"run that prints {MEGABYTES} MB"):
        issue = repository.start("run:prd")
        run = repository.wait_for_run(issue, within=90)
    assert (run["status"], run["generation"]) == ("succeeded", 1), platform.describe()
    repository.wait_for_quiet()
    [attempt] = repository.attempts(run["id"])
    ends = assert_streams_are_whole(platform, attempt["id"])
    log = platform.log_of(attempt["id"])
    assert len(log) == ends["engine"]["bytes"] <= MEGABYTES * 1_020_000
    assert b"the end of the flood" in log[-1000:]
    assert log.startswith(b"x" * 119)


def test_secrets_and_characters_split_over_chunks_stay_whole_and_hidden(platform: Platform) -> None:
    secret = platform.bot.token
    half, rest = secret[:17], secret[17:]
    program = (
        "import sys, time\n"
        "def put(data):\n"
        "    sys.stdout.buffer.write(data)\n"
        "    sys.stdout.buffer.flush()\n"
        f"half, rest = b'{half}', b'{rest}'\n"
        "for pause in (0.0, 0.3, 1.5):\n"
        "    put(b'begin ' + half)\n"
        "    time.sleep(pause)\n"
        "    put(rest + b' end\\n')\n"
        "filler = b'y' * 65529\n"
        "for shift in range(0, 48, 3):\n"
        "    put(filler[shift:] + half + rest + b'\\n')\n"
        "for character in '\\u0436\\u20ac\\U0001f600':\n"
        "    for byte in character.encode():\n"
        "        put(bytes([byte]))\n"
        "        time.sleep(0.3)\n"
        "put(b'\\n')\n"
    )
    repository = platform.repository(
        rehearsals={"prd": "- run: python3 .stagewright/talk.py\n- write: {path: a.md, content: a}\n"},
        files={".stagewright/talk.py": program},
    )
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    [attempt] = repository.attempts(run["id"])
    assert_streams_are_whole(platform, attempt["id"])
    log = platform.log_of(attempt["id"])
    assert secret.encode() not in log
    assert log.count(b"begin ") == 3
    assert "ж€😀".encode() in log
    assert log.count("«redacted»".encode()) == 3 + 16
