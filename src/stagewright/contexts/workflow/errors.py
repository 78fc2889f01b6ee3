"""Failures of the workflow context."""

from stagewright.kit.errors import Conflict, FieldProblem, Invalid, NotFound


class PolicyProblem(FieldProblem):
    """One mistake of a policy file: ``pointer`` is its path, ``line`` counts from 1, ``source`` names the file."""

    __slots__ = ("line", "source")

    def __init__(self, pointer: str, code: str, message: str, *, source: str, line: int) -> None:
        super().__init__(pointer, code, f"{_place(source, line)}: {message}")
        self.source = source
        self.line = line


class PolicyInvalid(Invalid):
    """A policy file is wrong; every mistake is in ``problems``, each with its path and line."""

    code = "policy.invalid"


class ProfileDowngrade(Conflict):
    """A launch profile is lowered only by a restart after a rethink."""

    code = "profile_downgrade"


class StepUnknown(Invalid):
    """There is no such next step: its action, label or variant is not one that the policy offers."""

    code = "next_step.unknown"


class KindUnknown(NotFound):
    """The policy in force knows no such kind of run."""

    code = "workflow.kind_unknown"


def _place(source: str, line: int) -> str:
    return f"line {line}" if source == "project" else f"{source} policy, line {line}"
