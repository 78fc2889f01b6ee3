"""Redaction of one log stream over reconnects: a secret that a cut connection parted is not stored in two halves."""

import copy

from stagewright.kit.redact import Redactor, StreamRedactor

REMEMBERED = 20 * 1024


class LogRedactor:
    """Redacts what follows ``stored``, the end of what is kept of the stream already.

    Where that end may be the beginning of a secret, it is looked at again together with what comes, and not repeated.
    """

    def __init__(self, redactor: Redactor, stored: bytes = b"") -> None:
        self._stream = StreamRedactor(redactor, "logs")
        self._stored = stored[redactor.matcher.begun(stored) :]
        self._stored = self._stored[len(self._stream.feed(self._stored)) :]

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return what can be stored now."""
        return self._new(self._stream.feed(data))

    def flush(self) -> bytes:
        """Return what was held back."""
        rest, self._stored = self._new(self._stream.flush()), b""
        return rest

    def copied(self) -> "LogRedactor":
        """Return another one in the same state."""
        other = copy.copy(self)
        other._stream = copy.copy(self._stream)
        return other

    def _new(self, passed: bytes) -> bytes:
        """Return ``passed`` without its beginning that is stored already. After a mark nothing of that follows."""
        common = 0
        for one, other in zip(passed, self._stored, strict=False):
            if one != other:
                self._stored = b""
                return passed[common:]
            common += 1
        self._stored = self._stored[common:]
        return passed[common:]
