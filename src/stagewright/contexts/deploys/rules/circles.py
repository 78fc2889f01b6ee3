"""Circles among names that need each other."""

from collections.abc import Iterator, Mapping, Sequence


def circles(needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield circles, as ``a, b, a``: one for every need that leads back to a name that is being walked. Names that
    need nothing may be left out of ``needs``."""
    done: set[str] = set()
    for start in sorted(needs):
        chain = {start: iter(sorted(set(needs[start])))} if start not in done else {}
        while chain:
            name = next(reversed(chain))
            other = next(chain[name], None)
            if other is None:
                done.add(name)
                del chain[name]
            elif other in chain:
                names = list(chain)
                yield (*names[names.index(other) :], other)
            elif other not in done:
                chain[other] = iter(sorted(set(needs.get(other, ()))))
