"""Why an expression cannot be used."""


class Refused(Exception):
    """A mistake in an expression or its result. Never leaves the rules: whoever renders makes a finding of it."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        """``code`` as in ``codes.py``."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Undefined(Refused):
    """A name that is read although nothing stands behind it."""

    def __init__(self, message: str) -> None:
        """``message`` says what is known instead."""
        super().__init__("template_undefined", message, "x | default(v) reads a name that may be absent")


class Reported(Refused):
    """A mistake that is already among the findings, at the place that caused it."""

    def __init__(self) -> None:
        """Needs no words."""
        super().__init__("", "reported")
