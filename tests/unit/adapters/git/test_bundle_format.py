"""The head of a bundle: read strictly, written as git reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.adapters.git.bundle_format import BundleMalformed, read_head, write_head

SHA, OTHER = "ab" * 20, "cd" * 20
PACK = b"PACK\0\0\0\2\0\0\0\7"
V2 = b"# v2 git bundle\n"


def test_refs_prerequisites_and_the_pack_are_found() -> None:
    head = V2 + f"-{OTHER} a comment\n-{SHA}\n{SHA} refs/stagewright/result\n\n".encode()
    found = read_head(head + PACK)
    assert found.refs == (("refs/stagewright/result", SHA),)
    assert found.prerequisites == (OTHER, SHA)
    assert (found.pack_offset, found.objects) == (len(head), 7)


def test_a_written_head_is_read_again() -> None:
    refs = {"refs/stagewright/base": SHA, "refs/stagewright/link": OTHER}
    assert dict(read_head(write_head(refs) + PACK).refs) == refs


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [
        (b"", "does not begin"),
        (b"# v4 git bundle\n\n" + PACK, "does not begin"),
        (V2 + b"no end", "no end"),
        (V2 + b"x" * 70_000 + b"\n\n" + PACK, "no end"),
        (V2 + b"\n", "no pack"),
        (V2 + b"\nPACK", "no pack"),
        (V2 + b"\nKCAP\0\0\0\2\0\0\0\1", "no pack"),
        (V2 + b"junk\n\n" + PACK, "neither"),
        (V2 + f"-{SHA[:-1]}\n\n".encode() + PACK, "neither"),
        (V2 + f"@object-format=sha1\n{SHA} r\n\n".encode() + PACK, "neither"),
        (b"# v3 git bundle\n@object-format=sha256\n\n" + PACK, "capability"),
        (V2 + f"-{SHA}\n".encode() * 65 + b"\n" + PACK, "64 prerequisites"),
    ],
)
def test_anything_else_is_malformed_with_a_reason(bundle: bytes, reason: str) -> None:
    with pytest.raises(BundleMalformed, match=reason):
        read_head(bundle)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_in_another_way(junk: bytes) -> None:
    for bundle in (junk, V2 + junk, V2 + junk + b"\n\n" + PACK):
        try:
            read_head(bundle)
        except BundleMalformed:
            continue
