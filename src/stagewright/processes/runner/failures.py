"""Ways an attempt ends before its result: each says what the platform is told, or why it cannot be told."""

from dataclasses import dataclass

EXIT_REPORTED = 0
EXIT_UNREACHABLE = 10
EXIT_REFUSED = 11
EXIT_INTERNAL = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``ReportOutcome`` says (`runs.md` 3)."""

    outcome: str
    code: str = ""
    detail: str = ""
    resume_at: str = ""


class AttemptOver(Exception):
    """The attempt ends now with this outcome."""

    def __init__(self, outcome: str, code: str = "", detail: str = "", *, resume_at: str = "") -> None:
        super().__init__(f"{outcome} {code} {detail}")
        self.outcome = Outcome(outcome, code, detail[:2000], resume_at)


class Failed(AttemptOver):
    """The agent's or the environment's failure, with a code of `runs.md` 2.1."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__("agent_failed", code, detail)


class Refused(Exception):
    """The platform does not take this attempt (any more): old generation, ended, or not allowed."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Unreachable(Exception):
    """The platform did not answer in time."""


class NotReported(Exception):
    """The outcome could not be reported in time; the platform will see an end without an outcome."""


class NotTaken(Exception):
    """The platform answered and did not take one request (``too_large``, ``invalid``, …); the attempt goes on."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
