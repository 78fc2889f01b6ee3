"""Five kinds of failure, by what the caller can do. Doors map the kind once; nothing else is an expected failure.

A context subclasses one kind and adds a stable ``code`` (``context.reason``). ``message`` is one English sentence that
says what is wrong and what to change; ``params`` let a client translate it.
"""

from datetime import timedelta
from typing import Any, ClassVar


class StagewrightError(Exception):
    """The root of all expected failures. Never raised itself."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, /, *, code: str | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.params = params
        self.stable_code = code or self.code

    def __str__(self) -> str:
        return self.message


class FieldProblem:
    """One wrong place of an input: a JSON pointer, a code and a sentence that says what to change."""

    __slots__ = ("code", "message", "pointer")

    def __init__(self, pointer: str, code: str, message: str) -> None:
        self.pointer = pointer
        self.code = code
        self.message = message

    def as_json(self) -> dict[str, str]:
        """Return the form of ``errors[]`` in a problem document."""
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


class Unauthenticated(StagewrightError):
    """No credential, or one that does not count here. The caller signs in or gets another credential."""

    code = "unauthenticated"


class Invalid(StagewrightError):
    """The request is malformed. The caller changes the request; ``problems`` name the places."""

    code = "invalid"

    def __init__(
        self, message: str, /, *, problems: tuple[FieldProblem, ...] = (), code: str | None = None, **params: Any
    ) -> None:
        super().__init__(message, code=code, **params)
        self.problems = problems


class TooLarge(Invalid):
    """The request is larger than the door takes."""

    code = "too_large"


class Denied(StagewrightError):
    """The caller is known and may not do this. Someone who may has to."""

    code = "permission_denied"


class NotFound(StagewrightError):
    """No such thing, or none the caller may see."""

    code = "not_found"


class Conflict(StagewrightError):
    """The state is another than the caller assumed. Look again."""

    code = "conflict"


class Refused(Conflict):
    """A well-formed request that a rule answers with no. ``code`` is the rule's reason, the message has the remedy."""

    code = "refused"


class Unavailable(StagewrightError):
    """Not now. The same request may succeed after ``retry_after``."""

    code = "unavailable"

    def __init__(
        self, message: str, /, *, retry_after: timedelta | None = None, code: str | None = None, **params: Any
    ) -> None:
        super().__init__(message, code=code, **params)
        self.retry_after = retry_after


class LimitReached(Unavailable):
    """A limit was reached; it opens again after ``retry_after``."""

    code = "limit_reached"
