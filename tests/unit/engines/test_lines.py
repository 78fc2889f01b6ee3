"""Cutting output into lines: nothing is lost, and one endless line does not eat the memory."""

from hypothesis import given
from hypothesis import strategies as st

from stagewright.adapters.engines.lines import Line, LineCutter


@given(st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"x", b"\n"))), st.integers(1, 30))
def test_all_bytes_come_back_in_order_however_they_arrive(pieces: list[bytes], longest: int) -> None:
    cutter = LineCutter(longest)
    lines = [line for piece in pieces for line in cutter.feed(piece)] + cutter.rest()
    assert b"".join(line.raw for line in lines) == b"".join(pieces)
    assert all(
        len(line.raw) <= longest and line.raw.find(b"\n") in (-1, len(line.raw) - 1) for line in lines if line.whole
    )


@given(st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")), max_size=9), st.integers(1, 7))
def test_short_lines_are_whole_wherever_the_stream_is_cut(texts: list[bytes], size: int) -> None:
    data = b"".join(text + b"\n" for text in texts)
    cutter = LineCutter(10)
    lines = [line for at in range(0, len(data), size) for line in cutter.feed(data[at : at + size])]
    assert lines == [Line(text + b"\n") for text in texts]


def test_a_line_of_ten_megabytes_comes_in_parts_and_the_next_line_is_whole() -> None:
    cutter = LineCutter()
    lines = cutter.feed(b"a" * 10_000_000)
    lines += cutter.feed(b"tail\nnext\n")
    assert lines[-1].raw == b"next\n"
    assert lines[-1].whole
    assert not any(line.whole for line in lines[:-1])
    assert max(len(line.raw) for line in lines) <= 64 * 1024
    assert sum(len(line.raw) for line in lines) == 10_000_000 + 10


def test_a_last_line_without_line_feed_is_a_line() -> None:
    cutter = LineCutter()
    assert cutter.feed(b"one\ntwo") == [Line(b"one\n")]
    assert cutter.rest() == [Line(b"two")]
    assert LineCutter().rest() == []
