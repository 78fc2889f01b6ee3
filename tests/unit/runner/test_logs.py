"""Log bytes on their way out: order, bounds, redaction across cuts and gaps."""

import time

from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit.redact import Redactor
from stagewright.processes.runner.logs import CHUNK, LogBuffer, cut_between_characters

SECRET = "canary-0123456789-secret-value"


def taken(buffer: LogBuffer) -> list[bytes]:
    """Flush and take everything."""
    buffer.flush()
    chunks = []
    while chunk := buffer.take():
        chunks.append(chunk)
    return chunks


@given(st.lists(st.binary(max_size=400), max_size=40))
def test_what_fits_comes_out_as_it_went_in(pieces: list[bytes]) -> None:
    buffer = LogBuffer(Redactor(), 1024 * 1024)
    for piece in pieces:
        buffer.write(piece)
    assert b"".join(taken(buffer)) == b"".join(pieces)
    assert buffer.size == 0


@given(st.integers(min_value=1, max_value=len(SECRET)), st.integers(min_value=0, max_value=3))
def test_a_secret_is_found_however_it_is_cut(size: int, takes: int) -> None:
    buffer = LogBuffer(Redactor([SECRET]), 1024 * 1024)
    text = f"before {SECRET} between {SECRET} after\n".encode()
    out = b""
    for start in range(0, len(text), size):
        buffer.write(text[start : start + size])
        for _ in range(takes):
            out += buffer.take()
    out += b"".join(taken(buffer))
    assert SECRET.encode() not in out
    assert out.startswith(b"before ")
    assert out.endswith(b" after\n")


def test_a_flood_keeps_both_ends_and_one_line_for_the_middle() -> None:
    buffer = LogBuffer(Redactor(), 400_000)
    lines = [f"line {number:06d} {'x' * 40}\n".encode() for number in range(20_000)]
    for line in lines:
        buffer.write(line)
    assert buffer.full
    assert buffer.size <= 400_100
    kept = [line for line in b"".join(taken(buffer)).splitlines(keepends=True) if line != b"\n"]
    [marker] = [line for line in kept if b"dropped here" in line]
    lost = sum(map(len, lines)) - sum(len(line) for line in kept if line != marker)
    assert marker == f"[stagewright: {lost} bytes of output dropped here]\n".encode()
    assert (kept[0], kept[-1]) == (lines[0], lines[-1])
    assert set(kept) <= {*lines, marker}


@given(st.integers(min_value=1, max_value=40), st.integers(min_value=2_000, max_value=4_000))
def test_no_part_of_a_secret_shows_beside_a_gap(size: int, limit: int) -> None:
    buffer = LogBuffer(Redactor([SECRET]), limit)
    text = f"{SECRET}\n".encode() * 400
    for start in range(0, len(text), size):
        buffer.write(text[start : start + size])
    out = b"".join(taken(buffer))
    assert SECRET[:8].encode() not in out
    assert SECRET[-8:].encode() not in out
    assert b"dropped here" in out


def test_small_writes_wait_a_little_and_large_ones_do_not() -> None:
    buffer = LogBuffer(Redactor(), 1024 * 1024)
    now = time.monotonic()
    assert buffer.due(now) is None
    buffer.write(b"small\n")
    due = buffer.due(time.monotonic())
    assert due is not None
    assert 0 < due <= 0.1
    assert buffer.due(now + 1) == 0.0
    buffer.write(b"x" * CHUNK)
    assert buffer.due(time.monotonic()) == 0.0


def test_chunks_have_a_limit_and_end_between_characters() -> None:
    buffer = LogBuffer(Redactor(), 4 * 1024 * 1024)
    buffer.write(b"a" + "🙂".encode() * 50_000)
    chunks = taken(buffer)
    assert max(map(len, chunks)) <= CHUNK
    assert "".join(chunk.decode() for chunk in chunks) == "a" + "🙂" * 50_000


@given(st.text(), st.integers(min_value=4, max_value=20))
def test_a_cut_never_splits_a_character(text: str, limit: int) -> None:
    data = text.encode("utf-8", "surrogatepass")
    head = cut_between_characters(data, limit)
    assert data.startswith(head)
    assert len(head) <= limit
    assert len(head) == len(data) or len(head) > limit - 4
    head.decode("utf-8", "surrogatepass")


def test_bytes_that_are_no_text_are_cut_at_the_limit() -> None:
    assert cut_between_characters(b"\x80" * 20, 8) == b"\x80" * 8
