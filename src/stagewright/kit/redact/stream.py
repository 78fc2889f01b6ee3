"""Redaction of a stream: what may be the beginning of a secret is held back until it is known."""

from stagewright.kit.redact.redactor import MARK_BYTES, Redactor


class StreamRedactor:
    """Gives the same bytes as redacting the whole stream at once, however it is cut.

    ``feed`` returns what is safe to pass on; ``flush`` the rest. The hold is bounded by the longest secret.
    """

    def __init__(self, redactor: Redactor, sink: str = "stream") -> None:
        self._redactor = redactor
        self._sink = sink
        self._held = b""
        self._before = b""  # the byte before the held ones: some formats must stand apart
        self._covered = 0  # so many first held bytes belong to a secret whose mark is out already

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what can be passed on now."""
        self._held += chunk
        data = self._before + self._held
        return self._pass_on(data, self._redactor.matcher.begun(data))

    def flush(self) -> bytes:
        """Return the rest; the stream may go on afterwards as a new one."""
        data = self._before + self._held
        passed = self._pass_on(data, len(data))
        self._before = b""
        return passed

    def _pass_on(self, data: bytes, until: int) -> bytes:
        base = len(self._before)
        until = max(until, base)
        pieces: list[bytes] = []
        done, replaced = base + self._covered, 0
        for start, end, _ in self._redactor.matcher.spans(data):
            if start >= until:
                break
            if start >= done:
                pieces += (data[done:start], MARK_BYTES)
                replaced += 1
            done = max(done, end)
        if done < until:
            pieces.append(data[done:until])
        self._redactor.count(self._sink, replaced)
        self._covered = max(0, done - until)
        self._held, self._before = data[until:], data[max(0, until - 1) : until]
        return b"".join(pieces)
