"""The store of tagged answers is bounded."""

from stagewright.adapters.github.etags import LARGEST, ETags, Kept


def kept(size: int = 1, etag: str = "e") -> Kept:
    """Return an answer of ``size`` bytes."""
    return Kept(etag, bytes(size), None)


def test_an_answer_belongs_to_whoever_asked() -> None:
    etags = ETags()
    etags.keep("a", "/x", kept())
    assert etags.find("a", "/x") == kept()
    assert etags.find("b", "/x") is None


def test_the_least_lately_used_answer_makes_room() -> None:
    etags = ETags(most_entries=2)
    etags.keep("a", "/1", kept())
    etags.keep("a", "/2", kept())
    etags.find("a", "/1")
    etags.keep("a", "/3", kept())
    assert [etags.find("a", path) is not None for path in ("/1", "/2", "/3")] == [True, False, True]


def test_the_bytes_are_bounded_too_and_counted_once_per_answer() -> None:
    etags = ETags(most_bytes=100)
    for _ in range(5):
        etags.keep("a", "/1", kept(60))
    assert etags.find("a", "/1") is not None
    etags.keep("a", "/2", kept(60))
    assert etags.find("a", "/1") is None
    etags.keep("a", "/2", kept(101))
    assert etags.find("a", "/2") is None


def test_a_very_large_answer_is_not_kept() -> None:
    etags = ETags()
    etags.keep("a", "/1", kept(LARGEST + 1))
    assert etags.find("a", "/1") is None
