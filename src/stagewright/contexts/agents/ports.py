"""What the agents context asks of the outside: sealing of session archives, and redaction of stored prompts."""

from typing import Protocol


class Sealing(Protocol):
    """Encrypts at rest; ``context`` names the table, row and column a value belongs to."""

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Return ``plaintext`` sealed for ``context``."""
        ...

    def open(self, blob: bytes, *, context: str) -> bytes:
        """Return the plaintext sealed for ``context``, or raise."""
        ...


class Redact(Protocol):
    """Replaces live secret values in a text."""

    def __call__(self, text: str, /) -> str:
        """Return ``text`` without live secret values."""
        ...
