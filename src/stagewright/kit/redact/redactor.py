"""The one redactor of a process: fed with all live secret values, asked on every way out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stagewright.kit.redact.forms import forms_of
from stagewright.kit.redact.matcher import Matcher, Span

MARK = "«redacted»"
MARK_BYTES = MARK.encode()


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret stands and what it is, never its value."""

    kind: str
    offset: int


class Redactor:
    """Replaces live secrets, in any usual encoding, and well-known tokens by a mark.

    Values shorter than 6 bytes are not looked for. ``on_redacted(sink, count)`` is told each time something was
    replaced on the way to ``sink``.
    """

    def __init__(
        self, values: Iterable[str | bytes] = (), *, on_redacted: Callable[[str, int], None] | None = None
    ) -> None:
        self._values: Counter[bytes] = Counter()
        self._on_redacted = on_redacted
        self._matcher: Matcher | None = None
        self.counts: Counter[str] = Counter()
        for value in values:
            self.add(value)

    def add(self, value: str | bytes) -> None:
        """Look for ``value`` from now on. A value added twice is removed twice."""
        raw = _raw(value)
        self._values[raw] += 1
        if self._values[raw] == 1:
            self._matcher = None

    def remove(self, value: str | bytes) -> None:
        """Stop looking for ``value``; an unknown one is ignored."""
        raw = _raw(value)
        if self._values[raw] > 1:
            self._values[raw] -= 1
        elif self._values.pop(raw, 0):
            self._matcher = None

    @property
    def matcher(self) -> Matcher:
        """Return the matcher of the present values."""
        if self._matcher is None:
            self._matcher = Matcher(form for value in self._values for form in forms_of(value).items())
        return self._matcher

    def __call__(self, text: str, sink: str = "text") -> str:
        """Return ``text`` with every secret replaced."""
        data = text.encode("utf-8", "surrogatepass")
        spans = self.matcher.spans(data)
        if not spans:
            return text
        return self._replaced(data, spans, sink).decode("utf-8", "replace")

    def redact_bytes(self, data: bytes, sink: str = "bytes") -> bytes:
        """Return ``data`` with every secret replaced."""
        return self._replaced(data, self.matcher.spans(data), sink)

    def to(self, sink: str) -> Callable[[str], str]:
        """Return this redactor as a function of text whose replacements count for ``sink``."""
        return lambda text: self(text, sink)

    def find(self, data: bytes) -> list[Finding]:
        """Return what stands in ``data`` and where, for checks. Values never leave."""
        return [Finding(span.kind, span.start) for span in self.matcher.spans(data)]

    def count(self, sink: str, replaced: int) -> None:
        """Note that ``replaced`` secrets were kept from ``sink``."""
        if replaced:
            self.counts[sink] += replaced
            if self._on_redacted is not None:
                self._on_redacted(sink, replaced)

    def _replaced(self, data: bytes, spans: list[Span], sink: str) -> bytes:
        pieces: list[bytes] = []
        done, replaced = 0, 0
        for start, end, _ in spans:
            if start >= done:
                pieces += (data[done:start], MARK_BYTES)
                replaced += 1
            done = max(done, end)
        self.count(sink, replaced)
        return b"".join((*pieces, data[done:]))


def _raw(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
